"""Where reading stands, and which range of offsets is being stored: a pin.

A pin [first, last] says: the rows of exactly these records may be in the tables already, all, some or none. Whoever
takes the partition over stores the same range under the same tokens before anything else.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from spanwise_collector.ingest.source import Commit, Partition, Source, SourceError
from spanwise_collector.store.database import Result

NO_PIN = -1


@dataclass(frozen=True, slots=True)
class Position:
    """Where a partition stands.

    Attributes:
        next_offset: the first offset that is not known to be stored.
        pinned_to: last offset of the batch that was begun there, or None.
        code_version: of the code that pinned or released.
        erasures: version of the list of what was erased by which the pinned batch was built.
    """

    next_offset: int
    pinned_to: int | None = None
    code_version: str = ""
    erasures: int = 0


class Pins(Protocol):
    """Keeps positions over crashes. `pin` and `release` raise `FencedError` when the partition went elsewhere."""

    def load(self, partition: Partition, topic_id: str) -> Position | None:
        """Where the partition stands; None when nothing of this topic (by its id) was ever begun."""
        ...

    def pin(self, partition: Partition, topic_id: str, first: int, last: int, erasures: int = 0) -> None:
        """From now on, [first, last] may be in the tables. Replaces an earlier pin of the partition."""
        ...

    def release(self, partition: Partition, topic_id: str, next_offset: int) -> None:
        """Everything before `next_offset` is stored."""
        ...


class CommitPins:
    """Pins in the metadata of the group's committed offsets; the commit is the fence at the same time."""

    def __init__(self, source: Source, *, code_version: str) -> None:
        self._source = source
        self._code_version = code_version
        self._broker_keeps_metadata = False

    def load(self, partition: Partition, topic_id: str) -> Position | None:
        """See `Pins.load`. An offset without our metadata (an operator's reset, say) counts for the topic as it is."""
        commit = self._source.committed(partition)
        if commit is None:
            return None
        found = parse_metadata(commit.metadata)
        if found.get("id", topic_id) != topic_id:
            return None  # committed for a topic of the same name that was deleted
        to = found.get("to")
        return Position(
            next_offset=commit.offset,
            pinned_to=to if isinstance(to, int) and to >= commit.offset else None,
            code_version=str(found.get("v", "")),
            erasures=number if isinstance(number := found.get("e"), int) else 0,
        )

    def pin(self, partition: Partition, topic_id: str, first: int, last: int, erasures: int = 0) -> None:
        """See `Pins.pin`.

        Raises:
            SourceError: the broker does not keep commit metadata, so that pins would be lost.
        """
        self._source.commit(
            partition,
            Commit(first, self._metadata({"id": topic_id, "to": last, **({"e": erasures} if erasures else {})})),
        )
        if not self._broker_keeps_metadata:
            kept = self.load(partition, topic_id)
            if kept is None or kept.pinned_to != last:
                raise SourceError(
                    "This broker does not keep the metadata of committed offsets, which exactly-once ingest in a "
                    "consumer group needs. Set SPANWISE_ASSIGNMENT=static, or use Apache Kafka."
                )
            self._broker_keeps_metadata = True

    def release(self, partition: Partition, topic_id: str, next_offset: int) -> None:
        """See `Pins.release`."""
        self._source.commit(partition, Commit(next_offset, self._metadata({"id": topic_id})))

    def _metadata(self, content: Mapping[str, object]) -> str:
        return json.dumps({**content, "v": self._code_version}, separators=(",", ":"))


def parse_metadata(metadata: str) -> Mapping[str, Any]:
    """What lies beside a committed offset; empty when it is not ours."""
    try:
        found = json.loads(metadata)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


class PinStore(Protocol):
    """What pins in a table need of the store."""

    def insert(self, table: str, rows: pa.RecordBatch, *, token: str) -> None:
        """See `Database.insert`."""
        ...

    def query(self, sql: str, parameters: Mapping[str, object] = ...) -> Result:
        """See `Database.query`."""
        ...


