"""What changed between two windows: which slices moved a number, by how much, with examples."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from spanwise_schemas.api import Model
from spanwise_schemas.signals import Unit


class SliceChange(Model):
    """A slice of the traffic that moved the number."""

    dims: dict[str, str] = Field(description="Dimension to value, up to three together.")
    label: str = Field(description="For people: model gpt-4.1, prompt ask@v2.")
    n_before: int
    n_after: int
    before: float | None
    after: float | None
    low: float | None = Field(None, description="95 % interval of the difference after minus before in the slice.")
    high: float | None = None
    contribution: float = Field(description="Of the total's difference, in the signal's unit.")
    share: float = Field(description="Contribution over the total's difference; may exceed 1 where others went back.")
    score: float = Field(0.0, description="Log-likelihood ratio less its penalty; what they are ranked by.")
    sentence: str = ""
    filters: dict[str, list[str]] = Field(default_factory=dict, description="For the list of its traces.")


class ValueContribution(Model):
    """What one value of a dimension adds to the total's difference."""

    value: str
    n_before: int
    n_after: int
    before: float | None
    after: float | None
    mix: float = Field(description="Because it is more or less frequent.")
    rate: float = Field(description="Because it is different in itself.")
    low: float | None = Field(None, description="95 % interval of mix plus rate.")
    high: float | None = None


class DimensionContributions(Model):
    """The total's difference by the values of one dimension; mix and rate of all add up to it."""

    dimension: str
    mix: float
    rate: float
    values: list[ValueContribution]


class Exemplar(Model):
    """A trace that shows it."""

    trace_id: str
    span_id: str = ""
    time: datetime
    name: str = ""
    preview: str = ""
    value: float | None = None
    detail: str = Field("", description="What is good or bad about it.")


class NewVersion(Model):
    """A version first seen near the change."""

    dimension: Literal["model", "prompt", "release"]
    value: str
    first_seen: datetime
    share: float = Field(description="Of the traffic after.")


class GrownFailure(Model):
    """An issue that grew."""

    issue_id: str
    title: str
    failure_class: str
    before: int
    after: int
    expected: float = Field(description="What the traffic alone would have made of it.")


class WhatChanged(Model):
    """Why a number moved between two windows."""

    project: str
    signal: str
    title: str
    unit: Unit
    before_start: datetime
    before_end: datetime
    start: datetime
    end: datetime
    n_before: int
    n_after: int
    before: float | None
    after: float | None
    difference: float | None = None
    low: float | None = Field(None, description="95 % interval of the difference.")
    high: float | None = None
    sentence: str = Field("", description="The outcome in one sentence.")
    slices: list[SliceChange] = Field(default_factory=list, description="At most five, the best first.")
    readings: list[str] = Field(
        default_factory=list, description="Other slices that describe the same change, the likeliest first."
    )
    dimensions: list[DimensionContributions] = Field(default_factory=list)
    bad: list[Exemplar] = Field(default_factory=list, description="At most five from the first slice.")
    good: list[Exemplar] = Field(default_factory=list, description="At most two beside them.")
    versions: list[NewVersion] = Field(default_factory=list)
    failures: list[GrownFailure] = Field(default_factory=list)
    filters: dict[str, list[str]] = Field(default_factory=dict, description="For the list of the traces in question.")
    notes: list[str] = Field(default_factory=list, description="What limits it.")
