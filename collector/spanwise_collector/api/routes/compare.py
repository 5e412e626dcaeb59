"""Comparing two windows, releases, prompt versions or models."""

from datetime import datetime
from typing import Annotated

from fastapi import Path, Query, Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import In
from spanwise_collector.api.guard import guarded_router
from spanwise_collector.api.parameters import Environments, From, Project, To, problems
from spanwise_collector.compare.comparison import SideWanted, compare
from spanwise_collector.compare.sides import candidates
from spanwise_collector.query.window import Window
from spanwise_schemas.api_compare import Candidates, CompareBy, Comparison

router = guarded_router(prefix="/api/v1/compare", tags=["Compare"])


@router.get("", response_model=Comparison, responses=problems(400, 422, 503, 504), summary="Compare two sides")
def comparison(
    context: In,
    by: Annotated[CompareBy, Query(description="What tells the sides apart.")] = "window",
    a: Annotated[str, Query(description="First side: a release, prompt (name@version) or model.", max_length=400)] = "",
    b: Annotated[str, Query(description="Second side.", max_length=400)] = "",
    project: Project = "default",
    start: From = None,
    end: To = None,
    a_from: Annotated[
        datetime | None, Query(description="Start of the first side's time range. Default: the range before `from`.")
    ] = None,
    a_to: Annotated[datetime | None, Query(description="End of the first side's time range.")] = None,
    environment: Environments = (),
) -> Response:
    """Metrics, cost, scores and failures of two sides, with intervals and verdicts that hold for all rows together.

    `from` and `to` are the second side's. Windows: the first side is `a_from` to `a_to`, else the range of equal length
    before. Releases, prompts and models: both sides are in `from` to `to` where `a_from` is not given.
    """
    second = Window.of(start, end, context.clock())
    if a_from is not None or a_to is not None:
        first = Window.of(a_from, a_to, context.clock())
    else:
        first = second.before if by == "window" else second
    return json_answer(
        compare(
            context.reader,
            project,
            by,
            SideWanted(first, a),
            SideWanted(second, b),
            environments=environment,
            now_us=context.now_us,
            timeout_s=context.timeout_s,
        )
    )


@router.get(
    "/{by}", response_model=Candidates, responses=problems(400, 422, 503, 504), summary="List what can be compared"
)
def sides(
    context: In,
    by: Annotated[CompareBy, Path(description="What tells sides apart.")],
    project: Project = "default",
    start: From = None,
    end: To = None,
) -> Response:
    """Releases, prompt versions or models of a time range, most recently first seen first."""
    window = Window.of(start, end, context.clock())
    if by == "window":
        return json_answer(Candidates(by=by, items=[]))
    return json_answer(candidates(context.reader, project, by, window, timeout_s=context.timeout_s))
