"""What goes with an alert: the windows to compare for its cause, the traces to look at, the words of a notification."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from spanwise_collector.alerts.notice import Notice, NoticeKind
from spanwise_collector.alerts.sentences import interval, series_words
from spanwise_collector.alerts.state import REST, EventBody
from spanwise_schemas.api_alerts import Alert
from spanwise_schemas.api_changes import WhatChanged
from spanwise_schemas.rules import Rule, Where
from spanwise_schemas.signals import SIGNALS

Explain = Callable[[Alert, Where, datetime], WhatChanged | None]
"""What changed for an alert under a rule's filter, as of a tick; see `windows_of` for the windows."""

BEFORE: Final = timedelta(days=7)
SHORTEST: Final = timedelta(hours=1)
MAX_EXAMPLES: Final = 3
_HEADS: Final[dict[str, tuple[NoticeKind, str]]] = {
    "firing": ("firing", "Firing"),
    "repeat": ("repeat", "Still firing"),
    "resolved": ("resolved", "Resolved"),
    "no_data": ("no_data", "No data"),
    "error": ("error", "Not evaluated"),
}


def windows_of(alert: Alert, at: datetime) -> tuple[datetime, datetime, datetime, datetime]:
    """What to compare for an alert's cause: start and end of the week before it began, and of the time since.

    Args:
        alert: that fires.
        at: the tick.
    """
    start = min(alert.began, at - SHORTEST)
    return start - BEFORE, start, start, at


def filters_of(alert: Alert, where: Where) -> dict[str, list[str]]:
    """Filters for the list of an alert's traces, by dimension; the status too where the alert is about errors."""
    filters = {name: list(values) for name in type(where).model_fields if (values := getattr(where, name))}
    filters |= {name: [value] for name, value in alert.series.items() if value and value != REST}
    if alert.signal in ("error_rate", "call_error_rate", "tool_error_rate"):
        filters["status"] = ["error"]
    return filters


def notice_of(
    rule: Rule | None,
    channels: tuple[str, ...],
    body: EventBody,
    seq: int,
    at: int,
    url: Callable[[Alert], str],
    *,
    repeat: int = 0,
) -> Notice | None:
    """The notification of an event; None where nobody is told.

    Args:
        rule: of the alert; None where it is gone.
        channels: of the rule, also where it is gone.
        body: of the event.
        seq: its number.
        at: its tick, seconds since the epoch.
        url: address of an alert's page.
        repeat: which repeat; 0 for the event itself.
    """
    if body.tells not in _HEADS:
        return None
    kind, head = _HEADS[body.tells]
    alert = body.alert
    key = f"{alert.alert_id}:{seq}:{kind}"
    series = series_words(alert.series)
    return Notice(
        key=f"{key}:{repeat}" if repeat else key,
        project=alert.project,
        kind=kind,
        at=datetime.fromtimestamp(at, UTC),
        severity=alert.severity,
        channels=channels,
        alert=alert,
        title=f"{head}: {alert.rule_name}{f' ({series})' if series else ''}",
        text="\n".join([*_text(alert, body.evidence, body.note, kind), *_examples(body.what_changed)]),
        url=url(alert),
        runbook=rule.runbook if rule else "",
        labels=tuple(sorted(rule.labels.items())) if rule else (),
    )


def _examples(changed: WhatChanged | None) -> list[str]:
    """Traces to open; what people and models wrote in them stays in Spanwise."""
    if changed is None or not changed.bad:
        return []
    words = (f"- {one.trace_id}: {one.detail or one.name}".removesuffix(": ") for one in changed.bad[:MAX_EXAMPLES])
    return ["Example traces:", *words]


def _text(alert: Alert, evidence: Mapping[str, str], note: str, kind: str) -> list[str]:
    lines = [alert.sentence]
    if kind == "resolved":
        lines = [f"It is over: {note}." if note else "It is over.", f"It was: {alert.sentence}"]
    elif kind == "no_data":
        lines = ["There is no data any more.", f"Before: {alert.sentence}"]
    if kind in ("firing", "repeat"):
        if alert.top_cause:
            lines.append(f"What moved it most: {alert.top_cause}.")
        if alert.effect_low is not None and alert.effect_high is not None and "Difference (95 %)" not in evidence:
            unit = SIGNALS[alert.signal].unit if alert.signal in SIGNALS else alert.unit
            lines.append(f"Difference (95 %): {interval(alert.effect_low, alert.effect_high, unit)}.")
        lines.extend(f"{label}: {words}." for label, words in evidence.items())
        if alert.promise:
            lines.append(f"{alert.promise[0].upper()}{alert.promise[1:]}.")
    return lines
