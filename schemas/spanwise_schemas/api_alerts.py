"""Alerts in the API: rules, where they stand, what was sent, silences."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from spanwise_schemas.api import Model
from spanwise_schemas.api_changes import WhatChanged
from spanwise_schemas.rules import RuleType, Severity
from spanwise_schemas.signals import Unit

AlertState = Literal["inactive", "pending", "firing", "recovering", "resolved", "no_data", "error"]


class Band(Model):
    """A number over time beside what is usual: what a chart of an alert draws. All lists are as long as `times`."""

    times: list[datetime]
    step_seconds: int
    values: list[float | None]
    expected: list[float | None] = Field(default_factory=list)
    low: list[float | None] = Field(default_factory=list, description="What is usual lies between low and high.")
    high: list[float | None] = Field(default_factory=list)
    threshold: float | None = None


class Alert(Model):
    """One stretch in which one series of a rule was not well."""

    alert_id: str = Field(description="16 hex digits.")
    project: str
    rule_id: str
    rule_name: str
    rule_type: RuleType
    severity: Severity
    signal: str = ""
    unit: Unit | Literal[""] = ""
    series: dict[str, str] = Field(default_factory=dict, description="Dimension to value; empty where it is not split.")
    state: AlertState
    since: datetime = Field(description="Of the state.")
    began: datetime = Field(description="When the change began, as far as it can be told.")
    fired_at: datetime | None = None
    ended_at: datetime | None = None
    sentence: str = Field(description="What is wrong, for people, with numbers.")
    value: float | None = Field(None, description="In the signal's unit, now or when it ended.")
    expected: float | None = None
    effect_low: float | None = Field(None, description="95 % interval of the difference from what is expected.")
    effect_high: float | None = None
    promise: str = Field("", description="How often such an alarm is false: `expect one such false alarm in 30 days`.")
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    is_expected: bool = Field(False, description="Acknowledged as expected: what is usual begins anew.")
    silenced_until: datetime | None = None
    in_history: bool = Field(False, description="Found when history was first read, and therefore sent to nobody.")
    top_cause: str = Field("", description="The slice that moved it most, for people; empty where none stands out.")


class AlertPage(Model):
    """Alerts, newest first."""

    items: list[Alert]
    firing: int = 0
    pending: int = 0
    next_cursor: str | None = None


class AlertEvent(Model):
    """One change of state."""

    time: datetime
    from_state: str
    to_state: str
    value: float | None = None
    by: str = ""
    note: str = ""


class Delivery(Model):
    """One notification and what became of it."""

    key: str
    channel: str
    kind: str = Field(description="firing, repeat, resolved, no_data, error, test, digest")
    created_at: datetime
    state: Literal["queued", "sent", "failed", "given_up"]
    attempts: int = 0
    next_at: datetime | None = None
    error: str = ""


class AlertDetail(Model):
    """One alert with its evidence."""

    alert: Alert
    band: Band | None = None
    evidence: dict[str, str] = Field(
        default_factory=dict, description="Label to words: samples, e-value, interval, ..."
    )
    events: list[AlertEvent] = Field(default_factory=list)
    deliveries: list[Delivery] = Field(default_factory=list)
    what_changed: WhatChanged | None = None
    filters: dict[str, list[str]] = Field(default_factory=dict, description="For the list of its traces.")
    runbook: str = ""


class Acknowledge(Model):
    """A person took an alert."""

    by: str = Field("", max_length=200)
    note: str = Field("", max_length=2000)
    expected: bool = Field(False, description="The change is wanted: end the alert and begin what is usual anew.")


class RuleInfo(Model):
    """A rule, how it stands."""

    rule: dict[str, Any] = Field(description="As written; docs/alerts.md.")
    rule_id: str
    name: str
    type: RuleType
    project: str
    severity: Severity
    source: Literal["file", "api", "built_in"]
    enabled: bool = True
    sentence: str = Field(description="What it watches, for people.")
    promise: str = ""
    series: int = 0
    firing: int = 0
    pending: int = 0
    last_evaluated: datetime | None = None
    last_fired: datetime | None = None
    problem: str = Field("", description="Why it could not be evaluated; empty where it was.")
    note: str = Field("", description="What limits it: too little history, a judge that is not trusted yet.")


class RulePage(Model):
    """All rules of a project."""

    items: list[RuleInfo]
    evaluator: str = Field("", description="Who evaluates now.")
    last_round: datetime | None = None


class RuleDraft(Model):
    """A rule to store or to try, as JSON or as TOML text."""

    rule: dict[str, Any] | None = None
    toml: str = Field("", max_length=1_000_000)
    by: str = Field("", max_length=200)


class RuleProblem(Model):
    """What is wrong with a rule."""

    rule: str = Field("", description="Its id, or its number in the file.")
    field: str = ""
    detail: str


class RuleCheck(Model):
    """Whether rules can be used."""

    rules: int
    problems: list[RuleProblem] = Field(default_factory=list)


class Firing(Model):
    """When a rule would have fired."""

    series: dict[str, str] = Field(default_factory=dict)
    pending_at: datetime | None = None
    fired_at: datetime
    ended_at: datetime | None = None
    began: datetime | None = None
    value: float | None = None
    expected: float | None = None
    sentence: str = ""


class BackTest(Model):
    """A rule on history."""

    rule_id: str
    start: datetime
    end: datetime
    series: int
    evaluations: int
    firings: list[Firing]
    firing_hours: float = 0.0
    promise: str = ""
    band: Band | None = Field(None, description="Of the series that fired first, or of the busiest.")
    note: str = Field("", description="What could not be tried, such as too little history.")


class Channel(Model):
    """Where notifications go, without its secrets."""

    name: str
    type: Literal["webhook", "slack", "pagerduty", "email", "apprise"]
    target: str = Field(description="As far as it may be shown.")
    severities: list[Severity] = Field(default_factory=list)
    last_sent: datetime | None = None
    last_error: str = ""
    queued: int = 0


class Channels(Model):
    """All channels."""

    items: list[Channel]
    deliveries: list[Delivery] = Field(default_factory=list, description="The newest 100.")


class ChannelTest(Model):
    """What became of a test notification."""

    channel: str
    delivered: bool
    detail: str = ""


class Silence(Model):
    """A stretch of time in which alerts are kept but nobody is told."""

    silence_id: str = ""
    project: str = "default"
    rule_id: str = Field("", max_length=100, description="Empty for all rules.")
    series: dict[str, str] = Field(
        default_factory=dict, description="Dimension to value, of what is silenced; all must fit."
    )
    starts_at: datetime
    ends_at: datetime
    reason: str = Field("", max_length=2000)
    by: str = Field("", max_length=200)


class Silences(Model):
    """Silences that hold or will hold, and those of the last days."""

    items: list[Silence]
