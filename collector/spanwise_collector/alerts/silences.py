"""Silences: stretches of time in which alerts are kept but nobody is told."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pyarrow as pa

from spanwise_collector.alerts.claims import Store
from spanwise_collector.alerts.state import Silencing, series_key, series_of
from spanwise_collector.query.values import EPOCH
from spanwise_schemas.api_alerts import Silence

TABLE: Final = "silences"
SHOWN_FOR: Final = timedelta(days=7)
"""Silences that are over are listed so long."""
LONGEST: Final = timedelta(days=366)
_MILLIS: Final = pa.timestamp("ms", "UTC")
_SCHEMA: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("silence_id", pa.string()),
        ("rule_id", pa.string()),
        ("series", pa.string()),
        ("starts_at", _MILLIS),
        ("ends_at", _MILLIS),
        ("reason", pa.string()),
        ("by", pa.string()),
        ("ts", _MILLIS),
        ("version", pa.uint64()),
        ("is_deleted", pa.uint8()),
    ]
)


class SilenceError(ValueError):
    """The silence makes no sense; the message says why."""


class Silences:
    """Silences of all projects.

    Args:
        store: the database.
        now: the time of day, UTC.
        new_id: 16 hex digits that were never used before.
    """

    def __init__(self, store: Store, *, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._store = store
        self._now = now
        self._new_id = new_id

    def add(self, wanted: Silence) -> Silence:
        """Store a silence under a new id.

        Raises:
            SilenceError: it ends before it begins, is over, or longer than a year; or a time has no zone.
            StoreError: as the store says.
        """
        now = self._now()
        if wanted.starts_at.utcoffset() is None or wanted.ends_at.utcoffset() is None:
            raise SilenceError("`starts_at` and `ends_at` need a time zone, for example 2026-01-31T12:00:00Z")
        if wanted.ends_at <= wanted.starts_at:
            raise SilenceError("`ends_at` must be after `starts_at`")
        if wanted.ends_at <= now:
            raise SilenceError("`ends_at` is over already")
        if wanted.ends_at - wanted.starts_at > LONGEST:
            raise SilenceError("a silence may last a year; turn the rule off with `enabled = false` for longer")
        times = {name: getattr(wanted, name).astimezone(UTC) for name in ("starts_at", "ends_at")}
        made = wanted.model_copy(update={"silence_id": self._new_id(), **times})
        self._write(made, now, is_deleted=False)
        return made

    def end(self, project: str, silence_id: str) -> Silence | None:
        """Delete a silence; None where the project has none of this id.

        Raises:
            StoreError: as the store says.
        """
        found = self._read(project, "silence_id = {silence:String}", {"silence": silence_id})
        if not found:
            return None
        self._write(found[0], self._now(), is_deleted=True)
        return found[0]

    def shown(self, project: str) -> list[Silence]:
        """Silences that hold or will hold, and those of the last days, the latest end first.

        Raises:
            StoreError: as the store says.
        """
        since = self._now() - SHOWN_FOR
        return self._read(project, "ends_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')", {"since": _ms(since)})

    def holding(self, project: str, now: datetime) -> Sequence[Silencing]:
        """Those that hold at a time, as the engine sees them.

        Raises:
            StoreError: as the store says.
        """
        found = self._read(
            project,
            "starts_at <= fromUnixTimestamp64Milli({now:Int64}, 'UTC') "
            "AND ends_at > fromUnixTimestamp64Milli({now:Int64}, 'UTC')",
            {"now": _ms(now)},
        )
        return [Silencing(one.rule_id, one.series, one.starts_at, one.ends_at) for one in found]

    def _read(self, project: str, condition: str, parameters: dict[str, Any]) -> list[Silence]:
        rows = self._store.query(
            "SELECT silence_id, rule_id, series, toUnixTimestamp64Milli(starts_at), toUnixTimestamp64Milli(ends_at), "
            f"reason, by FROM {TABLE} FINAL WHERE project_id = {{project:String}} AND is_deleted = 0 AND {condition} "
            "ORDER BY ends_at DESC, silence_id LIMIT 1000",
            {"project": project, **parameters},
        ).rows
        return [
            Silence(
                silence_id=silence_id,
                project=project,
                rule_id=rule_id,
                series=series_of(series),
                starts_at=EPOCH + timedelta(milliseconds=int(starts_at)),
                ends_at=EPOCH + timedelta(milliseconds=int(ends_at)),
                reason=reason,
                by=by,
            )
            for silence_id, rule_id, series, starts_at, ends_at, reason, by in rows
        ]

    def _write(self, silence: Silence, now: datetime, *, is_deleted: bool) -> None:
        row = {
            "project_id": silence.project,
            "silence_id": silence.silence_id,
            "rule_id": silence.rule_id,
            "series": series_key(silence.series),
            "starts_at": silence.starts_at,
            "ends_at": silence.ends_at,
            "reason": silence.reason,
            "by": silence.by,
            "ts": now,
            "version": int(is_deleted),
            "is_deleted": int(is_deleted),
        }
        batch = pa.RecordBatch.from_pylist([row], schema=_SCHEMA)
        self._store.insert(TABLE, batch, token=f"silence:{silence.silence_id}:{int(is_deleted)}")


def _ms(time: datetime) -> int:
    return (time - EPOCH) // timedelta(milliseconds=1)
