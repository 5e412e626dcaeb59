"""The value that flows through ingest: one Kafka record, in our own type."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Record:
    """One record as read from Kafka.

    Attributes:
        topic: its name.
        topic_id: the broker's UUID of the topic; a topic deleted and made again has another one.
        partition: its number.
        offset: position in the partition.
        timestamp_ms: milliseconds since the epoch, as Kafka has it.
        key: trace id, or None.
        value: OTLP protobuf, or None (a tombstone, which no producer of ours writes).
        headers: record headers in order.
    """

    topic: str
    topic_id: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
