"""The state of the road from Kafka to ClickHouse."""

from fastapi import Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import In
from spanwise_collector.api.guard import guarded_router, of_all_projects
from spanwise_collector.api.parameters import From, To, problems
from spanwise_collector.query.audit import get_audit
from spanwise_collector.query.pipeline import get_pipeline
from spanwise_collector.query.window import Window
from spanwise_schemas.api import Pipeline
from spanwise_schemas.api_audit import Audit

router = guarded_router(prefix="/api/v1", tags=["Pipeline"])


@router.get(
    "/pipeline", response_model=Pipeline, responses=problems(400, 422, 503, 504), summary="Get the pipeline's state"
)
@of_all_projects
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


@router.get("/audit", response_model=Audit, responses=problems(400, 422, 503, 504), summary="Reconcile the ledger")
@of_all_projects
def audit(context: In, start: From = None, end: To = None) -> Response:
    """Whether everything that was sent is accounted for: offsets, rows, rejects, and each producer's numbering.

    It is about batches that were stored in the time range. `problems` is empty when all is well; what is still in Kafka
    is no problem.
    """
    status = context.status()
    found = get_audit(
        context.reader,
        Window.of(start, end, context.clock()),
        status.partitions if status is not None else (),
        now_us=context.now_us,
        retention_days=context.retention_days,
        timeout_s=context.timeout_s,
    )
    return json_answer(found)
