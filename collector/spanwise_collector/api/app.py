"""Putting the HTTP app together."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

from fastapi import FastAPI
from prometheus_client.registry import Collector
from starlette.middleware.gzip import GZipMiddleware

from spanwise_collector.api import problems
from spanwise_collector.api.alerting import Alerting
from spanwise_collector.api.annotating import Annotating
from spanwise_collector.api.context import Context, Vitals
from spanwise_collector.api.curated import Curated
from spanwise_collector.api.guard import Guard
from spanwise_collector.api.instruments import Instruments
from spanwise_collector.api.middleware import RequestObserver
from spanwise_collector.api.routes import (
    alerts,
    annotations,
    changes,
    channels,
    compare,
    costs,
    drift,
    erasures,
    eval_scores,
    explain,
    exports,
    failures,
    health,
    judges,
    pipeline,
    rules,
    silences,
    sql_evals,
    summaries,
    traces,
    what_if,
)
from spanwise_collector.api.routes import replay as replay_routes
from spanwise_collector.api.routes import reprice as reprice_routes
from spanwise_collector.api.routes import retention as retention_routes
from spanwise_collector.api.routes import scores as score_routes
from spanwise_collector.api.routes import sql as sql_routes
from spanwise_collector.api.sql_evaluating import SqlEvaluating
from spanwise_collector.drift.digest import Texts
from spanwise_collector.erasing import ForApi
from spanwise_collector.failures.issue_book import IssueBook
from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.status import IngestStatus
from spanwise_collector.receive.access import Doorkeeper
from spanwise_collector.receive.receiver import Receiver
from spanwise_collector.receive.score_sender import ScoreSender
from spanwise_collector.replay.jobs import ReplayJobs
from spanwise_collector.reprice.jobs import RepriceJobs
from spanwise_collector.retention.policy import Policy
from spanwise_collector.settings import Settings
from spanwise_collector.sql_access.running import SqlRunner
from spanwise_collector.store.database import Reader
from spanwise_collector.store.errors import StoreError
from spanwise_schemas.api_drift import DriftReport
from spanwise_schemas.api_judges import EvalsProcess

STORE_TIMEOUT_S: Final = 3.0
_DESCRIPTION: Final = """
Read traces, spans, metrics and the state of the pipeline.

