"""Issues in the words of the page Failures. Pure."""

import math
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

from spanwise_dashboard.components.table import Badge
from spanwise_dashboard.failures_place import Shown
from spanwise_dashboard.format import NO_CHANGE, Change, change, clock, compact, count, percent, plural, ratio
from spanwise_schemas.api_failures import Fingerprint, Issue, IssueOrder, IssuePage, IssueState

SHOWN_LABELS: Final[dict[Shown, str]] = {
    "unresolved": "To do",
    "resolved": "Resolved",
    "ignored": "Ignored",
    "all": "All",
}
ORDER_LABELS: Final[dict[IssueOrder, str]] = {
    "count": "Most frequent",
    "last_seen": "Seen last",
    "first_seen": "Newest",
    "users": "Most users",
    "cost": "Highest cost",
}
_STATES: Final[dict[IssueState, tuple[str, str]]] = {
    "open": ("open", ""),
    "acknowledged": ("acknowledged", "good"),
    "resolved": ("resolved", "good"),
    "ignored": ("ignored", ""),
}
HOW: Final[dict[str, str]] = {
    "own": "the same error",
    "drain": "much the same words",
    "merge": "merged by a person",
    "split": "split off by a person",
}
"""Why a fingerprint is in an issue."""


def class_words(name: str) -> str:
    """A class of failure for people: `rate limit`."""
    return name.replace("_", " ").replace("json", "JSON")


def class_badge(name: str, sub: str = "") -> Badge:
    """A class of failure, with the finer class where there is one."""
    return Badge(class_words(name), "", f"{class_words(name)}: {class_words(sub)}" if sub else "")


def moved(issue: Issue) -> Change:
    """How its failures moved against the time range before; nothing where chance alone makes such a difference.

    Two Poisson counts that have one mean differ by more than twice the root of their sum in 1 of 20 cases.
    """
    now, before = issue.count, issue.previous_count
    if not before or abs(now - before) <= 2 * math.sqrt(now + before):
        return NO_CHANGE
    return change(now, before, "down")


def news(issue: Issue) -> tuple[Badge, ...]:
    """What makes an issue deserve a look."""
    found = []
    if issue.reopened:
        found.append(Badge("REOPENED", "bad", "It was resolved and has come back."))
    if issue.is_new:
        found.append(Badge("NEW", "bad", "First seen within the last day of this time range."))
    if issue.is_spiking:
        found.append(Badge("SPIKING", "bad", "Far more at the end of this time range than is usual for it."))
    return tuple(found)


def state_badge(issue: Issue, zone: tzinfo, now: datetime) -> tuple[Badge, ...]:
    """What a person said of it; nothing for what is simply open."""
    if issue.state == "open":
        return ()
    word, tone = _STATES[issue.state]
    who = f" by {issue.changed_by}" if issue.changed_by else ""
    when = clock(issue.changed_at, zone, now) if issue.changed_at else ""
    return (Badge(f"{word}{who}", tone, when),)


def said_of(issue: Issue, zone: tzinfo, now: datetime) -> str:
    """Who said what of it, and when; empty where nobody did."""
    if issue.changed_at is None:
        return ""
    word = "resolved" if issue.reopened else "opened" if issue.state == "open" else _STATES[issue.state][0]
    who = f" by {issue.changed_by}" if issue.changed_by else ""
    note = f": {issue.note}" if issue.note else "."
    return f"{word.capitalize()}{who}, {clock(issue.changed_at, zone, now)}{note}"


def several(values: Sequence[str], most: int = 2) -> str:
    """The last of several values: `2026.11.3, 2026.11.4 and 3 more`."""
    shown = list(values[-most:])
    left = len(values) - len(shown)
    return f"{', '.join(shown)}{f' and {left} more' if left else ''}"


def standing(found: IssuePage, *, whole: bool) -> str:
    """How much fails, and what is new of it.

    Args:
        found: the issues.
        whole: nothing is filtered, so that the share of all spans can be told.
    """
    new, spiking = (sum(getattr(issue, name) for issue in found.items) for name in ("is_new", "is_spiking"))
    share = ratio(found.failures, found.spans) if whole else None
    of_all = f", {percent(share)} of {compact(found.spans)} spans" if share is not None else ""
    news_ = [f"{count(number)} {word}" for number, word in ((new, "new"), (spiking, "spiking")) if number]
    tail = f" {' and '.join(news_).capitalize()}." if news_ else ""
    return f"{plural(found.failures, 'failure')} in {plural(found.total, 'issue')}{of_all}.{tail}"


def choice(issue: Issue) -> str:
    """An issue in a list to choose from."""
    return f"{_short(issue.title)} · {class_words(issue.failure_class)} · {compact(issue.count)} times"


def print_choice(one: Fingerprint) -> str:
    """A fingerprint in a list to choose from."""
    return f"{_short(one.title)} · {compact(one.count)} times"


def _short(title: str, most: int = 90) -> str:
    return title if len(title) <= most else f"{title[: most - 1]}…"
