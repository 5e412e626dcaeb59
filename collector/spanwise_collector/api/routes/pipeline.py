"""The state of the road from Kafka to ClickHouse."""

from fastapi import APIRouter, Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import In
from spanwise_collector.api.parameters import From, To, problems
from spanwise_collector.query.pipeline import get_pipeline
from spanwise_collector.query.window import Window
from spanwise_schemas.api import Pipeline

router = APIRouter(prefix="/api/v1", tags=["Pipeline"])


@router.get(
    "/pipeline", response_model=Pipeline, responses=problems(400, 422, 503, 504), summary="Get the pipeline's state"
)
def pipeline(context: In, start: From = None, end: To = None) -> Response:
    """What was emitted, stored, rejected and dropped in the time range, and how far ingest is behind.

    It covers all projects. `partitions` are those that this collector reads; it is empty where ingest runs elsewhere.
    """
    window = Window.of(start, end, context.clock())
    status = context.status()
    partitions = status.partitions if status is not None else ()
    return json_answer(
        get_pipeline(context.reader, window, partitions, now_us=context.now_us, timeout_s=context.timeout_s)
    )
