"""Ending alerts for another reason than their data: the rule is gone or another, or a person wants the change."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from spanwise_collector.alerts.evaluate.ledger import Known
from spanwise_collector.alerts.evaluate.walk import Happening
from spanwise_collector.alerts.lifecycle import Life, Step, ended, expected
from spanwise_collector.alerts.state import Acknowledgement

End = Callable[[Life, int], tuple[Life, list[Step]]]


def end_all(known: Known, now: datetime, note: str) -> list[Happening]:
    """End everything that is under way."""

    def end(life: Life, at: int) -> tuple[Life, list[Step]]:
        return ended(replace(life, at=at), at, note)

    return [one for series in sorted(known.standing.lives) for one in _end(known, series, now, end, {})]


def end_expected(known: Known, acknowledged: Mapping[int, Acknowledgement], now: datetime) -> list[Happening]:
    """End what people called expected."""
    found = []
    for series in sorted(known.standing.lives):
        alert = known.standing.alerts.get(series)
        ack = acknowledged.get(int(alert.alert_id, 16)) if alert else None
        if ack is not None and ack.expected:
            who = ack.by

            def end(life: Life, at: int, by: str = who) -> tuple[Life, list[Step]]:
                return expected(life, at, by)

            changes = {"is_expected": True, "acknowledged_by": ack.by, "acknowledged_at": ack.at}
            found.extend(_end(known, series, now, end, changes))
    return found


def _end(known: Known, series: str, now: datetime, end: End, said: Mapping[str, Any]) -> list[Happening]:
    """End one series; `known` goes along."""
    standing = known.standing
    life, alert = standing.lives[series], standing.alerts.get(series)
    if alert is None or life.is_closed:
        return []
    life, steps = end(life, int(now.timestamp()))
    found = []
    for step in steps:
        alert = alert.model_copy(update={"state": step.after, "since": now, "ended_at": now, **said})
        standing.lives[series], standing.alerts[series] = life, alert
        found.append(Happening(series, step, life, alert))
    return found
