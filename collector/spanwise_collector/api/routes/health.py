"""Is it alive, can it do its work, what does it count."""

from typing import Final, Literal

from fastapi import APIRouter, Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import Context, In
from spanwise_collector.api.instruments import CONTENT_TYPE
from spanwise_collector.store.errors import StoreError
from spanwise_schemas.api import Health

router = APIRouter(tags=["Health"])
STORE_TIMEOUT_S: Final = 3.0


@router.get("/healthz", response_model=Health, summary="Is the process alive?")
async def healthz(context: In) -> Response:
    """Answers as long as the process can answer; it looks at nothing else. Restart the process when it fails."""
    return json_answer(Health(status="ok", version=context.version))


@router.get(
    "/readyz",
    response_model=Health,
    responses={
        503: {"model": Health, "description": "It cannot do its work; `checks` says what is wrong and what to do."}
    },
    summary="Can it do its work?",
)
def readyz(context: In) -> Response:
    """200 when the store answers and ingest, where it runs here, is running. Else 503."""
    checks = {"store": _store(context)}
    starting = False
    status = context.status()
    if status is not None:
        starting = not status.running and not status.failure
        checks["ingest"] = "ok" if status.ready else status.failure or status.waiting or "ingest has not started yet"
    state: Literal["ok", "starting", "failing"] = "ok"
    if any(check != "ok" for check in checks.values()):
        state = "starting" if starting and checks["store"] == "ok" else "failing"
    answer = Health(status=state, version=context.version, checks=checks)
    return json_answer(answer, 200 if state == "ok" else 503)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "Prometheus text format."}},
    summary="Metrics for Prometheus",
)
def metrics(context: In) -> Response:
    """Counters of ingest, lag by partition, answer times, failed queries."""
    return Response(context.instruments.exposition(), media_type=CONTENT_TYPE)


def _store(context: Context) -> str:
    try:
        context.reader.query("SELECT 1", timeout_s=STORE_TIMEOUT_S)
    except StoreError as error:
        return f"ClickHouse does not answer ({error}). Check that it runs and that SPANWISE_CLICKHOUSE is its address."
    return "ok"