Times are UTC and RFC 3339 with microseconds, durations are milliseconds, money is integer nano-dollars
(1 USD = 1,000,000,000), ids are lower-case hex.
A cost is null where nothing is known of it. Errors are problem documents (RFC 9457).
"""


def _now() -> datetime:
    return datetime.now(UTC)


def create_app(
    *,
    database: Reader | None,
    settings: Settings,
    status: Callable[[], IngestStatus | None] = lambda: None,
    receiver: Receiver | None = None,
    prices: PriceBook | None = None,
    meters: Sequence[Collector] = (),
    reprice: RepriceJobs | None = None,
    replay: ReplayJobs | None = None,
    alerting: Alerting | None = None,
    issues: IssueBook | None = None,
    scores: ScoreSender | None = None,
    annotating: Annotating | None = None,
    curated: Curated | None = None,
    sql_evaluating: SqlEvaluating | None = None,
    texts: Texts | None = None,
    keep_report: Callable[[DriftReport], None] | None = None,
    evals: Callable[[], EvalsProcess] | None = None,
    doorkeeper: Doorkeeper | None = None,
    sql: SqlRunner | None = None,
    erasing: ForApi | None = None,
    retention: Callable[[], Sequence[Policy]] = tuple,
    clock: Callable[[], datetime] = _now,
) -> FastAPI:
    """The collector's HTTP app.

    Args:
        database: the store; None leaves out the query API.
        settings: for the time limit of queries.
        status: what ingest says of itself; returns None where this process does not ingest.
        receiver: the OTLP receivers, which run as long as the app; None leaves them out.
        prices: what model calls cost; None for the bundled list alone.
        meters: metrics of other parts of the process.
        reprice: computes costs anew; None leaves that out.
        replay: rebuilds tables from Kafka; None where this process does not ingest.
        alerting: alerts and their rules; None leaves them out.
        issues: takes what people say of issues; None lets them only be read.
        scores: writes scores to Kafka; None lets them only be read.
        annotating: queues of what people review; None leaves them out.
        curated: datasets and experiments; None leaves them out.
        sql_evaluating: evaluators that are SQL expressions; None leaves them out.
        texts: drift of texts for digests; None leaves it out.
        keep_report: stores a digest that was made when it was asked for; None makes it anew each time.
        evals: what the role `evals` says of itself; None where this process does not have it.
        doorkeeper: lets requests to the API in; None lets in everybody.
        sql: answers questions in SQL; None leaves them out.
        erasing: erases what is stored of a user; None leaves that out.
        retention: reads which projects keep what for a shorter time.
        clock: current time, UTC.
    """
    release = version("spanwise")

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if receiver is None:
            yield
        else:
            async with receiver.running():
                yield

    app = FastAPI(title="Spanwise", version=release, description=_DESCRIPTION, redoc_url=None, lifespan=lifespan)
    instruments = Instruments(status)
    for meter in meters:
        instruments.include(meter)
    checks: dict[str, Callable[[], str]] = {}
    app.state.guard = Guard(doorkeeper)
    app.state.vitals = Vitals(release, status, checks, instruments)
    app.include_router(health.router)
    if database is not None:
        checks["store"] = lambda: _store(database)
        app.state.context = Context(
            reader=database,
            status=status,
            clock=clock,
            timeout_s=settings.query_timeout_seconds,
            prices=prices or PriceBook(),
            retention_days=settings.retention_days,
        )
        app.state.texts = texts
        app.state.keep_report = keep_report
        app.state.scores = scores
        _include_operation(app, sql=sql, replay=replay)
        _include_questions(app, reprice=reprice, alerting=alerting, issues=issues, annotating=annotating)
        if curated is not None:
            curated.include(app)
        app.state.evals = evals
        app.state.retention = retention
        app.include_router(retention_routes.router)
        if erasing is not None:
            app.state.erasing = erasing
            app.include_router(erasures.router)
        if sql_evaluating is not None:
            app.state.sql_evaluating = sql_evaluating
            app.include_router(sql_evals.router)
    if receiver is not None:
        # Where ingest runs, its own check covers Kafka.
        if "ingest" not in settings.role:
            checks["otlp"] = receiver.state
        instruments.include(receiver.meters.registry)
        app.include_router(receiver.router())
    problems.install(app, instruments)
    # Level 1: a trace of 10,000 spans takes 30 ms to compress, and higher levels save little.
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=1)
    app.add_middleware(RequestObserver, instruments=instruments)
    return app


def _include_questions(
    app: FastAPI,
    *,
    reprice: RepriceJobs | None,
    alerting: Alerting | None,
    issues: IssueBook | None,
    annotating: Annotating | None,
) -> None:
    """Everything that asks or changes what is stored."""
    for module in (
        traces,
        explain,
        summaries,
        costs,
        what_if,
        failures,
        drift,
        changes,
        compare,
        eval_scores,
        judges,
        exports,
        pipeline,
    ):
        app.include_router(module.router)
    for router in (score_routes.reading, score_routes.writing):
        app.include_router(router)
    if reprice is not None:
        app.state.reprice = reprice
        app.include_router(reprice_routes.router)
    if issues is not None:
        app.state.issues = issues
        app.include_router(failures.saying)
    if annotating is not None:
        app.state.annotating = annotating
        app.include_router(annotations.router)
    if alerting is not None:
        app.state.alerting = alerting
        for module in (rules, alerts, channels, silences):
            app.include_router(module.router)


def _include_operation(app: FastAPI, *, sql: SqlRunner | None, replay: ReplayJobs | None) -> None:
    """Questions in SQL, and replays; the latter say where they can be had."""
    app.state.sql, app.state.replay = sql, replay
    if sql is not None:
        app.include_router(sql_routes.router)
    app.include_router(replay_routes.router)


def _store(reader: Reader) -> str:
    try:
        reader.query("SELECT 1", timeout_s=STORE_TIMEOUT_S)
    except StoreError as error:
        return f"ClickHouse does not answer ({error}). Check that it runs and that SPANWISE_CLICKHOUSE is its address."
    return "ok"
