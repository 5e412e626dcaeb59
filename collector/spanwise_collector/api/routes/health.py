"""Is it alive, can it do its work, what does it count."""

from typing import Literal

from fastapi import APIRouter, Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import VitalsIn
from spanwise_collector.api.instruments import CONTENT_TYPE
from spanwise_schemas.api import Health

router = APIRouter(tags=["Health"])


@router.get("/healthz", response_model=Health, summary="Is the process alive?")
async def healthz(vitals: VitalsIn) -> Response:
    """Answers as long as the process can answer; it looks at nothing else. Restart the process when it fails."""
    return json_answer(Health(status="ok", version=vitals.version))


@router.get(
    "/readyz",
    response_model=Health,
    responses={
        503: {"model": Health, "description": "It cannot do its work; `checks` says what is wrong and what to do."}
    },
    summary="Can it do its work?",
)
def readyz(vitals: VitalsIn) -> Response:
    """200 when what runs here has what it needs: the store answers, ingest is running, Kafka can be written to."""
    checks = {name: check() for name, check in vitals.checks.items()}
    starting = False
    status = vitals.status()
    if status is not None:
        starting = not status.running and not status.failure
        checks["ingest"] = (
            "ok" if status.ready else status.failure or status.held or status.waiting or "ingest has not started yet"
        )
    state: Literal["ok", "starting", "failing"] = "ok"
    if any(check != "ok" for check in checks.values()):
        state = "starting" if starting and checks.get("store", "ok") == "ok" else "failing"
    answer = Health(status=state, version=vitals.version, checks=checks)
    return json_answer(answer, 200 if state == "ok" else 503)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "Prometheus text format."}},
    summary="Metrics for Prometheus",
)
def metrics(vitals: VitalsIn) -> Response:
    """Counters of ingest and of the OTLP receivers, lag by partition, answer times, failed queries."""
    return Response(vitals.instruments.exposition(), media_type=CONTENT_TYPE)
