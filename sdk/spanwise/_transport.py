"""The one seam between the delivery pipeline and what carries its records: Kafka, HTTP, or a test's fake."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from spanwise_schemas.wire import Envelope


class TransportUnavailableError(RuntimeError):
    """The receiver cannot be reached or cannot take records now. Remedy: try the same records again later."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record to send.

    Attributes:
        topic: `wire.SPANS_TOPIC` or `wire.LOGS_TOPIC`.
        partition: number of the partition, as `wire.partition_for` has it.
        key: trace id of the first item.
        value: an OTLP export request, serialised, below `wire.MAX_RECORD_BYTES`.
        envelope: counts that make loss visible.
    """

    topic: str
    partition: int
    key: bytes
    value: bytes
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Sent:
    """The receiver has acknowledged the record."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The receiver will never take this record.

    Attributes:
        detail: why, for people.
    """

    detail: str


@dataclass(frozen=True, slots=True)
class Unsent:
    """The record may or may not have arrived: send it again.

    Attributes:
        detail: why, for people.
    """

    detail: str


Outcome = Sent | Refused | Unsent


class Transport(Protocol):
    """Carries records. Used by one thread, except `close` and `abandon`."""

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has, at least 1. Ends within a bounded time.

        Raises:
            TransportUnavailableError: not known now.
        """

    def deliver(self, records: Sequence[Record]) -> list[Outcome]:
        """Send records and wait for what becomes of them, within a bounded time.

        Returns:
            One outcome per record, in the same order.

        Raises:
            TransportUnavailableError: none of them was sent.
        """

    def close(self, timeout_s: float) -> None:
        """Release connections; safe when never used."""

    def abandon(self) -> None:
        """Forget connections without touching them: in a forked child they belong to the parent."""
