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
from spanwise_collector.api.context import Context, Vitals
from spanwise_collector.api.instruments import Instruments
from spanwise_collector.api.middleware import RequestObserver
from spanwise_collector.api.routes import costs, explain, health, pipeline, summaries, traces, what_if
from spanwise_collector.api.routes import reprice as reprice_routes
from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.status import IngestStatus
from spanwise_collector.receive.receiver import Receiver
from spanwise_collector.reprice.jobs import RepriceJobs
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Reader
from spanwise_collector.store.errors import StoreError

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
        )
        for module in (traces, explain, summaries, costs, what_if, pipeline):
            app.include_router(module.router)
        if reprice is not None:
            app.state.reprice = reprice
            app.include_router(reprice_routes.router)
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


def _store(reader: Reader) -> str:
    try:
        reader.query("SELECT 1", timeout_s=STORE_TIMEOUT_S)
    except StoreError as error:
        return f"ClickHouse does not answer ({error}). Check that it runs and that SPANWISE_CLICKHOUSE is its address."
    return "ok"
