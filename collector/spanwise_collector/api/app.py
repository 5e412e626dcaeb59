"""Putting the HTTP app together."""

from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from spanwise_collector.api import problems
from spanwise_collector.api.context import Context
from spanwise_collector.api.instruments import Instruments
from spanwise_collector.api.middleware import RequestObserver
from spanwise_collector.api.routes import health, pipeline, summaries, traces
from spanwise_collector.ingest.status import IngestStatus
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Reader

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
    database: Reader,
    settings: Settings,
    status: Callable[[], IngestStatus | None] = lambda: None,
    clock: Callable[[], datetime] = _now,
) -> FastAPI:
    """The collector's HTTP app.

    Args:
        database: the store.
        settings: for the time limit of queries.
        status: what ingest says of itself; returns None where this process does not ingest.
        clock: current time, UTC.
    """
    release = version("spanwise")
    app = FastAPI(title="Spanwise", version=release, description=_DESCRIPTION, redoc_url=None)
    instruments = Instruments(status)
    app.state.context = Context(
        reader=database,
        status=status,
        clock=clock,
        timeout_s=settings.query_timeout_seconds,
        version=release,
        instruments=instruments,
    )
    for module in (traces, summaries, pipeline, health):
        app.include_router(module.router)
    problems.install(app, instruments)
    # Level 1: a trace of 10,000 spans takes 30 ms to compress, and higher levels save little.
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=1)
    app.add_middleware(RequestObserver, instruments=instruments)
    return app
