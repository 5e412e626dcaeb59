"""`RejectLog` by kafka-python."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from kafka import KafkaProducer
from kafka import errors as kafka_errors

from spanwise_collector.ingest.kafka_ranges import KafkaRanges
from spanwise_collector.ingest.kafka_source import MAX_REJECT_BYTES, connection_options, translated
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.settings import KafkaConnection
from spanwise_collector.ingest.source import LogRange
from spanwise_collector.rejects.log import Outgoing
from spanwise_schemas.wire import REJECTS_TOPIC


class KafkaRejectLog:
    """The rejects topic of a Kafka.

    Args:
        connection: how to reach the brokers.
        topic: name of the rejects topic.
        clock: monotonic seconds.

    Raises:
        TransientSourceError: no broker answers.
        SourceError: they refuse.
    """

    def __init__(
        self,
        connection: KafkaConnection,
        topic: str = REJECTS_TOPIC,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._topic = topic
        self._clock = clock
        self._timeout_ms = int(connection.request_timeout_s * 1000)
        self._producer: Any = None
        self._ranges = KafkaRanges(connection, clock)

    @property
    def topic(self) -> str:
        """See `RejectLog.topic`."""
        return self._topic

    def ranges(self) -> Mapping[int, LogRange]:
        """See `RejectLog.ranges`."""
        return self._ranges.ranges(self._topic)

    def read(self, partition: int, first: int, end: int) -> Iterator[Record]:
        """See `RejectLog.read`."""
        return self._ranges.read(self._topic, partition, first, end)

    def write(self, records: Sequence[Outgoing]) -> list[str]:
        """See `RejectLog.write`."""
        wait_s = 2 * self._connection.request_timeout_s
        with translated("writing"):
            producer = self._connected()
            sent = [_sent(producer, record) for record in records]
            deadline = self._clock() + wait_s
            with suppress(kafka_errors.KafkaTimeoutError):  # each record says below what became of it
                producer.flush(timeout=wait_s)
            return [_outcome(one, max(0.0, deadline - self._clock())) for one in sent]

    def _connected(self) -> Any:
        if self._producer is None:
            self._producer = KafkaProducer(
                **connection_options(self._connection),
                acks="all",
                # After one record that the broker finds too large, kafka-python's idempotent producer fails for ever. A
                # retry may write a record twice; ingest drops the second.
                enable_idempotence=False,
                compression_type="lz4",
                max_request_size=MAX_REJECT_BYTES,
                max_block_ms=self._timeout_ms,
                delivery_timeout_ms=2 * self._timeout_ms,
                linger_ms=5,
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )
        return self._producer

    def close(self) -> None:
        """See `RejectLog.close`."""
        with translated("closing"):
            self._ranges.close()
            if self._producer is not None:
                self._producer.close(timeout=5)


def _sent(producer: Any, record: Outgoing) -> Any:
    try:
        return producer.send(
            record.topic,
            key=record.key,
            value=record.value,
            partition=record.partition,
            headers=list(record.headers),
            timestamp_ms=record.timestamp_ms,
        )
    except (kafka_errors.KafkaError, AssertionError, ValueError) as error:
        return error  # no such topic or partition, or the record is too large for the client


def _outcome(sent: Any, timeout_s: float) -> str:
    """Empty when the record is acknowledged, else why not."""
    if isinstance(sent, BaseException):
        return _text(sent)
    try:
        sent.get(timeout=timeout_s)
    except (kafka_errors.KafkaError, OSError) as error:
        return _text(error)
    return ""


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
