"""The filters of the list of traces, for every endpoint that takes them."""

from decimal import Decimal
from math import ceil, floor
from typing import Annotated, Final

from fastapi import Depends, Query

from spanwise_collector.api.context import In
from spanwise_collector.api.parameters import From, Models, Project, To
from spanwise_collector.query.search import Search
from spanwise_collector.query.traces import TraceFilter
from spanwise_collector.query.window import Window
from spanwise_schemas.api import Status
from spanwise_schemas.attributes import Kind

_NANO: Final = 1_000_000_000


def _wanted(
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
    release: Annotated[tuple[str, ...], Query(description="Release of the trace; repeat for alternatives.")] = (),
    prompt: Annotated[
        tuple[str, ...],
        Query(
            description="The trace has a span with this prompt, name@version, or the name alone for all versions; "
            "repeat for alternatives."
        ),
    ] = (),
    provider: Annotated[
        tuple[str, ...], Query(description="The trace has a span with this provider; repeat for alternatives.")
    ] = (),
    tool: Annotated[
        tuple[str, ...], Query(description="The trace has a span of this tool; repeat for alternatives.")
    ] = (),
    user_group: Annotated[
        tuple[str, ...], Query(description="The trace has a span of this group of users; repeat for alternatives.")
    ] = (),
    failure: Annotated[
        tuple[str, ...],
        Query(description="The trace has a span with this class of failure; repeat for alternatives."),
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
) -> TraceFilter:
    return TraceFilter(
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
        releases=release,
        prompts=prompt,
        providers=provider,
        tools=tool,
        user_groups=user_group,
        failures=failure,
        min_cost_n=_at_least(min_cost_usd, _NANO),
        max_cost_n=_at_most(max_cost_usd, _NANO),
        min_duration_us=_at_least(min_duration_ms, 1000),
        max_duration_us=_at_most(max_duration_ms, 1000),
        search=Search.parse(q) if q else None,
    )


def _at_least(value: Decimal | None, factor: int) -> int | None:
    return None if value is None else ceil(value * factor)


def _at_most(value: Decimal | None, factor: int) -> int | None:
    return None if value is None else floor(value * factor)


TraceFilterIn = Annotated[TraceFilter, Depends(_wanted)]
