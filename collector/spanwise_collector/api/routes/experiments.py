"""Experiments: taking results, listing, comparing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Path, Query, Request, Response

from spanwise_collector.api.answers import file_answer, json_answer
from spanwise_collector.api.context import In
from spanwise_collector.api.guard import guarded_router, needs
from spanwise_collector.api.parameters import Project, problems
from spanwise_collector.api.problems import NotFoundError, problem
from spanwise_collector.datasets.export import MEDIA_TYPES
from spanwise_collector.experiments.compare import ComparisonError, Wanted
from spanwise_collector.experiments.comparing import Comparing
from spanwise_collector.experiments.preferences import preference_pairs
from spanwise_collector.experiments.store import Experiments, UnknownExperimentError
from spanwise_collector.query.window import Window
from spanwise_schemas.api_experiments import (
    LOWER_IS_BETTER,
    ComparedItems,
    Experiment,
    ExperimentComparison,
    ExperimentDraft,
    ExperimentEnd,
    ExperimentPage,
    ItemOrder,
    ResultBatch,
    ResultPage,
    Stored,
)

T = TypeVar("T")
RELEASE_WINDOW: Final = timedelta(days=30)
router = guarded_router(prefix="/api/v1/experiments", tags=["Experiments"])


def _experiments(request: Request) -> Experiments:
    experiments: Experiments = request.app.state.experiments
    return experiments


ExperimentsIn = Annotated[Experiments, Depends(_experiments)]
Id = Annotated[str, Path(description="Id of an experiment.", max_length=100)]
Baseline = Annotated[str, Query(description="Id or name of an experiment (the newest of the name).", max_length=300)]
Candidate = Annotated[str, Query(description="The other side, likewise.", max_length=300)]
LowerIsBetter = Annotated[
    tuple[str, ...],
    Query(description="Score of which less is better; repeat for more. `errors` and `duration_ms` are known to be."),
]


@router.get("", response_model=ExperimentPage, responses=problems(422, 503, 504), summary="List experiments")
def listed(
    experiments: ExperimentsIn,
    project: Project = "default",
    dataset: Annotated[str, Query(description="Only over this dataset.", max_length=100)] = "",
    name: Annotated[str, Query(description="Only of this name.", max_length=200)] = "",
    limit: Annotated[int, Query(description="Experiments at most.", ge=1, le=500)] = 100,
) -> Response:
    """Experiments with the means of their metrics, the newest first."""
    return json_answer(experiments.listed(project, dataset=dataset, name=name, limit=limit))


@router.post("", response_model=Experiment, status_code=201, responses=problems(422, 503), summary="Begin or go on")
@needs("ingest")
def begin(experiments: ExperimentsIn, draft: ExperimentDraft, project: Project = "default") -> Response:
    """Begin an experiment, or go on with the one of this id, which keeps its results."""
    return json_answer(experiments.begin(project, draft), 201)


@router.get(
    "/compare", response_model=ExperimentComparison, responses=problems(400, 404, 422, 503, 504), summary="Compare two"
)
def compare(
    request: Request,
    context: In,
    experiments: ExperimentsIn,
    baseline: Annotated[
        str,
        Query(
            description="Id or name of an experiment (the newest of the name), or `release:NAME`: the scores of a "
            "release in production.",
            max_length=300,
        ),
    ],
    candidate: Candidate,
    project: Project = "default",
    metric: Annotated[
        tuple[str, ...],
        Query(
            description="Score, `errors` or `duration_ms`; repeat for more. Default: all scores, and errors where "
            "there are some."
        ),
    ] = (),
    margin: Annotated[
        float | None,
        Query(
            description="A smaller difference does not matter, in the metric's unit. Default: 0.02 for scores between "
            "0 and 1, else 2 % of the baseline.",
            ge=0,
        ),
    ] = None,
    lower_is_better: LowerIsBetter = (),
    start: Annotated[
        datetime | None,
        Query(alias="from", description="Start of the traces of a release. Default: 30 days before `to`."),
    ] = None,
    end: Annotated[datetime | None, Query(alias="to", description="End of them. Default: now.")] = None,
) -> Response:
    """Item by item: intervals, tests, and one of four verdicts per metric, adjusted for their number.

    With a release the sides are not paired; the answer says so.
    """
    now = end or context.clock()
    window = Window.of(start or (now - RELEASE_WINDOW if now.utcoffset() is not None else None), now, context.clock())
    comparing = Comparing(context.reader, experiments, timeout_s=context.timeout_s)
    wanted = Wanted(metric, margin, lower_is_better)
    try:
        found = _known(lambda: comparing.compare(project, baseline, candidate, wanted, window))
    except ComparisonError as error:
        return problem(request, 400, "bad-request", str(error))
    return json_answer(found)


@router.get(
    "/compare/items",
    response_model=ComparedItems,
    responses=problems(404, 422, 503, 504),
    summary="Compare two, item by item",
)
def compare_items(
    context: In,
    experiments: ExperimentsIn,
    baseline: Baseline,
    candidate: Candidate,
    project: Project = "default",
    metric: Annotated[str, Query(description="By which they are ordered. Default: the first score.")] = "",
    order: Annotated[
        ItemOrder, Query(description="`worst`: what lost most first; `best`: what gained most; `dataset`: by id.")
    ] = "worst",
    lower_is_better: LowerIsBetter = (),
    offset: Annotated[int, Query(description="Items before the page.", ge=0)] = 0,
    limit: Annotated[int, Query(description="Items on a page.", ge=1, le=200)] = 50,
) -> Response:
    """Items of two experiments with both outputs."""
    comparing = Comparing(context.reader, experiments, timeout_s=context.timeout_s)
    found = _known(
        lambda: comparing.items(
            project,
            baseline,
            candidate,
            metric,
            order=order,
            lower_is_better=metric in LOWER_IS_BETTER or metric in lower_is_better,
            offset=offset,
            limit=limit,
        )
    )
    return json_answer(found)


@router.get(
    "/compare/preferences",
    response_class=Response,
    responses={**problems(404, 422, 503, 504), 200: {"description": "The file.", "content": {"application/jsonl": {}}}},
    summary="Export preference pairs",
)
def compare_preferences(
    experiments: ExperimentsIn,
    baseline: Baseline,
    candidate: Candidate,
    metric: Annotated[str, Query(description="Score that says which answer is the better one.", max_length=200)],
    project: Project = "default",
    margin: Annotated[float, Query(description="So much better an answer has to be, at least.", ge=0)] = 0.0,
    lower_is_better: LowerIsBetter = (),
) -> Response:
    """Per item of both the better answer as `chosen` and the worse as `rejected`, as DPO trainers read it.

    The header `Spanwise-Left-Out` counts items without a pair: ties, errors, and those that only one has.
    """
    ours, theirs = (
        _known(lambda: experiments.named(project, baseline)),
        _known(lambda: experiments.named(project, candidate)),
    )
    first = experiments.all_results(project, ours.experiment_id)
    second = experiments.all_results(project, theirs.experiment_id)
    less = metric in LOWER_IS_BETTER or metric in lower_is_better
    made = preference_pairs(first, second, metric, lower_is_better=less, margin=margin)
    return file_answer(made, "preferences.jsonl", MEDIA_TYPES["preferences"])


@router.get(
    "/{experiment_id}", response_model=Experiment, responses=problems(404, 422, 503, 504), summary="Get an experiment"
)
def detail(experiments: ExperimentsIn, experiment_id: Id, project: Project = "default") -> Response:
    """One experiment with the means of its metrics."""
    return json_answer(_known(lambda: experiments.get(project, experiment_id)))


@router.get(
    "/{experiment_id}/results",
    response_model=ResultPage,
    responses=problems(400, 404, 422, 503, 504),
    summary="List results",
)
def results(
    request: Request,
    experiments: ExperimentsIn,
    experiment_id: Id,
    project: Project = "default",
    limit: Annotated[int, Query(description="Results on a page.", ge=1, le=1000)] = 100,
    cursor: Annotated[str, Query(description="`next_cursor` of the page before.", max_length=500)] = "",
) -> Response:
    """Results by item and repeat, errors among them."""
    try:
        return json_answer(_known(lambda: experiments.results(project, experiment_id, cursor=cursor, limit=limit)))
    except ValueError as error:
        return problem(request, 400, "bad-request", str(error))


@router.post(
    "/{experiment_id}/results", response_model=Stored, responses=problems(404, 422, 503), summary="Store results"
)
@needs("ingest")
def add(experiments: ExperimentsIn, experiment_id: Id, batch: ResultBatch, project: Project = "default") -> Response:
    """Store results. The same item and repeat again replaces what was stored, so that sending again is harmless."""
    return json_answer(Stored(stored=_known(lambda: experiments.add(project, experiment_id, batch.results))))


@router.post(
    "/{experiment_id}/end", response_model=Experiment, responses=problems(404, 422, 503), summary="End an experiment"
)
@needs("ingest")
def end(experiments: ExperimentsIn, experiment_id: Id, how: ExperimentEnd, project: Project = "default") -> Response:
    """Say that it is finished, or that it was stopped."""
    return json_answer(_known(lambda: experiments.end(project, experiment_id, how.state)))


def _known(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except UnknownExperimentError as error:
        raise NotFoundError(str(error)) from None
