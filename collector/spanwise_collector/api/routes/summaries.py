"""Overview, charts, and values to filter by."""

from typing import Annotated

from fastapi import Query, Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import In
from spanwise_collector.api.guard import AccessIn, guarded_router, of_no_project
from spanwise_collector.api.parameters import Environments, From, Models, Names, Project, To, problems
from spanwise_collector.query.facets import get_facets
from spanwise_collector.query.metrics import get_series, step_for
from spanwise_collector.query.overview import get_overview
from spanwise_collector.query.projects import list_projects
from spanwise_collector.query.rollups import MetricFilter
from spanwise_collector.query.window import Window
from spanwise_schemas.api import Facets, GroupBy, Metric, MetricSeries, Overview, Projects
from spanwise_schemas.attributes import Kind

router = guarded_router(prefix="/api/v1", tags=["Metrics"])


@router.get("/projects", response_model=Projects, responses=problems(503, 504), summary="List projects")
@of_no_project
def projects(context: In, access: AccessIn) -> Response:
    """Projects that have spans and that the key is for, most recently active first."""
    found = list_projects(context.reader, timeout_s=context.timeout_s)
    if access.projects is not None:
        found = Projects(items=[one for one in found.items if one.name in access.projects])
    return json_answer(found)


@router.get("/overview", response_model=Overview, responses=problems(400, 422, 503, 504), summary="Get the overview")
def overview(
    context: In,
    project: Project = "default",
    start: From = None,
    end: To = None,
    environment: Environments = (),
    name: Names = (),
    model: Models = (),
) -> Response:
    """Totals of a time range and of the range of equal length before it, by model and by name.

    The range is widened to whole minutes, from 6 hours on to ten minutes, from 7 days on to hours; `start` and `end` of
    the answer say to which. Filters select spans by their own name and model.
    """
    wanted = MetricFilter(project, environment, name, model)
    window = Window.of(start, end, context.clock())
    return json_answer(get_overview(context.reader, wanted, window, timeout_s=context.timeout_s))


@router.get(
    "/metrics", response_model=MetricSeries, responses=problems(400, 422, 503, 504), summary="Get a metric over time"
)
def metrics(
    context: In,
    metric: Annotated[Metric, Query(description="What to chart.")],
    project: Project = "default",
    start: From = None,
    end: To = None,
    group_by: Annotated[
        GroupBy, Query(description="One line per value of this; at most 20, those with the most spans.")
    ] = "none",
    step_seconds: Annotated[
        int | None, Query(description="Length of a step, a multiple of 60. Default: at most 150 points.")
    ] = None,
    environment: Environments = (),
    name: Names = (),
    model: Models = (),
    kind: Annotated[tuple[Kind, ...], Query(description="Kind of span; repeat for alternatives.")] = (),
) -> Response:
    """One metric in equal steps. The range is widened to whole steps.

    `requests`, `errors`, `error_rate` and `latency_*` are those of traces (root spans); with a model or a kind in
    filter or group they are those of the spans.
    """
    window = Window.of(start, end, context.clock())
    wanted = MetricFilter(project, environment, name, model, kind)
    step = step_for(window, step_seconds)
    return json_answer(get_series(context.reader, wanted, window, metric, group_by, step, timeout_s=context.timeout_s))


@router.get(
    "/facets", response_model=Facets, responses=problems(400, 422, 503, 504), summary="List values to filter by"
)
def facets(context: In, project: Project = "default", start: From = None, end: To = None) -> Response:
    """Environments, names of root spans, models, kinds and tags in the time range, most frequent first."""
    window = Window.of(start, end, context.clock())
    return json_answer(get_facets(context.reader, project, window, timeout_s=context.timeout_s))
