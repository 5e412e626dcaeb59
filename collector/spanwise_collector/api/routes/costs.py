"""What model calls cost, by what, and what the sums leave out."""

from typing import Annotated

from fastapi import Path, Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import In
from spanwise_collector.api.guard import guarded_router
from spanwise_collector.api.parameters import Environments, From, Models, Names, Project, To, problems
from spanwise_collector.query.costs import get_costs
from spanwise_collector.query.costs_by import get_cost_breakdown
from spanwise_collector.query.costs_gaps import get_duplicates, get_unpriced
from spanwise_collector.query.costs_source import CallFilter
from spanwise_collector.query.window import Window
from spanwise_schemas.api_costs import CostBreakdown, CostDimension, Costs, Duplicates, UnpricedModels

router = guarded_router(prefix="/api/v1/costs", tags=["Costs"])


@router.get("", response_model=Costs, responses=problems(400, 422, 503, 504), summary="Get costs")
def costs(
    context: In,
    project: Project = "default",
    start: From = None,
    end: To = None,
    environment: Environments = (),
    name: Names = (),
    model: Models = (),
) -> Response:
    """What a time range cost and the range of equal length before it, what caching saved, reported beside computed.

    The range is widened to whole steps as in `/overview`; `start` and `end` of the answer say to which. Over time,
    costs are in `/metrics` (`metric=cost_nanousd`).
    """
    wanted = CallFilter(project, environment, name, model)
    window = Window.of(start, end, context.clock())
    return json_answer(get_costs(context.reader, wanted, window, context.prices, timeout_s=context.timeout_s))


@router.get(
    "/by/{dimension}",
    response_model=CostBreakdown,
    responses=problems(400, 422, 503, 504),
    summary="Break costs down",
)
def breakdown(
    context: In,
    dimension: Annotated[CostDimension, Path(description="What to break down by.")],
    project: Project = "default",
    start: From = None,
    end: To = None,
    environment: Environments = (),
    name: Names = (),
    model: Models = (),
) -> Response:
    """The dearest values of one dimension, at most 100, beside the range before.

    User, session, request (the root span's name) and release are lifted to the trace: they hold for all its calls.
    From 7 days on, and without a filter by name or model, these four do not tell how many tokens were cached
    (`cached_known`).
    """
    wanted = CallFilter(project, environment, name, model)
    window = Window.of(start, end, context.clock())
    return json_answer(get_cost_breakdown(context.reader, wanted, window, dimension, timeout_s=context.timeout_s))


@router.get(
    "/unpriced", response_model=UnpricedModels, responses=problems(400, 422, 503, 504), summary="List unpriced models"
)
def unpriced(
    context: In,
    project: Project = "default",
    start: From = None,
    end: To = None,
    environment: Environments = (),
    name: Names = (),
    model: Models = (),
) -> Response:
    """Models whose calls have no cost, why, and what to do: these calls are in no sum."""
    wanted = CallFilter(project, environment, name, model)
    window = Window.of(start, end, context.clock())
    return json_answer(get_unpriced(context.reader, wanted, window, context.prices, timeout_s=context.timeout_s))


@router.get(
    "/duplicates", response_model=Duplicates, responses=problems(400, 422, 503, 504), summary="List duplicate usage"
)
def duplicates(
    context: In,
    project: Project = "default",
    start: From = None,
    end: To = None,
    environment: Environments = (),
    name: Names = (),
    model: Models = (),
) -> Response:
    """Spans that tell of tokens which another span bears: what would have been counted twice, by why and by whom."""
    wanted = CallFilter(project, environment, name, model)
    window = Window.of(start, end, context.clock())
    return json_answer(get_duplicates(context.reader, wanted, window, timeout_s=context.timeout_s))
