"""Failures in the API: issues, which group what fails for the same reason."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from spanwise_schemas.api import Model

IssueState = Literal["open", "acknowledged", "resolved", "ignored"]
IssueOrder = Literal["last_seen", "first_seen", "count", "users", "cost"]


class Issue(Model):
    """What fails for the same reason, over a window."""

    issue_id: str = Field(description="16 hex digits.")
    failure_class: str = Field(description="rate_limit, refusal, exception, ...; docs/failures.md lists them.")
    failure_sub: str = ""
    title: str
    name: str = Field("", description="Name of the spans that fail most.")
    kind: str = ""
    state: IssueState = "open"
    reopened: bool = Field(False, description="It was resolved and has come back.")
    is_new: bool = Field(False, description="First seen in the window.")
    is_spiking: bool = Field(False, description="Far more in the window's last part than is usual for it.")
    count: int = Field(description="In the window, as are users, traces and cost.")
    traces: int = 0
    users: int = 0
    cost_nanousd: int = Field(0, description="What the failing calls cost.")
    previous_count: int = Field(0, description="In the window of equal length before.")
    first_seen: datetime
    last_seen: datetime
    trend: list[int] = Field(default_factory=list, description="Counts in equal parts of the window, oldest first.")
    releases: list[str] = Field(default_factory=list)
    models: list[str] = Field(default_factory=list)
    fingerprints: int = Field(1, description="How many are grouped in it.")
    note: str = ""
    changed_by: str = ""
    changed_at: datetime | None = None


class IssuePage(Model):
    """Issues of a window, sorted."""

    items: list[Issue]
    total: int = Field(description="Issues that match, also those beyond the limit.")
    failures: int = Field(0, description="Failures in the window over all that match.")
    spans: int = Field(0, description="Spans in the window, failed or not.")
    by_class: dict[str, int] = Field(default_factory=dict, description="Failures by class, over all states.")


class FailureExample(Model):
    """One failure."""

    trace_id: str
    span_id: str
    time: datetime
    name: str
    model: str = ""
    release: str = ""
    environment: str = ""
    user_id: str = ""
    title: str
    message: str = ""
    duration_ms: float = 0.0


class Fingerprint(Model):
    """One of the fingerprints that an issue groups."""

    fingerprint: str = Field(description="16 hex digits.")
    title: str
    count: int
    how: Literal["own", "drain", "merge", "split"] = Field("own", description="Why it is in this issue.")
    first_seen: datetime
    last_seen: datetime


class Counted(Model):
    """A value and how often."""

    value: str
    count: int


class IssueDetail(Model):
    """One issue with everything that is known of it."""

    issue: Issue
    explanation: str = Field("", description="What this class means and what usually helps.")
    times: list[datetime] = Field(default_factory=list, description="Starts of the steps of `counts`.")
    counts: list[int] = Field(default_factory=list)
    step_seconds: int = 3600
    examples: list[FailureExample] = Field(default_factory=list, description="Newest first, spread over the window.")
    fingerprints: list[Fingerprint] = Field(default_factory=list)
    by: dict[str, list[Counted]] = Field(
        default_factory=dict, description="model, release, environment, prompt, user_group, tool: the most frequent."
    )


class IssueChange(Model):
    """What a person says of an issue."""

    state: IssueState
    note: str = Field("", max_length=2000)
    by: str = Field("", max_length=200, description="Who.")


HexId = Annotated[str, Field(pattern="^[0-9a-fA-F]{1,16}$")]
"""Of an issue or a fingerprint, 16 hex digits."""


class IssueMerge(Model):
    """Issues that are one."""

    issues: list[HexId] = Field(min_length=1, max_length=100, description="Go into the issue of the path.")
    by: str = Field("", max_length=200)


class IssueSplit(Model):
    """Fingerprints that are an issue of their own."""

    fingerprints: list[HexId] = Field(min_length=1, max_length=1000)
    by: str = Field("", max_length=200)