class TablePins:
    """Pins in the table `ingest_pins`, for static assignment: there is one writer by configuration, hence no fence."""

    def __init__(self, store: PinStore, *, code_version: str, version: Callable[[], int]) -> None:
        """Keep pins in `store`.

        Args:
            store: the database.
            code_version: noted beside each pin.
            version: a clock in nanoseconds; of two rows of a partition the later one counts.
        """
        self._store = store
        self._code_version = code_version
        self._version = version
        self._last: dict[tuple[Partition, str], int] = {}

    def load(self, partition: Partition, topic_id: str) -> Position | None:
        """See `Pins.load`."""
        found = self._store.query(
            "SELECT next_offset, pin_to, code_version, version, erasures FROM ingest_pins "
            "WHERE topic = {topic:String} AND topic_id = {topic_id:String} AND part = {part:UInt16} "
            "ORDER BY version DESC LIMIT 1",
            {"topic": partition.topic, "topic_id": topic_id, "part": partition.number},
        ).rows
        if not found:
            return None
        next_offset, pin_to, code_version, version, erasures = found[0]
        self._last[partition, topic_id] = int(version)
        return Position(int(next_offset), None if pin_to == NO_PIN else int(pin_to), str(code_version), int(erasures))

    def pin(self, partition: Partition, topic_id: str, first: int, last: int, erasures: int = 0) -> None:
        """See `Pins.pin`."""
        self._write(partition, topic_id, first, last, erasures)

    def release(self, partition: Partition, topic_id: str, next_offset: int) -> None:
        """See `Pins.release`."""
        self._write(partition, topic_id, next_offset, NO_PIN)

    def _write(self, partition: Partition, topic_id: str, next_offset: int, pin_to: int, erasures: int = 0) -> None:
        # Rises even when the machine's clock was set back.
        version = max(self._version(), self._last.get((partition, topic_id), 0) + 1)
        rows = pa.RecordBatch.from_pydict(
            {
                "topic": pa.array([partition.topic], pa.string()),
                "topic_id": pa.array([topic_id], pa.string()),
                "part": pa.array([partition.number], pa.uint16()),
                "next_offset": pa.array([next_offset], pa.uint64()),
                "pin_to": pa.array([pin_to], pa.int64()),
                "code_version": pa.array([self._code_version], pa.string()),
                "version": pa.array([version], pa.uint64()),
                "erasures": pa.array([erasures], pa.uint64()),
            }
        )
        self._store.insert("ingest_pins", rows, token=f"{topic_id}:{partition.number}:{version}:ingest_pins")
        self._last[partition, topic_id] = version


StoredUntil = Callable[[Partition, str], int | None]
"""(partition, topic id) to the last offset of it that became a batch in the ledger; None when there is none."""


class LedgerBackedPins:
    """Pins that ask the ledger where they know nothing, so that a partition is not stored from its beginning again.

    Kafka forgets the offsets of a group that was away for long (`offsets.retention.minutes`, 7 days), and another
    assignment keeps its pins elsewhere; the tables still hold what was stored.

    Args:
        pins: asked first.
        stored_until: reads the ledger.
    """

    def __init__(self, pins: Pins, stored_until: StoredUntil) -> None:
        self._pins = pins
        self._stored_until = stored_until

    def load(self, partition: Partition, topic_id: str) -> Position | None:
        """See `Pins.load`."""
        found = self._pins.load(partition, topic_id)
        if found is not None:
            return found
        last = self._stored_until(partition, topic_id)
        return None if last is None else Position(last + 1)

    def pin(self, partition: Partition, topic_id: str, first: int, last: int, erasures: int = 0) -> None:
        """See `Pins.pin`."""
        self._pins.pin(partition, topic_id, first, last, erasures)

    def release(self, partition: Partition, topic_id: str, next_offset: int) -> None:
        """See `Pins.release`."""
        self._pins.release(partition, topic_id, next_offset)


def stored_until(store: PinStore) -> StoredUntil:
    """Asks the table `ingest_ledger`."""

    def read(partition: Partition, topic_id: str) -> int | None:
        rows = store.query(
            "SELECT max(off_to) FROM ingest_ledger WHERE topic = {topic:String} AND topic_id = {topic_id:String} "
            "AND part = {part:UInt16} HAVING count() > 0",
            {"topic": partition.topic, "topic_id": topic_id, "part": partition.number},
        ).rows
        return int(rows[0][0]) if rows else None

    return read
