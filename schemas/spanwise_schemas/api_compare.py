"""Comparing two sides in the API: windows, releases, prompt versions, models."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from spanwise_schemas.api import Model
from spanwise_schemas.api_correction import ScoreCorrection
from spanwise_schemas.signals import Unit

CompareBy = Literal["window", "release", "prompt", "model"]
Verdict = Literal["better", "worse", "different", "no_difference", "too_few", "not_trusted"]
"""`not_trusted`: a judge's score, and the judge agrees too little with people to prove anything."""


class Side(Model):
    """One of the two sides."""

    label: str
    start: datetime
    end: datetime
    value: str = Field("", description="The release, prompt or model; empty where windows are compared.")
    requests: int = 0
    calls: int = 0
    first_seen: datetime | None = None
    last_seen: datetime | None = None


class Compared(Model):
    """One number on both sides."""

    signal: str
    title: str
    unit: Unit
    a: float | None
    b: float | None
    n_a: int = 0
    n_b: int = 0
    difference: float | None = Field(None, description="b minus a; as a share of a where `relative`.")
    low: float | None = Field(None, description="95 % interval of it, simultaneous over all rows (Holm).")
    high: float | None = None
    relative: bool = False
    p_value: float | None = Field(None, description="Adjusted by Holm over all rows.")
    verdict: Verdict
    sentence: str = ""
    correction: ScoreCorrection | None = Field(
        None, description="Of a score that a judge gave: what people's labels did; else null."
    )


class ComparedFailure(Model):
    """An issue on both sides."""

    issue_id: str
    title: str
    failure_class: str
    count_a: int
    count_b: int
    rate_a: float = Field(description="Of the calls or requests of the side.")
    rate_b: float
    verdict: Verdict


class Comparison(Model):
    """Two sides beside each other."""

    by: CompareBy
    a: Side
    b: Side
    metrics: list[Compared]
    scores: list[Compared] = Field(default_factory=list)
    failures: list[ComparedFailure] = Field(default_factory=list)
    sentence: str = Field("", description="The outcome in one sentence.")
    notes: list[str] = Field(default_factory=list, description="What limits it: different hours, few samples, ...")


class Candidates(Model):
    """What can be compared: values of a dimension, most recent first."""

    by: CompareBy
    items: list[Side]
