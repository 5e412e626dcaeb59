"""Writes records to Kafka and says when they are acknowledged. The receivers' only module that knows kafka-python.

The producer is not idempotent: after one record that a broker finds too large, kafka-python's idempotent producer
fails every later one, of all senders. Without idempotence a retry may write a record twice, and ingest drops the second
by its span ids.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, Protocol

from kafka import KafkaProducer
from kafka import errors as kafka_errors
from kafka.net.compat import KafkaNetClient

from spanwise_collector.ingest.kafka_source import connection_options, probe
from spanwise_collector.ingest.settings import KafkaConnection
from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.numbering import Numbering
from spanwise_collector.receive.split import Packed
from spanwise_schemas.wire import HEADER_PROJECT, Envelope

CONNECT_PAUSE_S: Final = 1.0
"""After a failed attempt nobody waits for another one for so long."""
MAX_BLOCK_MS: Final = 3_000
LINGER_MS: Final = 2
METADATA_AGE_MS: Final = 30_000
"""A topic that gets more partitions is noticed after so long."""
_REQUEST_SHARE: Final = 0.6
"""Of the time for an acknowledgement: after so long without an answer the client tries again."""
_TOO_LARGE: Final = (
    kafka_errors.MessageSizeTooLargeError,
    kafka_errors.InvalidRecordError,
    kafka_errors.RecordListTooLargeError,
)


class RecordWriter(Protocol):
    """Where records go. Used by several threads; every call ends within a bounded time."""

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has, at least 1.

        Raises:
            NotTakenError: not known now.
        """

    def send(self, topic: str, records: Sequence[Packed]) -> list[Future[None]]:
        """Begin to write some records.

        Returns:
            One future per record: done when all replicas have it, else with a `NotTakenError`, or with another
            exception that is a fault of ours.

        Raises:
            NotTakenError: none of them was begun.
        """

    def close(self, timeout_s: float) -> None:
        """Give up what is not acknowledged within `timeout_s`, and release the connections."""


class KafkaWriter:
    """`RecordWriter` on Kafka."""

    def __init__(
        self,
        connection: KafkaConnection,
        *,
        producer_id: str,
        ack_seconds: float,
        refused: Callable[[], int],
        clock: Callable[[], float],
    ) -> None:
        """Nothing is connected yet; the first record does it.

        Args:
            connection: how to reach the brokers.
            producer_id: 32 hex digits, one per process.
            ack_seconds: after so long without acknowledgement a record has failed.
            refused: how many items this process has refused so far, for the records' envelopes.
            clock: seconds that never go back.
        """
        self._connection = replace(connection, request_timeout_s=ack_seconds * _REQUEST_SHARE)
        self._producer_id = producer_id
        self._ack_seconds = ack_seconds
        self._refused = refused
        self._clock = clock
        self._numbering = Numbering()
        self._lock = threading.Lock()
        self._producer: Any = None
        self._closed = False
        self._failure = ""
        self._retry_at = float("-inf")

    def partitions(self, topic: str) -> int:
        """See `RecordWriter.partitions`."""
        producer = self._connected()
        with self._reported(f"it does not tell about the topic {topic}, which the role ingest makes at its start"):
            return len(producer.partitions_for(topic))

    def send(self, topic: str, records: Sequence[Packed]) -> list[Future[None]]:
        """See `RecordWriter.send`."""
        producer = self._connected()
        return [self._send_one(producer, topic, record) for record in records]

    def close(self, timeout_s: float) -> None:
        """See `RecordWriter.close`."""
        with self._lock:
            self._closed = True
            producer, self._producer = self._producer, None
        if producer is not None:
            try:
                producer.close(timeout=timeout_s)
            except kafka_errors.KafkaError:
                # `close` gives up when it cannot flush in time, and leaves its thread running.
                producer._sender.force_close()

    def _send_one(self, producer: Any, topic: str, record: Packed) -> Future[None]:
        done: Future[None] = Future()
        done.set_running_or_notify_cancel()  # who stops waiting for it must not make setting its result an error
        number = self._numbering.take()
        envelope = Envelope(self._producer_id, number, record.items, self._refused())
        headers = envelope.to_headers()
        if record.project:
            headers.append((HEADER_PROJECT, record.project.encode()))

        def failed(error: BaseException) -> None:
            self._numbering.give_back(number)
            done.set_exception(self._reason(error))

        try:
            sent = producer.send(topic, value=record.value, key=record.key, partition=record.partition, headers=headers)
        except Exception as error:
            failed(error)
        else:
            sent.add_callback(lambda _: done.set_result(None))
            sent.add_errback(failed)
        return done

    def _connected(self) -> Any:
        producer = self._producer
        if producer is not None:
            return producer
        with self._lock:
            if self._producer is None:
                self._connect()
            return self._producer

    def _connect(self) -> None:
        if self._closed:
            raise NotTakenError(Reason.AWAY, "The collector is stopping; send the request again in a moment.")
        if self._clock() < self._retry_at:
            raise NotTakenError(Reason.AWAY, self._failure)
        try:
            with self._reported("no broker answers"):
                probe(self._connection.bootstrap)
                self._producer = _producer(self._connection, self._ack_seconds)
        except NotTakenError as error:
            self._failure = error.detail
            self._retry_at = self._clock() + CONNECT_PAUSE_S
            raise

    @contextmanager
    def _reported(self, what: str) -> Iterator[None]:
        try:
            yield
        except (kafka_errors.KafkaError, OSError) as error:
            raise self._away(f"{what} ({type(error).__name__})") from error

    def _reason(self, error: BaseException) -> BaseException:
        if isinstance(error, _TOO_LARGE):
            return NotTakenError(
                Reason.TOO_LARGE,
                f"Kafka refused a record ({type(error).__name__}). Let the topic's max.message.bytes be at least "
                "1,048,588, Kafka's default.",
            )
        if isinstance(error, kafka_errors.KafkaError | OSError):
            return self._away(f"it did not acknowledge within {self._ack_seconds:g} s ({type(error).__name__})")
        return error

    def _away(self, what: str) -> NotTakenError:
        return NotTakenError(
            Reason.AWAY, f"Kafka at {self._connection.bootstrap} (SPANWISE_KAFKA) is away or slow: {what}. Send again."
        )


def _producer(connection: KafkaConnection, ack_seconds: float) -> Any:
    clients: list[Any] = []

    def make_client(**settings: Any) -> Any:
        clients.append(KafkaNetClient(**settings))
        return clients[-1]

    try:
        return KafkaProducer(
            **connection_options(connection),
            acks="all",
            enable_idempotence=False,
            compression_type="lz4",
            linger_ms=LINGER_MS,
            max_block_ms=MAX_BLOCK_MS,
            delivery_timeout_ms=int(ack_seconds * 1000),
            metadata_max_age_ms=METADATA_AGE_MS,
            allow_auto_create_topics=False,
            metrics_enabled=False,
            kafka_client=make_client,
        )
    except BaseException:
        for client in clients:
            client.close()  # the failed constructor leaves its sockets open
        raise
