"""What looking at rejects and replaying them needs of Kafka: the one seam between the commands and the brokers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.source import LogRange


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to be written.

    Attributes:
        topic: where to.
        partition: its number.
        key: trace id, or None.
        value: the bytes.
        headers: in order.
        timestamp_ms: milliseconds since the epoch; None for the time of writing.
    """

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    timestamp_ms: int | None


class RejectLog(Protocol):
    """The rejects topic, and a way back to the topics it came from. One thread uses it.

    Every call raises `TransientSourceError` when no broker answers in time, and `SourceError` when they refuse.
    """

    @property
    def topic(self) -> str:
        """Name of the rejects topic."""
        ...

    def ranges(self) -> Mapping[int, LogRange]:
        """What each partition of the rejects topic holds; empty when there is no such topic."""
        ...

    def read(self, partition: int, first: int, end: int) -> Iterator[Record]:
        """The records with offsets from `first` on and before `end`, offsets rising; holes are possible."""
        ...

    def write(self, records: Sequence[Outgoing]) -> list[str]:
        """Write records, and wait until each is acknowledged by all in-sync replicas or has failed.

        Returns:
            One text per record: empty when it is acknowledged, else why not.
        """
        ...

    def close(self) -> None:
        """Close the connections."""
        ...
