"""Alerts and rules in the words of the pages. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Final

from spanwise_dashboard.components.table import Badge
from spanwise_dashboard.format import UNKNOWN, clock, duration, minute
from spanwise_dashboard.views.what_changed_rows import DIMENSIONS
from spanwise_schemas.api_alerts import Alert, AlertState
from spanwise_schemas.rules import RuleType, Severity

STATES: Final[dict[AlertState, Badge]] = {
    "firing": Badge("firing", "bad", "It is wrong now."),
    "recovering": Badge("recovering", "warn", "It looks better; the alert ends if that lasts."),
    "pending": Badge("not yet sure", "", "It looks wrong; nobody is told until that lasts."),
    "no_data": Badge("no data", "warn", "There is nothing to judge by."),
    "error": Badge("could not be checked", "bad", "The rule could not be evaluated."),
    "resolved": Badge("ended", "good", "It is as usual again."),
    "inactive": Badge("quiet", "", "Nothing is wrong."),
}
SEVERITIES: Final[dict[Severity, Badge]] = {
    "page": Badge("page", "bad", "Wakes someone."),
    "ticket": Badge("ticket", "warn", "To be looked at in working hours."),
    "info": Badge("info", "", "For the record."),
}
TYPES: Final[dict[RuleType, str]] = {
    "anomaly": "Unusual for its hour and day",
    "threshold": "Beyond a fixed limit",
    "relative": "Off the same hours of past weeks",
    "absence": "Data stays away",
    "missing_data": "Sent, and not there",
    "score_drop": "A score falls",
    "spend": "Too much is spent",
    "budget": "The month's budget will not last",
    "slo": "An objective is being missed",
    "failure": "A failure is new or spikes",
    "release_watch": "Worse after a release",
}
SOURCES: Final[dict[str, Badge]] = {
    "file": Badge("from a file", "", "Written in the file of rules that the collector reads."),
    "api": Badge("own", "", "Written here or through the API."),
    "built_in": Badge("built in", "", "Comes with Spanwise."),
}
KINDS: Final[dict[str, str]] = {
    "firing": "fires",
    "repeat": "still fires",
    "resolved": "ended",
    "acknowledged": "acknowledged",
    "no_data": "no data",
    "error": "could not be checked",
    "test": "test",
    "digest": "digest of the day",
}
"""Kinds of notifications."""
DELIVERED: Final[dict[str, Badge]] = {
    "queued": Badge("waits", ""),
    "sent": Badge("delivered", "good"),
    "failed": Badge("failed, trying again", "warn"),
    "given_up": Badge("given up", "bad"),
}
REST: Final = "(rest)"
"""Value of what is beyond the busiest series of a rule."""


def compared_with(rule_type: RuleType) -> str:
    """What a rule holds a value against: what is usual, or a limit that someone has set."""
    return "Limit" if rule_type in ("threshold", "spend", "budget", "slo") else "Usual"


def series_words(series: Mapping[str, str]) -> str:
    """A series for people: `model gpt-4o, prompt ask@v2`; empty where a rule has only one."""
    return ", ".join(
        f"{DIMENSIONS.get(name, name).lower()} {'all others' if value == REST else value or '(none)'}"
        for name, value in series.items()
    )


def sentence_case(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def lasted(start: datetime | None, end: datetime) -> str:
    """How long from start to end: `2h 10m`."""
    return UNKNOWN if start is None else duration(max(0.0, (end - start) / timedelta(milliseconds=1)))


def badges(alert: Alert, zone: tzinfo, now: datetime) -> tuple[Badge, ...]:
    """Severity, state where it is not simply firing, and what people did about it."""
    found = [SEVERITIES[alert.severity]]
    if alert.state != "firing":
        found.append(STATES[alert.state])
    if alert.is_expected:
        found.append(Badge("expected", "good", "Someone said that the change is wanted: what is usual began anew."))
    elif alert.acknowledged_at is not None:
        who = f" by {alert.acknowledged_by}" if alert.acknowledged_by else ""
        found.append(Badge(f"acknowledged{who}", "good", clock(alert.acknowledged_at, zone, now)))
    if alert.silenced_until is not None and alert.silenced_until > now:
        found.append(Badge(f"silenced until {minute(alert.silenced_until, zone, now)}", "", "Nobody is told."))
    if alert.in_history:
        found.append(Badge("found in history", "", "It was over before anyone watched; nobody was told."))
    return tuple(found)


def tone_of(alert: Alert, now: datetime) -> str:
    """How loud an alert is drawn: its severity, softer once someone took or silenced it."""
    silenced = alert.silenced_until is not None and alert.silenced_until > now
    if alert.state == "pending" or silenced or alert.acknowledged_at is not None:
        return ""
    return {"page": "bad", "ticket": "warn", "info": "info"}[alert.severity]
