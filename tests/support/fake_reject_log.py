"""A rejects topic in memory: the fake behind `RejectLog`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from spanwise_collector.ingest.accounts import Rejection
from spanwise_collector.ingest.landing import to_reject
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.source import LogRange
from spanwise_collector.rejects.log import Outgoing

TOPIC = "spanwise_rejects"


@dataclass
class FakeRejectLog:
    """Partitions of the rejects topic, and what was written to other topics.

    Attributes:
        records: by partition.
        written: acknowledged records, in order.
        failing: offsets in the rejects topic whose replay is not acknowledged, and why.
        reads: partition, first and end of every read.
        chunks: sizes of the writes.
    """

    records: dict[int, list[Record]] = field(default_factory=dict)
    written: list[Outgoing] = field(default_factory=list)
    failing: dict[bytes, str] = field(default_factory=dict)
    reads: list[tuple[int, int, int]] = field(default_factory=list)
    chunks: list[int] = field(default_factory=list)
    topic: str = TOPIC

    def refuse(
        self,
        record: Record,
        reason: str = "too_old",
        *,
        detail: str = "It is old.",
        items: int = 1,
        at_ms: int = 1_000,
        partition: int = 0,
    ) -> Record:
        """What ingest does with a refused record."""
        reject = to_reject(Rejection(record, reason, detail, items), code_version="1.0")
        return self.add(reject.key, reject.value, reject.headers, at_ms=at_ms, partition=partition)

    def add(
        self,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]],
        *,
        at_ms: int = 1_000,
        partition: int = 0,
    ) -> Record:
        """Write any record to the rejects topic."""
        lying = self.records.setdefault(partition, [])
        lying.append(Record(TOPIC, "", partition, len(lying), at_ms, key, value, tuple(headers)))
        return lying[-1]

    def ranges(self) -> Mapping[int, LogRange]:
        """See `RejectLog`."""
        return {partition: LogRange(0, len(lying)) for partition, lying in self.records.items()}

    def read(self, partition: int, first: int, end: int) -> Iterator[Record]:
        """See `RejectLog`."""
        self.reads.append((partition, first, end))
        yield from self.records[partition][first:end]

    def write(self, records: Sequence[Outgoing]) -> list[str]:
        """See `RejectLog`."""
        self.chunks.append(len(records))
        said = [self.failing.get(one.value, "") for one in records]
        self.written += [one for one, why in zip(records, said, strict=True) if not why]
        return said

    def close(self) -> None:
        """See `RejectLog`."""
