"""Where the values of a trace's spans come from."""

from typing import Annotated

from fastapi import Query, Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import In
from spanwise_collector.api.guard import guarded_router
from spanwise_collector.api.parameters import Project, TraceId, problems
from spanwise_collector.api.problems import NotFoundError
from spanwise_collector.query.explain import explain_trace
from spanwise_schemas.api_explain import TraceExplanation

router = guarded_router(prefix="/api/v1", tags=["Traces"])


@router.get(
    "/traces/{trace_id}/explain",
    response_model=TraceExplanation,
    responses=problems(404, 422, 503, 504),
    summary="Explain a trace",
)
def explain(
    context: In,
    trace_id: TraceId,
    span: Annotated[str, Query(description="Only this span, 16 hex digits.", pattern="^([0-9a-fA-F]{16})?$")] = "",
    project: Project = "default",
) -> Response:
    """For every field of a span the rule that gave it, what was left over, how tokens, cost and bill came about.

    Of more than 200 spans the first are explained.
    """
    found = explain_trace(
        context.reader,
        project,
        bytes.fromhex(trace_id),
        context.prices,
        span_id=bytes.fromhex(span) if span else None,
        timeout_s=context.timeout_s,
    )
    if found is None:
        what = f"span {span} in trace {trace_id}" if span else f"trace {trace_id}"
        raise NotFoundError(
            f"There is no {what} in project {project!r}: not arrived yet, expired, or in another project."
        )
    return json_answer(found)
