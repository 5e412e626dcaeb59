"""Judges and evaluators: what they did, what they cost, what went wrong, whether they have changed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from fastapi import Query, Request, Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import In
from spanwise_collector.api.guard import guarded_router
from spanwise_collector.api.parameters import From, Project, To, problems
from spanwise_collector.evals.judges_query import anchor_reports, errors, statuses
from spanwise_collector.query.values import time_of
from spanwise_collector.query.window import Window
from spanwise_schemas.api_judges import AnchorReports, EvalsProcess, JudgeErrors, JudgeStatuses

router = guarded_router(prefix="/api/v1/evals", tags=["Evals"])


@router.get(
    "/judging",
    response_model=JudgeStatuses,
    responses=problems(400, 422, 503, 504),
    summary="List judges and evaluators",
)
def judging(
    request: Request, context: In, project: Project = "default", start: From = None, end: To = None
) -> Response:
    """What each judge and evaluator of a project did in a time range: targets by outcome, cost, money left today.

    Counts arrive some seconds after the scores.
    """
    now = context.clock()
    window = Window.of(start, end, now)
    found = statuses(context.reader, project, time_of(window.start), time_of(window.end), now, context.timeout_s)
    process: Callable[[], EvalsProcess] | None = getattr(request.app.state, "evals", None)
    return json_answer(JudgeStatuses(items=found, process=process() if process is not None else None))


@router.get(
    "/judges/errors", response_model=JudgeErrors, responses=problems(400, 422, 503, 504), summary="List judges' errors"
)
def judge_errors(context: In, project: Project = "default", start: From = None, end: To = None) -> Response:
    """Errors by judge and class with the last message. An error is no score: its target has none."""
    window = Window.of(start, end, context.clock())
    return json_answer(errors(context.reader, project, time_of(window.start), time_of(window.end), context.timeout_s))


@router.get(
    "/anchors", response_model=AnchorReports, responses=problems(422, 503, 504), summary="Tell whether judges changed"
)
def anchors(
    context: In,
    project: Project = "default",
    days: Annotated[int, Query(description="Verdicts of so many last days against the first.", ge=1, le=90)] = 7,
) -> Response:
    """Whether judges have changed, by items that people have labelled and that are judged again every day.

    Where a judge stands still and its scores moved, the application has changed.
    """
    return json_answer(
        anchor_reports(context.reader, project, context.clock() - timedelta(days=days), context.timeout_s)
    )
