"""Reading alerts for the API: lists and single ones, from their events, with what people said and what was sent."""

import base64
import binascii
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from spanwise_collector.alerts.acks import Acknowledgements
from spanwise_collector.alerts.outbox import TABLE as NOTIFICATIONS
from spanwise_collector.alerts.silences import Silences
from spanwise_collector.alerts.state import PEOPLE_SEQ, RULE_SERIES, Acknowledgement, EventBody, Silencing
from spanwise_collector.query.cursor import CursorError
from spanwise_collector.query.values import EPOCH
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_alerts import Alert, AlertDetail, AlertEvent, AlertPage, Delivery

EVENTS: Final = "alert_events"
_ENGINE: Final = f"seq < {PEOPLE_SEQ}"
_CLOSED: Final = ("inactive", "resolved")
_CURSOR: Final = struct.Struct(">BqQ")
_CURSOR_VERSION: Final = 1
_MAX_EVENTS: Final = 1_000
DELIVERY_COLUMNS: Final = (
    "key, channel, kind, toUnixTimestamp64Milli(created_at), toString(state), attempts, "
    "toUnixTimestamp64Milli(next_at), error"
)


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts.

    Attributes:
        project: whose.
        states: alternatives; empty for all but those that never fired and ended.
        rules: ids, alternatives; empty for all.
        start_us: alerts that were not over by then, microseconds since the epoch.
        end_us: alerts that had begun by then.
    """

    project: str
    states: tuple[str, ...]
    rules: tuple[str, ...]
    start_us: int
    end_us: int


class AlertReader:
    """Reads alerts.

    Args:
        reader: the store.
        silences: for until when an alert is silenced.
        acks: who took it.
        timeout_s: of each query.
    """

    def __init__(self, reader: Reader, silences: Silences, acks: Acknowledgements, *, timeout_s: float) -> None:
        self._reader = reader
        self._silences = silences
        self._acks = acks
        self._timeout_s = timeout_s

    def page(self, wanted: AlertFilter, now: datetime, *, limit: int, cursor: str = "") -> AlertPage:
        """A page of alerts, those that began last first.

        Raises:
            CursorError: the cursor is none.
            StoreError: as the store says.
        """
        keys = self._keys(wanted, limit + 1, _decode(cursor) if cursor else None)
        shown, more = keys[:limit], len(keys) > limit
        bodies = self._bodies(wanted.project, [alert_id for _, alert_id in shown])
        alerts = self._completed(wanted.project, [bodies[alert_id].alert for _, alert_id in shown], now)
        firing, pending = self._counts(wanted.project)
        return AlertPage(
            items=alerts, firing=firing, pending=pending, next_cursor=_encode(*shown[-1]) if more and shown else None
        )

    def detail(self, project: str, alert_id: int, now: datetime) -> AlertDetail | None:
        """One alert with all that is known of it; None where the project has none of this id.

        Raises:
            StoreError: as the store says.
        """
        rows = self._reader.query(
            "SELECT seq, toUnixTimestamp64Milli(ts), from_state, to_state, value, by, body "
            f"FROM {EVENTS} FINAL WHERE project_id = {{project:String}} AND alert_id = {{id:UInt64}} "
            f"ORDER BY ts, seq LIMIT {_MAX_EVENTS}",
            {"project": project, "id": alert_id},
            timeout_s=self._timeout_s,
        ).rows
        bodies = {int(row[0]): EventBody.model_validate_json(row[6]) for row in rows}
        of_engine = [seq for seq in bodies if seq < PEOPLE_SEQ]
        if not of_engine:
            return None
        last = bodies[max(of_engine)]
        # What was known when it fired; a later event knows no more than how it ended.
        told = next((bodies[seq] for seq in reversed(of_engine) if bodies[seq].band or bodies[seq].evidence), last)
        return AlertDetail(
            alert=self._completed(project, [last.alert], now)[0],
            band=told.band,
            evidence=told.evidence,
            events=[
                AlertEvent(
                    time=_time(ts),
                    from_state=before,
                    to_state=after,
                    value=value,
                    by=by,
                    note=bodies[int(seq)].note,
                )
                for seq, ts, before, after, value, by, _ in rows
            ],
            deliveries=self._deliveries(project, alert_id),
            what_changed=told.what_changed,
            filters=told.filters or last.filters,
            runbook=told.runbook or last.runbook,
        )

    def _keys(self, wanted: AlertFilter, limit: int, after: tuple[int, int] | None) -> list[tuple[int, int]]:
        """When each began, milliseconds since the epoch, and its id."""
        conditions = ["first < {end:Int64}", f"(state NOT IN {_CLOSED} OR changed >= {{start:Int64}})"]
        parameters: dict[str, Any] = {
            "project": wanted.project,
            "start": wanted.start_us // 1000,
            "end": -(-wanted.end_us // 1000),
            "states": list(wanted.states),
            "rules": list(wanted.rules),
        }
        conditions.append("state IN {states:Array(String)}" if wanted.states else "state != 'inactive'")
        if after is not None:
            conditions.append("(first, alert_id) < ({first:Int64}, {id:UInt64})")
            parameters |= {"first": after[0], "id": after[1]}
        rows = self._reader.query(
            "SELECT alert_id, toUnixTimestamp64Milli(min(ts)) AS first, argMax(to_state, seq) AS state, "
            "toUnixTimestamp64Milli(max(ts)) AS changed "
            f"FROM {EVENTS} WHERE project_id = {{project:String}} AND {_ENGINE} "
            f"{'AND rule_id IN {rules:Array(String)} ' if wanted.rules else ''}"
            f"GROUP BY alert_id HAVING {' AND '.join(conditions)} ORDER BY first DESC, alert_id DESC LIMIT {limit}",
            parameters,
            timeout_s=self._timeout_s,
        ).rows
        return [(int(first), int(alert_id)) for alert_id, first, _, _ in rows]

    def _bodies(self, project: str, alert_ids: Sequence[int]) -> dict[int, EventBody]:
        """The last event of each."""
        if not alert_ids:
            return {}
        rows = self._reader.query(
            f"SELECT alert_id, argMax(body, seq) FROM {EVENTS} "
            f"WHERE project_id = {{project:String}} AND {_ENGINE} AND alert_id IN {{ids:Array(UInt64)}} "
            "GROUP BY alert_id",
            {"project": project, "ids": list(alert_ids)},
            timeout_s=self._timeout_s,
        ).rows
        return {int(alert_id): EventBody.model_validate_json(body) for alert_id, body in rows}

    def _counts(self, project: str) -> tuple[int, int]:
        rows = self._reader.query(
            "SELECT countIf(state IN ('firing', 'recovering')), countIf(state = 'pending') FROM alert_state FINAL "
            "WHERE project_id = {project:String} AND series != {rule:String}",
            {"project": project, "rule": RULE_SERIES},
            timeout_s=self._timeout_s,
        ).rows
        return int(rows[0][0]), int(rows[0][1])

    def _completed(self, project: str, alerts: Sequence[Alert], now: datetime) -> list[Alert]:
        """With what people said since."""
        acks = self._acks.of(project, [int(alert.alert_id, 16) for alert in alerts])
        silences = self._silences.holding(project, now) if alerts else []
        return [_completed(alert, acks, silences, now) for alert in alerts]

    def _deliveries(self, project: str, alert_id: int) -> list[Delivery]:
        rows = self._reader.query(
            f"SELECT {DELIVERY_COLUMNS} FROM {NOTIFICATIONS} FINAL "
            "WHERE project_id = {project:String} AND alert_id = {id:UInt64} "
            f"ORDER BY created_at, key LIMIT {_MAX_EVENTS}",
            {"project": project, "id": alert_id},
            timeout_s=self._timeout_s,
        ).rows
        return [delivery(row) for row in rows]


def delivery(row: tuple[Any, ...]) -> Delivery:
    """A row of `DELIVERY_COLUMNS` for the API."""
    key, channel, kind, created_at, state, attempts, next_at, error = row
    is_over = state in ("sent", "given_up")
    return Delivery(
        key=key,
        channel=channel,
        kind=kind,
        created_at=_time(created_at),
        state=state,
        attempts=int(attempts),
        next_at=None if is_over else _time(next_at),
        error=error,
    )


def _completed(
    alert: Alert, acks: Mapping[int, Acknowledgement], silences: Sequence[Silencing], now: datetime
) -> Alert:
    changes: dict[str, Any] = {}
    if (ack := acks.get(int(alert.alert_id, 16))) is not None:
        changes = {"acknowledged_by": ack.by, "acknowledged_at": ack.at, "is_expected": ack.expected}
    ends = [one.ends_at for one in silences if one.covers(alert.rule_id, alert.series, now)]
    if ends and alert.state not in _CLOSED:
        changes["silenced_until"] = max(ends)
    return alert.model_copy(update=changes)


def _time(milliseconds: object) -> datetime:
    return EPOCH + timedelta(milliseconds=int(str(milliseconds)))


def _encode(first_ms: int, alert_id: int) -> str:
    return base64.urlsafe_b64encode(_CURSOR.pack(_CURSOR_VERSION, first_ms, alert_id)).decode().rstrip("=")


def _decode(text: str) -> tuple[int, int]:
    try:
        version, first_ms, alert_id = _CURSOR.unpack(
            base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        )
    except (ValueError, binascii.Error, struct.error):
        version = None
    if version != _CURSOR_VERSION or _encode(first_ms, alert_id) != text:
        raise CursorError("`cursor` is not one that this API gave out; start again without it")
    return first_ms, alert_id
