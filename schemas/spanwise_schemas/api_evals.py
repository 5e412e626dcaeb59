"""Eval scores in the API: names, trends with intervals, distributions, the worst answers, how far judges are right."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from spanwise_schemas.api import Model

ScoreSource = Literal["code", "llm", "human", "user"]
ScoreShape = Literal["yes_no", "number", "label"]
SplitBy = Literal["none", "release", "prompt", "model", "environment", "version"]
WorstOrder = Literal["lowest", "highest"]
Gate = Literal["unknown", "held", "weak", "trusted"]


class MeanEstimate(Model):
    """A mean, weighted by the chance with which each target was chosen, and how sure it is."""

    mean: float | None = Field(None, description="Null without a value.")
    low: float | None = Field(
        None, description="Lower end of the 95 % interval; null with fewer than two values or graded ones all alike."
    )
    high: float | None = None
    n: int = Field(0, description="Values behind it.")
    effective: float = Field(0, description="So many values chosen with equal chances would say as much.")
    dropped: int = Field(0, description="Values left out: not finite, or of an unknown chance.")


class ScoreEvaluator(Model):
    """Who gives a score."""

    source: ScoreSource
    evaluator: str
    versions: list[str] = Field(description="Of the evaluator, the one seen last first; at most 20.")
    count: int
    last_seen: datetime


class ScoreName(Model):
    """Scores of one name."""

    name: str
    shape: ScoreShape
    count: int
    last_seen: datetime
    low: float | None = Field(None, description="Smallest value; null for labels.")
    high: float | None = None
    labels: list[str] = Field(default_factory=list, description="Most frequent first; at most 20.")
    evaluators: list[ScoreEvaluator]


class ScoreNames(Model):
    """Names of scores in a time range, most frequent first."""

    items: list[ScoreName]


class TrendLine(Model):
    """Means over time; one item per step in each list, null where there is nothing."""

    key: str = Field(description="Value of the split; empty where it is not known, or nothing is split.")
    n: list[int]
    mean: list[float | None]
    low: list[float | None]
    high: list[float | None]
    total: MeanEstimate = Field(description="Over the whole time range.")


class ScoreTrend(Model):
    """A score's mean over time."""

    name: str
    source: ScoreSource
    evaluator: str = Field("", description="Empty for all of the source.")
    shape: ScoreShape
    label: str = Field("", description="Of labels: whose share is shown.")
    split: SplitBy
    start: datetime
    end: datetime
    step_seconds: int
    times: list[datetime]
    lines: list[TrendLine] = Field(description="Most values first; at most 8, what is beyond is in none.")
    omitted: int = Field(0, description="Lines beyond.")
    total: MeanEstimate = Field(description="Of all lines together, over the whole time range.")


class Bin(Model):
    """A stretch of values."""

    low: float
    high: float
    count: int
    share: float = Field(description="Weighted by the chance of being scored.")


class LabelShare(Model):
    """A label."""

    label: str
    count: int
    share: float


class ScoreDistribution(Model):
    """How a score's values lie."""

    name: str
    source: ScoreSource
    shape: ScoreShape
    total: MeanEstimate
    bins: list[Bin] = Field(default_factory=list)
    labels: list[LabelShare] = Field(default_factory=list)


class ScoredExample(Model):
    """A score with the answer that it is about."""

    score_id: str
    time: datetime
    value: float | None
    label: str
    explanation: str
    source: ScoreSource
    evaluator: str
    evaluator_version: str
    trace_id: str
    span_id: str
    session_id: str
    trace_name: str = Field("", description="Name of the trace's root span; empty where the trace is not there.")
    environment: str = ""
    release: str = ""
    input_preview: str = ""
    output_preview: str = ""


class ScoredExamples(Model):
    """The worst answers first."""

    name: str
    source: ScoreSource
    order: WorstOrder
    items: list[ScoredExample]


class RaterAgreement(Model):
    """How far two raters say the same of the same answers."""

    n: int = Field(description="Answers that both rated.")
    agreed: float | None = Field(None, description="Share of them on which they agree.")
    kappa: float | None = Field(None, description="Cohen's; null where it is not defined.")
    low: float | None = Field(None, description="Lower end of its 95 % interval.")
    high: float | None = None


class JudgeHealth(Model):
    """How far one version of a judge is right."""

    name: str
    evaluator: str
    evaluator_version: str
    is_current: bool = Field(description="Whether it is the version of this evaluator that scored last.")
    shape: ScoreShape
    last_seen: datetime
    agreement: RaterAgreement = Field(description="With people.")
    gate: Gate = Field(description="held: below the limit, it raises no alerts. unknown: too few labels.")
    sentence: str = Field(description="The gate in words.")
    raw: MeanEstimate = Field(description="What the judge says.")
    people: MeanEstimate | None = Field(None, description="What people say of the answers that they labelled.")
    corrected: MeanEstimate | None = Field(
        None, description="The judge's mean corrected by people's labels; null without labels or for words."
    )
    power: float = Field(0, description="How much the corrected mean rests on the judge, 0 to 1.")
    gain: float = Field(1, description="So many times as many labels alone would be as sure.")


class Judges(Model):
    """Judges of a time range and their limits."""

    items: list[JudgeHealth]
    reviewers: dict[str, RaterAgreement] = Field(
        default_factory=dict, description="Of each score, how far two reviewers agree: no judge can be asked for more."
    )
    min_labels: int
    held_below: float
    weak_below: float
