"""Kafka topics, record headers and partitioning: what an SDK writes and a collector reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

SPANS_TOPIC: Final = "otlp_spans"
LOGS_TOPIC: Final = "otlp_logs"
REJECTS_TOPIC: Final = "spanwise_rejects"
MAX_RECORD_BYTES: Final = 1_000_000
"""A record's value stays under this, below Kafka's default `max.message.bytes` of 1,048,588."""

HEADER_PRODUCER: Final = "spanwise-producer"
HEADER_SEQ: Final = "spanwise-seq"
HEADER_SPANS: Final = "spanwise-spans"
HEADER_DROPPED: Final = "spanwise-dropped"
HEADER_PROJECT: Final = "spanwise-project"
"""UTF-8 name of the project, written by a receiver that knows it from the sender's API key."""
HEADER_REPLAYED: Final = "spanwise-replayed"
"""On a refused record that was written to its topic once more: TOPIC:PARTITION:OFFSET, in the rejects topic."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """The headers of one record, which make loss visible.

    Attributes:
        producer: 32 hex digits, one id per producing process (a forked child has its own).
        seq: rises by one per record and producer, from 0, over all topics.
        spans: how many spans (or log records) are inside.
        dropped: how many this producer has dropped since its start.
    """

    producer: str
    seq: int
    spans: int
    dropped: int

    def to_headers(self) -> list[tuple[str, bytes]]:
        """Kafka record headers."""
        return [
            (HEADER_PRODUCER, self.producer.encode()),
            (HEADER_SEQ, str(self.seq).encode()),
            (HEADER_SPANS, str(self.spans).encode()),
            (HEADER_DROPPED, str(self.dropped).encode()),
        ]

    @classmethod
    def from_headers(cls, headers: Iterable[tuple[str, bytes | None]]) -> "Envelope | None":
        """The envelope, or None when the record comes from another producer (an OpenTelemetry Collector, say)."""
        found = {key: value for key, value in headers if value is not None}
        try:
            return cls(
                producer=found[HEADER_PRODUCER].decode("ascii"),
                seq=_counter(found[HEADER_SEQ]),
                spans=_counter(found[HEADER_SPANS]),
                dropped=_counter(found[HEADER_DROPPED]),
            )
        except (KeyError, ValueError):
            return None


def _counter(text: bytes) -> int:
    value = int(text)
    if not 0 <= value < 2**63:
        raise ValueError(value)
    return value


def project_from_headers(headers: Iterable[tuple[str, bytes | None]]) -> str:
    """The project that a receiver has written on a record; it wins over what the resource says.

    Returns:
        Its name, or "" when there is none or it is not UTF-8. Of several headers the last counts.
    """
    project = ""
    for key, value in headers:
        if key == HEADER_PROJECT and value is not None:
            try:
                project = value.decode()
            except UnicodeDecodeError:
                project = ""
    return project


def is_replayed(headers: Iterable[tuple[str, bytes | None]]) -> bool:
    """Whether a record was there before, was refused, and has been written once more."""
    return any(key == HEADER_REPLAYED for key, _ in headers)


def partition_for(trace_id: bytes, partitions: int) -> int:
    """The partition that holds a trace: all its spans go to one, so that a trace is complete in one place.

    Args:
        trace_id: 16 bytes.
        partitions: how many the topic has, at least 1.

    Returns:
        The low eight bytes of the id modulo `partitions`; these are random in every version of W3C trace ids,
        and time-ordered ids (ULID-like) are random there too.
    """
    return int.from_bytes(trace_id[8:], "big") % partitions
