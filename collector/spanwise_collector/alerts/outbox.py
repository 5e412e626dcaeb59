"""The outbox: what is to be told, on which channel, and what became of it.

One row per notice and channel, keyed `<notice key>:<channel>`, so that putting the same in twice, by one evaluator or
by two, makes one. `ReplacingMergeTree` keeps the row with the highest version; `_version` orders what may become of it:
attempts in a row, then given up, and above all sent, since who has sent it knows best. On a cluster all rows are on one
shard, so that the items of one message are one block there.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

import pyarrow as pa
from pydantic import TypeAdapter

from spanwise_collector.alerts.claims import Store
from spanwise_collector.alerts.notice import Notice
from spanwise_collector.query.values import EPOCH
from spanwise_schemas.rules import Severity

TABLE: Final = "notifications"
State = Literal["queued", "sent", "failed", "given_up"]
MAX_WAITING: Final = 5_000
"""So many that wait are looked at in one round at most, the oldest first."""
_NOTICE: Final[TypeAdapter[Notice]] = TypeAdapter(Notice)
_GIVEN_UP: Final = 1 << 40
_SENT: Final = 1 << 41
_MILLIS: Final = pa.timestamp("ms", "UTC")
_SCHEMA: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("key", pa.string()),
        ("channel", pa.string()),
        ("alert_id", pa.uint64()),
        ("kind", pa.string()),
        ("created_at", _MILLIS),
        ("state", pa.string()),
        ("attempts", pa.uint16()),
        ("next_at", _MILLIS),
        ("error", pa.string()),
        ("body", pa.string()),
        ("version", pa.uint64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Recipient:
    """A channel as far as choosing it goes.

    Attributes:
        name: of the channel.
        severities: that it takes where a rule names no channel.
        skips: kinds of notices that it has no use for.
        only: kinds that no other sort of channel gets.
    """

    name: str
    severities: frozenset[Severity]
    skips: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Item:
    """A row of the outbox.

    Attributes:
        key: of the row: `<notice key>:<channel>`.
        channel: name.
        notice: what is told.
        state: what became of it.
        attempts: how many were recorded.
        next_at: when to try (again); of what was sent or given up: when that was.
        error: of the last attempt; empty where it went well.
    """

    key: str
    channel: str
    notice: Notice
    state: State = "queued"
    attempts: int = 0
    next_at: datetime = EPOCH
    error: str = ""

    @property
    def group(self) -> tuple[str, str, str]:
        """Channel, project and rule: what is told together."""
        return self.channel, self.notice.project, self.notice.alert.rule_id if self.notice.alert else ""

    @property
    def subject(self) -> tuple[str, str]:
        """Channel and alert: what must be told in order. A notice without an alert is its own."""
        return self.channel, self.notice.alert.alert_id if self.notice.alert else self.key


def recipients(notice: Notice, channels: Iterable[Recipient]) -> list[str]:
    """Names of the channels that a notice goes to.

    Names that a rule gives are taken even where there is no such channel, so that the failure shows.
    """
    known = {channel.name: channel for channel in channels}
    special = {kind for channel in known.values() for kind in channel.only} | {"acknowledged"}
    if notice.channels:
        wanted = list(dict.fromkeys(notice.channels))
    else:
        wanted = [name for name, channel in known.items() if notice.severity in channel.severities]
    found = []
    for name in wanted:
        channel = known.get(name)
        if channel is None:
            if notice.kind not in special:
                found.append(name)
        elif notice.kind not in channel.skips and (notice.kind not in special or notice.kind in channel.only):
            found.append(name)
    return found


class Outbox:
    """Puts notices in and takes out what waits.

    Args:
        store: the database.
        channels: those that are configured now.
    """

    def __init__(self, store: Store, channels: Callable[[], Iterable[Recipient]]) -> None:
        self._store = store
        self._channels = channels

    def enqueue(self, notice: Notice) -> list[str]:
        """Put a notice in, for each channel that it goes to; what is there already stays as it is.

        Returns:
            The keys of its rows; empty where no channel takes it.

        Raises:
            StoreError: as the store says; calling again puts in what is missing.
        """
        keys = []
        for channel in recipients(notice, self._channels()):
            item = Item(f"{notice.key}:{channel}", channel, notice, next_at=notice.at)
            self._store.insert(TABLE, _rows([item]), token=f"outbox:{item.key}", one_shard=True)
            keys.append(item.key)
        return keys

    def waiting(self) -> list[Item]:
        """What is neither sent nor given up, the oldest first.

        Raises:
            StoreError: as the store says.
        """
        return self._items("state IN ('queued', 'failed') ORDER BY created_at, key", {}, MAX_WAITING)

    def sent_since(self, time: datetime) -> list[Item]:
        """What was sent since a time.

        Raises:
            StoreError: as the store says.
        """
        return self._items(
            "state = 'sent' AND next_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') ORDER BY created_at, key",
            {"since": (time - EPOCH) // timedelta(milliseconds=1)},
            MAX_WAITING,
        )

    def get(self, key: str) -> Item | None:
        """One row; None where there is none.

        Raises:
            StoreError: as the store says.
        """
        found = self._items("key = {key:String}", {"key": key}, 1)
        return found[0] if found else None

    def are_waiting(self, items: Sequence[Item]) -> bool:
        """Whether nothing became of any of these since they were read.

        Raises:
            StoreError: as the store says.
        """
        (count,) = self._store.query(
            f"SELECT count() FROM {TABLE} FINAL WHERE (key, attempts) IN {{rows:Array(Tuple(String, UInt16))}} "
            "AND state IN ('queued', 'failed')",
            {"rows": [(item.key, item.attempts) for item in items]},
        ).rows[0]
        return int(count) == len(items)

    def record(self, items: Sequence[Item], *, token: str) -> None:
        """Write what became of items that were told together; all of it lands or nothing.

        Args:
            items: with their new state.
            token: of the attempt.

        Raises:
            StoreError: as the store says.
        """
        self._store.insert(TABLE, _rows(items), token=f"record:{token}", one_shard=True)

    def _items(self, condition: str, parameters: dict[str, object], limit: int) -> list[Item]:
        rows = self._store.query(
            "SELECT key, channel, body, toString(state), attempts, toUnixTimestamp64Milli(next_at), error "
            f"FROM {TABLE} FINAL WHERE {condition} LIMIT {limit}",
            parameters,
        ).rows
        return [
            Item(
                key=key,
                channel=channel,
                notice=_NOTICE.validate_json(body),
                state=state,
                attempts=int(attempts),
                next_at=EPOCH + timedelta(milliseconds=int(next_at)),
                error=error,
            )
            for key, channel, body, state, attempts, next_at, error in rows
        ]


def _rows(items: Sequence[Item]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(
        [
            {
                "project_id": item.notice.project,
                "key": item.key,
                "channel": item.channel,
                "alert_id": int(item.notice.alert.alert_id, 16) if item.notice.alert else 0,
                "kind": item.notice.kind,
                "created_at": item.notice.at,
                "state": item.state,
                "attempts": item.attempts,
                "next_at": item.next_at,
                "error": item.error,
                "body": _NOTICE.dump_json(item.notice).decode(),
                "version": _version(item),
            }
            for item in items
        ],
        schema=_SCHEMA,
    )


def _version(item: Item) -> int:
    match item.state:
        case "sent":
            return _SENT
        case "given_up":
            return _GIVEN_UP
        case _:
            return item.attempts
