"""Eval scores: names, trends with intervals, distributions, the worst answers, and how far judges are right."""

from typing import Annotated

from fastapi import Query, Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import Context, In
from spanwise_collector.api.guard import guarded_router
from spanwise_collector.api.parameters import Environments, From, Project, To, problems
from spanwise_collector.query.eval_examples import examples
from spanwise_collector.query.eval_judges import judges
from spanwise_collector.query.eval_scores import distribution, profile, score_names, trend
from spanwise_collector.query.eval_source import ScoreFilter
from spanwise_collector.query.window import Window
from spanwise_schemas.api_evals import (
    Judges,
    ScoredExamples,
    ScoreDistribution,
    ScoreNames,
    ScoreShape,
    ScoreSource,
    ScoreTrend,
    SplitBy,
    WorstOrder,
)

router = guarded_router(prefix="/api/v1/evals", tags=["Evals"])

Name = Annotated[str, Query(description="Name of the score.", min_length=1, max_length=200)]
Source = Annotated[
    ScoreSource | None, Query(description="Who gives it: code, a judge (llm), people. Default: who gives most.")
]
Evaluator = Annotated[str, Query(description="Only of this evaluator.", max_length=200)]
Version = Annotated[str, Query(description="Only of this version of the evaluator.", max_length=200)]
Label = Annotated[
    str, Query(description="Of scores that are words: whose share is asked for. Default: the most frequent.")
]
_PROBLEMS = problems(400, 422, 503, 504)


@router.get("/scores", response_model=ScoreNames, responses=_PROBLEMS, summary="List scores")
def scores(
    context: In, project: Project = "default", start: From = None, end: To = None, environment: Environments = ()
) -> Response:
    """Names of scores in a time range, with who gives them, in which versions, and how many there are.

    A score counts for the time at which it was given.
    """
    window = Window.of(start, end, context.clock())
    return json_answer(score_names(context.reader, project, window, environment, timeout_s=context.timeout_s))


@router.get("/trend", response_model=ScoreTrend, responses=_PROBLEMS, summary="Get a score over time")
def score_trend(
    context: In,
    name: Name,
    project: Project = "default",
    start: From = None,
    end: To = None,
    source: Source = None,
    evaluator: Evaluator = "",
    version: Version = "",
    label: Label = "",
    split: Annotated[
        SplitBy, Query(description="One line per value of this; the eight with the most values are shown.")
    ] = "none",
    step_seconds: Annotated[
        int | None, Query(description="Length of a step, a multiple of 60. Default: at most 150 points.")
    ] = None,
    environment: Environments = (),
) -> Response:
    """Means in steps of time with 95 % intervals, weighted by the chance with which each answer was scored.

    Releases and environments are those of the trace. A score of a span has the span's model and prompt; one of a trace,
    or of a span without, all that its trace has. A score more than 7 days after its trace has an empty split.
    """
    window = Window.of(start, end, context.clock())
    wanted, shape = _wanted(context, project, name, window, source, evaluator, version, label, environment)
    return json_answer(trend(context.reader, wanted, shape, window, split, step_seconds, timeout_s=context.timeout_s))


@router.get(
    "/distribution", response_model=ScoreDistribution, responses=_PROBLEMS, summary="Get how a score's values lie"
)
def score_distribution(
    context: In,
    name: Name,
    project: Project = "default",
    start: From = None,
    end: To = None,
    source: Source = None,
    evaluator: Evaluator = "",
    version: Version = "",
    environment: Environments = (),
) -> Response:
    """Values in 20 bins, or labels, each with its share, weighted by the chance of being scored."""
    window = Window.of(start, end, context.clock())
    wanted, shape = _wanted(context, project, name, window, source, evaluator, version, "", environment)
    return json_answer(distribution(context.reader, wanted, shape, window, timeout_s=context.timeout_s))


@router.get("/worst", response_model=ScoredExamples, responses=_PROBLEMS, summary="List the worst answers")
def worst(
    context: In,
    name: Name,
    project: Project = "default",
    start: From = None,
    end: To = None,
    source: Source = None,
    evaluator: Evaluator = "",
    version: Version = "",
    label: Label = "",
    order: Annotated[WorstOrder, Query(description="Which end of the scale is bad.")] = "lowest",
    limit: Annotated[int, Query(description="Examples at most.", ge=1, le=200)] = 20,
    environment: Environments = (),
) -> Response:
    """Answers with the lowest (or highest) values, the newest first among equal ones, with previews of their texts.

    Of scores that are words: the newest with that label.
    """
    window = Window.of(start, end, context.clock())
    wanted, shape = _wanted(context, project, name, window, source, evaluator, version, label, environment)
    return json_answer(examples(context.reader, wanted, shape, window, order, limit, timeout_s=context.timeout_s))


@router.get("/judges", response_model=Judges, responses=_PROBLEMS, summary="Get how far judges are right")
def judge_health(
    context: In,
    project: Project = "default",
    start: From = None,
    end: To = None,
    name: Annotated[str, Query(description="Only judges of this score.", max_length=200)] = "",
    environment: Environments = (),
) -> Response:
    """Agreement of each judge's versions with people, whether it may raise alerts, and its mean corrected by people.

    People's labels are scores of the source `human` with the same name and target. They may have come up to 90 days
    before the time range, or after it.
    """
    window = Window.of(start, end, context.clock())
    return json_answer(judges(context.reader, project, window, name, environment, timeout_s=context.timeout_s))


def _wanted(
    context: Context,
    project: str,
    name: str,
    window: Window,
    source: ScoreSource | None,
    evaluator: str,
    version: str,
    label: str,
    environments: tuple[str, ...],
) -> tuple[ScoreFilter, ScoreShape]:
    """What is asked for, and the shape of its values."""
    found = profile(context.reader, project, name, window, source, timeout_s=context.timeout_s)
    word = (label or found.label) if found.shape == "label" else label
    wanted = ScoreFilter(project, name, found.source, evaluator, version, environments, word)
    return wanted, found.shape
