"""Traces and spans."""

from decimal import Decimal
from math import ceil, floor
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import In
from spanwise_collector.api.parameters import From, Models, Project, SpanId, To, TraceId, problems
from spanwise_collector.api.problems import NotFoundError
from spanwise_collector.query.cursor import Cursor
from spanwise_collector.query.search import Search
from spanwise_collector.query.span import get_span
from spanwise_collector.query.trace import get_trace
from spanwise_collector.query.traces import TraceFilter, list_traces
from spanwise_collector.query.window import Window
from spanwise_schemas.api import SpanDetail, Status, TraceDetail, TracePage
from spanwise_schemas.attributes import Kind

router = APIRouter(prefix="/api/v1", tags=["Traces"])
MAX_LIMIT: Final = 200
_NANO: Final = 1_000_000_000


@router.get("/traces", response_model=TracePage, responses=problems(400, 422, 503, 504), summary="List traces")
def traces(
    context: In,
    project: Project = "default",
    start: From = None,
    end: To = None,
    environment: Annotated[
        tuple[str, ...], Query(description="Environment of the trace; repeat for alternatives.")
    ] = (),
    name: Annotated[tuple[str, ...], Query(description="Name of the root span; repeat for alternatives.")] = (),
    kind: Annotated[
        tuple[Kind, ...], Query(description="The trace has a span of this kind; repeat for alternatives.")
    ] = (),
    model: Models = (),
    status: Annotated[
        tuple[Status, ...],
        Query(
            description="Status of the trace: that of its root span; `error` if a span failed and the root has not "
            "arrived. Repeat for alternatives."
        ),
    ] = (),
    user: Annotated[str | None, Query(description="User id.")] = None,
    session: Annotated[str | None, Query(description="Session id.")] = None,
    tag: Annotated[
        tuple[str, ...], Query(description="The trace has a span with this tag; repeat for alternatives.")
    ] = (),
    min_cost_usd: Annotated[
        Decimal | None, Query(description="Known cost of the trace in USD, at least.", ge=0, le=1_000_000)
    ] = None,
    max_cost_usd: Annotated[
        Decimal | None, Query(description="Known cost of the trace in USD, at most.", ge=0, le=1_000_000)
    ] = None,
    min_duration_ms: Annotated[
        Decimal | None, Query(description="Duration of the trace in milliseconds, at least.", ge=0, le=10**12)
    ] = None,
    max_duration_ms: Annotated[
        Decimal | None, Query(description="Duration of the trace in milliseconds, at most.", ge=0, le=10**12)
    ] = None,
    q: Annotated[
        str | None,
        Query(
            description="Words that occur in the input or in the output of one span, whatever their case; "
            'words "in quotes" must follow each other like this.'
        ),
    ] = None,
    limit: Annotated[int, Query(description="Traces on a page.", ge=1, le=MAX_LIMIT)] = 50,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> Response:
    """Traces that started in the time range, newest first.

    Different filters must all hold; values of one filter are alternatives. A trace whose root
    span has not arrived yet is listed with an empty name.
    """
    wanted = TraceFilter(
        project=project,
        window=Window.of(start, end, context.clock()),
        environments=environment,
        names=name,
        kinds=kind,
        models=model,
        statuses=status,
        user=user,
        session=session,
        tags=tag,
        min_cost_n=_at_least(min_cost_usd, _NANO),
        max_cost_n=_at_most(max_cost_usd, _NANO),
        min_duration_us=_at_least(min_duration_ms, 1000),
        max_duration_us=_at_most(max_duration_ms, 1000),
        search=Search.parse(q) if q else None,
    )
    after = Cursor.decode(cursor) if cursor else None
    page = list_traces(
        context.reader, wanted, limit=limit, cursor=after, now_us=context.now_us, timeout_s=context.timeout_s
    )
    return json_answer(page)


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
        context.reader, project, bytes.fromhex(trace_id), bytes.fromhex(span_id), timeout_s=context.timeout_s
    )
    if found is None:
        raise NotFoundError(_missing(f"span {span_id} in trace {trace_id}", project))
    return json_answer(found)


def _missing(what: str, project: str) -> str:
    return f"There is no {what} in project {project!r}: not arrived yet, expired, or in another project."


def _at_least(value: Decimal | None, factor: int) -> int | None:
    return None if value is None else ceil(value * factor)


def _at_most(value: Decimal | None, factor: int) -> int | None:
    return None if value is None else floor(value * factor)
