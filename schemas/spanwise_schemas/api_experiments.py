"""Experiments in the API: results of a task over a dataset, and what can be said of two of them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from spanwise_schemas.api import Model
from spanwise_schemas.api_correction import ScoreCorrection

ExperimentState = Literal["running", "finished", "stopped"]
ExperimentVerdict = Literal["better", "worse", "no_difference", "inconclusive"]
ItemOrder = Literal["worst", "best", "dataset"]
ERRORS = "errors"
"""Metric: share of an item's runs in which the task failed."""
DURATION = "duration_ms"
"""Metric: how long the task took, milliseconds."""
LOWER_IS_BETTER = (ERRORS, DURATION)
MAX_RESULTS = 500
"""Results in one request."""
MetricName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
ShortId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


class MetricMean(Model):
    """One metric of one experiment: the mean over items of the means over their repeats."""

    metric: str
    mean: float
    low: float | None = Field(
        None, description="95 % interval: Wilson's for yes and no, else Student's t; null with one group of items."
    )
    high: float | None = None
    items: int = Field(description="That have this score.")


class Experiment(Model):
    """One run of a task over a dataset."""

    experiment_id: str
    name: str
    project: str
    dataset: str = Field("", description="Empty where the items were given as a list.")
    dataset_version: int = 0
    items: int = Field(0, description="Of the dataset.")
    repeats: int = 1
    evaluators: dict[str, str] = Field(default_factory=dict, description="Name to version; empty where it has none.")
    metadata: dict[str, str] = Field(default_factory=dict, description="What was tried: model, prompt, commit, ...")
    release: str = ""
    by: str = ""
    state: ExperimentState = "running"
    started_at: datetime
    updated_at: datetime
    runs: int = Field(0, description="Results so far, errors among them.")
    errors: int = Field(0, description="Results that are errors of the task.")
    metrics: list[MetricMean] = Field(default_factory=list)


class ExperimentPage(Model):
    """Experiments, the newest first."""

    items: list[Experiment]


class ExperimentDraft(Model):
    """An experiment that begins, or goes on: the same id again keeps its results."""

    experiment_id: ShortId
    name: str = Field(min_length=1, max_length=200)
    dataset: str = Field("", max_length=100)
    dataset_version: int = Field(0, ge=0, le=2**32 - 1)
    items: int = Field(0, ge=0, le=1_000_000)
    repeats: int = Field(1, ge=1, le=1000)
    evaluators: dict[str, str] = Field(default_factory=dict, max_length=100)
    metadata: dict[str, str] = Field(default_factory=dict, max_length=100)
    release: str = Field("", max_length=200)
    by: str = Field("", max_length=200)


class ItemResult(Model):
    """One run of the task on one item. The same item and repeat again replaces it."""

    item_id: str = Field(min_length=1, max_length=200)
    repeat: int = Field(0, ge=0, le=999)
    group: str = Field("", max_length=200)
    input: Any = None
    expected: Any = None
    output: Any = None
    error: str = Field("", description="Why the task failed; empty where it did not. Then there are no scores.")
    duration_ms: float = Field(0.0, ge=0)
    trace_id: str = Field("", pattern="^([0-9a-f]{32})?$")
    span_id: str = Field("", pattern="^([0-9a-f]{16})?$")
    scores: dict[MetricName, float] = Field(
        default_factory=dict, description="Evaluator to value; 1 and 0: yes and no."
    )
    labels: dict[MetricName, str] = Field(default_factory=dict)
    explanations: dict[MetricName, str] = Field(default_factory=dict)
    score_errors: dict[MetricName, str] = Field(
        default_factory=dict, description="Evaluators that failed, and why. An error is no score."
    )


class ResultBatch(Model):
    """Results to store."""

    results: list[ItemResult] = Field(min_length=1, max_length=MAX_RESULTS)


class Stored(Model):
    """How many were stored."""

    stored: int


class ExperimentEnd(Model):
    """How an experiment ended."""

    state: ExperimentState = "finished"


class ResultPage(Model):
    """Results by item and repeat."""

    items: list[ItemResult]
    next_cursor: str | None = None


class ComparedSide(Model):
    """One side of a comparison."""

    label: str
    kind: Literal["experiment", "release"]
    experiment: Experiment | None = None
    release: str = ""
    n: int = Field(0, description="Items of an experiment, scored targets of a release.")


class ComparedMetric(Model):
    """One metric of both sides. Values are in the metric's own unit."""

    metric: str
    baseline: float = Field(description="Mean over the items that both sides have; over all where they are not paired.")
    candidate: float
    n: int = Field(description="Items that were compared; of the smaller side where they are not paired.")
    groups: int = Field(description="Independent groups of them.")
    difference: float = Field(description="Candidate minus baseline.")
    low: float | None = Field(description="95 % interval of the difference; null where nothing can be said.")
    high: float | None = None
    p_value: float = Field(description="Two-sided, of this metric alone.")
    p_adjusted: float = Field(description="By Holm over all metrics of the comparison.")
    method: str = Field(description="mcnemar, sign-flip or welch")
    margin: float = Field(description="A smaller difference does not matter.")
    higher_is_better: bool = True
    yes_no: bool = Field(False, description="All values are 0 or 1.")
    verdict: ExperimentVerdict
    more_items: int | None = Field(
        None,
        description="About how many more items decide, of each side's; labels by people where the means are corrected "
        "by them. Null where that cannot be told.",
    )
    words: str = Field(description="The verdict for people.")
    correction: ScoreCorrection | None = Field(
        None, description="What people's labels did, where a judge's scores of a release are compared; else null."
    )


class ExperimentComparison(Model):
    """Two sides, metric by metric."""

    baseline: ComparedSide
    candidate: ComparedSide
    paired: bool = Field(description="Item by item. False with a release: its targets are others.")
    metrics: list[ComparedMetric]
    sentence: str
    notes: list[str] = Field(default_factory=list)


class ComparedItem(Model):
    """One item on both sides: the first repeat's outputs, means of scores over repeats."""

    item_id: str
    group: str = ""
    input: Any = None
    expected: Any = None
    baseline: ItemResult | None = None
    candidate: ItemResult | None = None
    baseline_value: float | None = Field(None, description="Of the metric, mean over repeats.")
    candidate_value: float | None = None


class ComparedItems(Model):
    """Items of two experiments beside each other."""

    metric: str
    total: int
    items: list[ComparedItem]
    next_offset: int | None = None
