"""What ingest needs of a log such as Kafka, and nothing more.

What happens to the assignment comes back from `poll` as a value, in order with the records, so that all decisions are
taken in one place and on one thread. `kafka_source` fulfils this with kafka-python; the tests' fake does so in memory.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from spanwise_collector.ingest.records import Record


class SourceError(RuntimeError):
    """The log refuses, and waiting does not help: a person has to look (rights, configuration)."""


class TransientSourceError(SourceError):
    """The log does not answer, or is busy electing and rebalancing: the same call may succeed later."""


class MissingTopicError(TransientSourceError):
    """The topic does not exist now: it was not made yet, or it was deleted."""


class FencedError(SourceError):
    """The partition belongs to another collector by now: forget what was begun with it."""


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """A partition of a topic, by name and number."""

    topic: str
    number: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.number}]"


@dataclass(frozen=True, slots=True)
class Assigned:
    """These partitions are ours from now on. They are paused and have no position: `seek` and `resume` each."""

    partitions: tuple[Partition, ...]


@dataclass(frozen=True, slots=True)
class Revoked:
    """These partitions are not ours any more; commits for them are refused."""

    partitions: tuple[Partition, ...]


@dataclass(frozen=True, slots=True)
class Fetched:
    """Records of one partition, offsets rising, following those before."""

    partition: Partition
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class OutOfRange:
    """The position lies outside the log: records were deleted, or the topic was made anew."""

    partition: Partition


Event = Assigned | Revoked | Fetched | OutOfRange


@dataclass(frozen=True, slots=True)
class Commit:
    """A committed position: the next offset to read, and text that the broker keeps with it."""

    offset: int
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class LogRange:
    """Offsets that a partition holds: `start` is the first, `end` the one that the next record will get."""

    start: int
    end: int


class Source(Protocol):
    """Records of the assigned partitions, and where reading stands. Not thread-safe: one thread uses it.

    Every call ends within the connection's request timeout.
    """

    def poll(self, timeout_s: float) -> list[Event]:
        """What happened, in order; waits up to `timeout_s` seconds when nothing has.

        Raises:
            SourceError: reading is refused.
        """
        ...

    def seek(self, partition: Partition, offset: int) -> None:
        """Read on from `offset`; what was fetched ahead is forgotten. No effect on a partition that was lost."""
        ...

    def pause(self, partitions: Collection[Partition]) -> None:
        """Fetch no records of these; membership goes on."""
        ...

    def resume(self, partitions: Collection[Partition]) -> None:
        """Fetch records of these again."""
        ...

    def committed(self, partition: Partition) -> Commit | None:
        """The group's committed position, or None.

        Raises:
            TransientSourceError: no answer.
        """
        ...

    def commit(self, partition: Partition, commit: Commit) -> None:
        """Commit a position for the group, once.

        Raises:
            FencedError: the partition is not ours any more, and nothing was committed.
            TransientSourceError: no answer, or a rebalance is under way; it may have been committed.
        """
        ...

    def log_range(self, partition: Partition) -> LogRange:
        """First and next offset of the partition. The packaged broker may say too little of `end` before a fetch.

        Raises:
            TransientSourceError: no answer.
        """
        ...

    def end_offsets(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """The offset that the next record will get, for each partition; see `log_range`.

        Raises:
            TransientSourceError: no answer.
        """
        ...

    def topic_id(self, topic: str) -> str:
        """The topic's id as the broker has it now (never from a cache); records polled after this carry it.

        Raises:
            MissingTopicError: no such topic now.
            TransientSourceError: no answer.
        """
        ...

    def close(self) -> None:
        """Leave the group and close connections; safe to call twice."""
        ...


@dataclass(frozen=True, slots=True)
class Reject:
    """A refused record on its way to the rejects topic."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class RejectSink(Protocol):
    """Where refused records go. Thread-safe."""

    def publish(self, rejects: Sequence[Reject]) -> None:
        """Write them and return when all are acknowledged.

        Raises:
            TransientSourceError: some were not acknowledged in time; all may be published again.
        """
        ...

    def close(self) -> None:
        """Close connections; safe to call twice."""
        ...
