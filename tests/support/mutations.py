"""Ways to get the loop's guarantee wrong: tests must notice each of them."""

from typing import Any

import pyarrow as pa

from spanwise_collector.ingest.pins import Pins, Position
from spanwise_collector.ingest.source import Partition, Reject, RejectSink


class ReleaseAtPin:
    """Commits before the insert."""

    def __init__(self, pins: Pins) -> None:
        self._pins = pins

    def load(self, partition: Partition, topic_id: str) -> Position | None:
        """As before."""
        return self._pins.load(partition, topic_id)

    def pin(self, partition: Partition, topic_id: str, first: int, last: int, erasures: int = 0) -> None:
        """Says too early that everything is stored."""
        self._pins.release(partition, topic_id, last + 1)

    def release(self, partition: Partition, topic_id: str, next_offset: int) -> None:
        """As before."""
        self._pins.release(partition, topic_id, next_offset)


class ForgetsThePin(ReleaseAtPin):
    """Reads on behind a pinned batch instead of storing it again."""

    def load(self, partition: Partition, topic_id: str) -> Position | None:
        """Without the rewind."""
        found = self._pins.load(partition, topic_id)
        if found is None or found.pinned_to is None:
            return found
        return Position(found.pinned_to + 1)

    def pin(self, partition: Partition, topic_id: str, first: int, last: int, erasures: int = 0) -> None:
        """As before."""
        self._pins.pin(partition, topic_id, first, last)


class OtherBorders(ForgetsThePin):
    """Reads again from the pin on, but not in the same batches."""

    def load(self, partition: Partition, topic_id: str) -> Position | None:
        """Without the end of the pinned batch."""
        found = self._pins.load(partition, topic_id)
        return found and Position(found.next_offset)


class LastInsteadOfNext(ForgetsThePin):
    """Releases the offset of the last record instead of the one after it."""

    def load(self, partition: Partition, topic_id: str) -> Position | None:
        """As before."""
        return self._pins.load(partition, topic_id)

    def release(self, partition: Partition, topic_id: str, next_offset: int) -> None:
        """One too few."""
        self._pins.release(partition, topic_id, next_offset - 1)


class NoRejects:
    """Publishes nothing."""

    def publish(self, rejects: list[Reject]) -> None:
        """Drops them."""

    def close(self) -> None:
        """Nothing to close."""


class NewTokens:
    """Inserts under a token of its own each time."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._count = 0

    def insert(self, table: str, rows: pa.RecordBatch, *, token: str) -> None:
        """With a number behind the token."""
        self._count += 1
        self._store.insert(table, rows, token=f"{token}:{id(self)}:{self._count}")


def no_rejects(sink: RejectSink) -> RejectSink:
    """Exchange the sink."""
    return NoRejects()  # type: ignore[return-value]
