"""Traces and spans."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Query, Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import In
from spanwise_collector.api.guard import guarded_router
from spanwise_collector.api.parameters import Project, SpanId, TraceId, problems
from spanwise_collector.api.problems import NotFoundError
from spanwise_collector.api.trace_filter import TraceFilterIn
from spanwise_collector.query.cursor import Cursor
from spanwise_collector.query.span import get_span
from spanwise_collector.query.trace import get_trace
from spanwise_collector.query.traces import list_traces
from spanwise_schemas.api import SpanDetail, TraceDetail, TracePage

router = guarded_router(prefix="/api/v1", tags=["Traces"])
MAX_LIMIT: Final = 200


@dataclass(frozen=True, slots=True)
class _Page:
    limit: int
    cursor: str | None


def _page(
    limit: Annotated[int, Query(description="Traces on a page.", ge=1, le=MAX_LIMIT)] = 50,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> _Page:
    return _Page(limit, cursor)


@router.get("/traces", response_model=TracePage, responses=problems(400, 422, 503, 504), summary="List traces")
def traces(
    context: In,
    wanted: TraceFilterIn,
    page: Annotated[_Page, Depends(_page)],
) -> Response:
    """Traces that started in the time range, newest first.

    Different filters must all hold; values of one filter are alternatives. A trace whose root
    span has not arrived yet is listed with an empty name.
    """
    after = Cursor.decode(page.cursor) if page.cursor else None
    found = list_traces(
        context.reader, wanted, limit=page.limit, cursor=after, now_us=context.now_us, timeout_s=context.timeout_s
    )
    return json_answer(found)


@router.get(
    "/traces/{trace_id}", response_model=TraceDetail, responses=problems(404, 422, 503, 504), summary="Get a trace"
)
def trace(context: In, trace_id: TraceId, project: Project = "default") -> Response:
    """One trace with all its spans in order of start, without bodies, and its scores.

    Of more than 20,000 spans the first are given.
    """
    found = get_trace(context.reader, project, bytes.fromhex(trace_id), timeout_s=context.timeout_s)
    if found is None:
        raise NotFoundError(_missing(f"trace {trace_id}", project))
    return json_answer(found)


@router.get(
    "/traces/{trace_id}/spans/{span_id}",
    response_model=SpanDetail,
    responses=problems(404, 422, 503, 504),
    summary="Get a span",
)
def span(context: In, trace_id: TraceId, span_id: SpanId, project: Project = "default") -> Response:
    """One span with its input and output, attributes, how its cost came about, and its scores."""
    found = get_span(
        context.reader,
        project,
        bytes.fromhex(trace_id),
        bytes.fromhex(span_id),
        now_us=context.now_us,
        timeout_s=context.timeout_s,
    )
    if found is None:
        raise NotFoundError(_missing(f"span {span_id} in trace {trace_id}", project))
    return json_answer(found)


def _missing(what: str, project: str) -> str:
    return f"There is no {what} in project {project!r}: not arrived yet, expired, or in another project."
