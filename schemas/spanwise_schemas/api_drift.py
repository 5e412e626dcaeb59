"""Drift in the API: what is different from the days before, tested as a whole so that few findings are false."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from spanwise_schemas.api import Model
from spanwise_schemas.api_alerts import Band
from spanwise_schemas.signals import Unit

FindingForm = Literal["numeric", "rate", "categorical", "volume", "score", "text"]


class ShareShift(Model):
    """A value of a category, or a cluster of texts: its share before and now."""

    value: str
    before: float
    after: float
    low: float | None = Field(None, description="95 % interval of the difference.")
    high: float | None = None


class TextCluster(Model):
    """A cluster of texts that grew, shrank or is new."""

    label: str = Field(description="Its most telling words.")
    is_new: bool = False
    before: float
    after: float
    low: float | None = None
    high: float | None = None
    examples: list[str] = Field(default_factory=list)
    trace_ids: list[str] = Field(default_factory=list, description="Of the examples, in the same order.")


class WordShift(Model):
    """A word that became more or less frequent."""

    word: str
    z: float = Field(description="Standard errors from no change; positive: more frequent.")
    before: float = Field(description="Occurrences in a thousand words.")
    after: float


class Finding(Model):
    """One thing that drifted."""

    finding_id: str
    signal: str = Field(description="Name of the signal; text_input and text_output for texts.")
    title: str
    form: FindingForm
    series: dict[str, str] = Field(default_factory=dict)
    direction: Literal["up", "down", "changed"]
    unit: Unit | Literal[""] = ""
    before: float | None = None
    after: float | None = None
    change: float | None = Field(None, description="Difference, as a share of what was before where `relative`.")
    change_low: float | None = Field(None, description="95 % interval of it.")
    change_high: float | None = None
    relative: bool = False
    began: datetime | None = None
    e_value: float = Field(0.0, description="Evidence: how many times likelier under change; see docs/drift.md.")
    p_value: float | None = Field(None, description="For texts, calibrated on the project's own days.")
    sentence: str
    explanation: str = ""
    band: Band | None = None
    shares: list[ShareShift] = Field(default_factory=list)
    clusters: list[TextCluster] = Field(default_factory=list)
    words: list[WordShift] = Field(default_factory=list)
    samples_before: int = 0
    samples_after: int = 0
    filters: dict[str, list[str]] = Field(default_factory=dict)


class Watched(Model):
    """A series that was tested and has not drifted."""

    signal: str
    title: str
    series: dict[str, str] = Field(default_factory=dict)
    value: float | None = None
    before: float | None = None
    unit: Unit | Literal[""] = ""
    verdict: Literal["usual", "too_few", "too_new"] = "usual"
    detail: str = ""


class DriftReport(Model):
    """The digest of a day."""

    project: str
    day: date
    start: datetime
    end: datetime
    findings: list[Finding]
    tested: int = Field(description="Series that were tested together.")
    false_discovery_rate: float = Field(0.05, description="Of the findings at most this share is false, on average.")
    history_days: float = Field(0.0, description="Days of data before.")
    watched: list[Watched] = Field(default_factory=list)
    texts: dict[str, str] = Field(
        default_factory=dict, description="input and output: how texts are compared, or why not."
    )
    days: list[date] = Field(default_factory=list, description="Days with a digest, newest first.")
