"""Acknowledgements: a person takes an alert, or calls its change expected, so that what is usual begins anew."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import pyarrow as pa

from spanwise_collector.alerts.claims import Store, take
from spanwise_collector.alerts.notice import Notice
from spanwise_collector.alerts.sentences import series_words
from spanwise_collector.alerts.state import (
    PEOPLE_SEQ,
    Acknowledgement,
    EventBody,
    Restart,
    series_key,
)
from spanwise_collector.query.values import EPOCH
from spanwise_schemas.api_alerts import Acknowledge, Alert

EVENTS: Final = "alert_events"
RESTARTS: Final = "baseline_restarts"
ACKNOWLEDGED: Final = "acknowledged"
"""State that an acknowledgement's event says; the alert's own stays what it is."""
RESTARTS_FOR: Final = timedelta(days=60)
_CLAIM_FOR: Final = timedelta(minutes=1)
_MILLIS: Final = pa.timestamp("ms", "UTC")
_EVENT: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("rule_id", pa.string()),
        ("series", pa.string()),
        ("alert_id", pa.uint64()),
        ("seq", pa.uint32()),
        ("ts", _MILLIS),
        ("from_state", pa.string()),
        ("to_state", pa.string()),
        ("value", pa.float64()),
        ("by", pa.string()),
        ("body", pa.string()),
    ]
)
_RESTART: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("rule_id", pa.string()),
        ("series", pa.string()),
        ("restart_at", _MILLIS),
        ("reason", pa.string()),
        ("by", pa.string()),
        ("ts", _MILLIS),
        ("version", pa.uint64()),
    ]
)


class Acknowledgements:
    """What people said of alerts.

    Args:
        store: the database.
        now: the time of day, UTC.
        new_id: a text that was never used before.
    """

    def __init__(self, store: Store, *, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._store = store
        self._now = now
        self._new_id = new_id

    def acknowledge(self, alert: Alert, said: Acknowledge) -> Alert:
        """Store that a person took an alert; the alert as it is then.

        Where the change is expected, the engine ends the alert at its next look.

        Raises:
            StoreError: as the store says; saying it again is harmless.
        """
        now = self._now()
        taken = alert.model_copy(
            update={"acknowledged_by": said.by, "acknowledged_at": now, "is_expected": said.expected}
        )
        if said.expected:
            self._restart(alert, said, now)
        seq = self._number(int(alert.alert_id, 16), alert.project, now)
        row = {
            "project_id": alert.project,
            "rule_id": alert.rule_id,
            "series": series_key(alert.series),
            "alert_id": int(alert.alert_id, 16),
            "seq": seq,
            "ts": now,
            "from_state": alert.state,
            "to_state": ACKNOWLEDGED,
            "value": alert.value,
            "by": said.by,
            "body": EventBody(alert=taken, note=said.note).model_dump_json(),
        }
        self._store.insert(
            EVENTS, pa.RecordBatch.from_pylist([row], schema=_EVENT), token=f"ack:{alert.alert_id}:{seq}"
        )
        return taken

    def of(self, project: str, alert_ids: Sequence[int]) -> Mapping[int, Acknowledgement]:
        """The newest acknowledgement of each of these alerts that has one.

        Raises:
            StoreError: as the store says.
        """
        if not alert_ids:
            return {}
        rows = self._store.query(
            "SELECT alert_id, argMax(by, seq), argMax(toUnixTimestamp64Milli(ts), seq), argMax(body, seq) "
            f"FROM {EVENTS} WHERE project_id = {{project:String}} AND seq >= {PEOPLE_SEQ} "
            f"AND to_state = '{ACKNOWLEDGED}' AND alert_id IN {{ids:Array(UInt64)}} GROUP BY alert_id",
            {"project": project, "ids": list(alert_ids)},
        ).rows
        found = {}
        for alert_id, by, ts, text in rows:
            body = EventBody.model_validate_json(text)
            at = EPOCH + timedelta(milliseconds=int(ts))
            found[int(alert_id)] = Acknowledgement(by, at, expected=body.alert.is_expected, note=body.note)
        return found

    def restarts(self, project: str) -> list[Restart]:
        """What people called expected in the last 60 days.

        Raises:
            StoreError: as the store says.
        """
        since = (self._now() - RESTARTS_FOR - EPOCH) // timedelta(milliseconds=1)
        rows = self._store.query(
            "SELECT rule_id, series, toUnixTimestamp64Milli(restart_at), toUnixTimestamp64Milli(ts) "
            f"FROM {RESTARTS} FINAL WHERE project_id = {{project:String}} "
            "AND ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') ORDER BY rule_id, series, restart_at",
            {"project": project, "since": since},
        ).rows
        return [
            Restart(rule_id, series, *(EPOCH + timedelta(milliseconds=int(time)) for time in (restart_at, decided_at)))
            for rule_id, series, restart_at, decided_at in rows
        ]

    def _restart(self, alert: Alert, said: Acknowledge, now: datetime) -> None:
        row = {
            "project_id": alert.project,
            "rule_id": alert.rule_id,
            "series": series_key(alert.series),
            "restart_at": alert.began,
            "reason": said.note,
            "by": said.by,
            "ts": now,
            "version": (now - EPOCH) // timedelta(milliseconds=1),
        }
        self._store.insert(
            RESTARTS,
            pa.RecordBatch.from_pylist([row], schema=_RESTART),
            token=f"restart:{alert.alert_id}:{row['version']}",
        )

    def _number(self, alert_id: int, project: str, now: datetime) -> int:
        """A number for a person's event that no other event of the alert has."""
        (last,) = self._store.query(
            f"SELECT max(seq) FROM {EVENTS} WHERE project_id = {{project:String}} AND alert_id = {{id:UInt64}}",
            {"project": project, "id": alert_id},
        ).rows[0]
        number = max(int(last), PEOPLE_SEQ) + 1
        while not take(self._store, f"ack:{alert_id}:{number}", 1, self._new_id(), until=now + _CLAIM_FOR, now=now):
            number += 1
        return number


def acknowledged_notice(alert: Alert, said: Acknowledge, channels: tuple[str, ...], at: datetime) -> Notice:
    """What pagers are told, so that nobody else is called."""
    series = series_words(alert.series)
    return Notice(
        key=f"{alert.alert_id}:acknowledged:{int(at.astimezone(UTC).timestamp() * 1000)}",
        project=alert.project,
        kind="acknowledged",
        at=at,
        severity=alert.severity,
        channels=channels,
        alert=alert,
        title=f"Acknowledged: {alert.rule_name}{f' ({series})' if series else ''}",
        text=said.note,
    )
