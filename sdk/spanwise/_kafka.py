"""Sends records to Kafka. The only module of the SDK that knows kafka-python, which has no type information."""

import atexit
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from spanwise._carrier import Carrier
from spanwise._gate import import_gate
from spanwise._transport import Outcome, Record, Refused, Sent, TransportUnavailableError, Unsent

# Each wait of the client is short; waiting longer is the pipeline's part, which keeps its bounds meanwhile.
PROBE_TIMEOUT_S: Final = 1.0
BOOTSTRAP_TIMEOUT_MS: Final = 3_000
MAX_BLOCK_MS: Final = 3_000
REQUEST_TIMEOUT_MS: Final = 5_000
DELIVERY_TIMEOUT_MS: Final = 15_000
LINGER_MS: Final = 5  # all records of one delivery travel in one request per broker

# What the socket module needs to look a host up, and what kafka-python uses to send.
_PROBE_MODULES: Final = ("encodings.idna",)
_MODULES: Final = ("kafka", "kafka.errors", "kafka.net.compat", "kafka.producer.kafka")

_THREAD_PREFIX: Final = "spanwise-"


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaOptions:
    """How to reach the brokers.

    Attributes:
        servers: `host:port`, separated by commas.
        client_id: shows in the brokers' logs.
        security: settings under kafka-python's names.
    """

    servers: str
    client_id: str
    security: dict[str, str]


class KafkaTransport:
    """A `Transport` over kafka-python's producer, made with the first delivery and made anew after a failure."""

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._producer: Any = None
        self._carrier: Carrier | None = Carrier()

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has; connects when needed."""
        producer = self._connected()
        try:
            found = producer.partitions_for(topic)
        except Exception as error:  # every failure of the client here has one remedy: connect anew later
            self._discard()
            raise TransportUnavailableError(
                f"Kafka at {self._options.servers} does not tell about topic {topic}: {error}"
            ) from error
        if not found:
            raise TransportUnavailableError(
                f"Kafka at {self._options.servers} has no topic {topic}; the collector makes it at start"
            )
        return len(found)

    def deliver(self, records: Sequence[Record]) -> list[Outcome]:
        """Send the records and wait for the acknowledgements of all replicas."""
        producer = self._connected()
        futures: list[Any] = []
        outcomes: list[Outcome] = []
        for record in records:
            try:
                futures.append(
                    producer.send(
                        record.topic,
                        value=record.value,
                        key=record.key,
                        partition=record.partition,
                        headers=record.envelope.to_headers(),
                    )
                )
            except Exception as error:
                futures.append(error)
        for future in futures:
            try:
                if isinstance(future, Exception):
                    raise future
                future.get(timeout=(DELIVERY_TIMEOUT_MS + REQUEST_TIMEOUT_MS) / 1000)
                outcomes.append(Sent())
            except Exception as error:
                outcomes.append(_failed(error))
        # Also after a refusal: kafka-python's idempotent producer fails everything after a record that was too large.
        if not all(isinstance(outcome, Sent) for outcome in outcomes):
            self._discard()
        return outcomes

    def close(self, timeout_s: float) -> None:
        """Close the connections."""
        producer, self._producer = self._producer, None
        if producer is not None:
            _stop(producer, timeout_s)
        if self._carrier is not None:
            self._carrier.end()
            self._carrier = None

    def abandon(self) -> None:
        """Forget the producer without touching its sockets, and keep its finalizers from doing so."""
        self._carrier = None  # in a forked child its thread does not exist
        producer, self._producer = self._producer, None
        if producer is not None:
            _defuse(producer)

    def _discard(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            _stop(producer, 0)

    def _connected(self) -> Any:
        if self._producer is None:
            self._producer = _connect(self._options, self._free_carrier())
        return self._producer

    def _free_carrier(self) -> Carrier:
        """The carrier, or a new one where the sender of the producer before still holds it."""
        before = self._carrier
        if before is None or before.busy:
            self._carrier = Carrier()
            if before is not None:
                before.end()
            return self._carrier
        return before


def _connect(options: KafkaOptions, carrier: Carrier) -> Any:
    # A plain connection first: while no broker answers, the client is not even imported (20 MB, 0.2 s).
    import_gate.load(*_PROBE_MODULES)
    _probe(options.servers)
    import_gate.load(*_MODULES)
    from kafka import KafkaProducer
    from kafka.net.compat import KafkaNetClient

    _quieten()
    clients: list[Any] = []

    def make_client(**settings: Any) -> Any:
        clients.append(KafkaNetClient(**settings))
        return clients[-1]

    try:
        producer = _with_carried_sender(
            KafkaProducer,
            carrier,
            bootstrap_servers=options.servers.split(","),
            client_id=options.client_id,
            acks="all",
            enable_idempotence=True,
            compression_type="lz4",
            linger_ms=LINGER_MS,
            max_block_ms=MAX_BLOCK_MS,
            delivery_timeout_ms=DELIVERY_TIMEOUT_MS,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            bootstrap_timeout_ms=BOOTSTRAP_TIMEOUT_MS,
            reconnect_backoff_max_ms=2_000,
            metrics_enabled=False,
            kafka_client=make_client,
            **options.security,
        )
    except Exception as error:
        for client in clients:
            client.close()  # the failed constructor leaves its sockets open
        raise TransportUnavailableError(f"no Kafka broker answers at {options.servers}: {error}") from error
    _quieten()
    # It would close itself at exit before our own exit has sent what is pending.
    atexit.unregister(producer._cleanup)
    return producer


def _with_carried_sender(make: Callable[..., Any], carrier: Carrier, **settings: Any) -> Any:
    """Make a producer whose sender runs on the carrier's thread instead of starting one.

    The constructor of kafka-python's producer names the class of its sender itself, so the name is exchanged meanwhile.
    A producer that the application makes in the same moment starts its thread as ever.
    """
    import kafka.producer.kafka as module

    plain, ours = module.Sender, threading.get_ident()

    class CarriedSender(plain):  # type: ignore[misc, valid-type]
        _run: Any = None

        def start(self) -> None:
            if threading.get_ident() != ours:
                super().start()
            else:
                self._run = carrier.run(self.run)

        def is_alive(self) -> bool:
            return super().is_alive() if self._run is None else not self._run.wait(0)

        def join(self, timeout: float | None = None) -> None:
            if self._run is None:
                super().join(timeout)
            else:
                self._run.wait(timeout)

    module.Sender = CarriedSender
    try:
        return make(**settings)
    finally:
        module.Sender = plain


def _stop(producer: Any, timeout_s: float) -> None:
    from kafka.errors import KafkaError

    try:
        producer.close(timeout=timeout_s)
    except KafkaError:
        # `close` gives up when it cannot flush in time, and leaves its thread running.
        producer._sender.force_close()
        _defuse(producer)


def _defuse(producer: Any) -> None:
    """Keep `__del__` from closing the producer, which waits for up to a second and may touch a parent's sockets."""
    producer._closed = True


def _probe(servers: str) -> None:
    failure: OSError | None = None
    for server in servers.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), PROBE_TIMEOUT_S).close()
        except OSError as error:
            failure = error
        else:
            return
    raise TransportUnavailableError(f"no Kafka broker at {servers}: {failure}")


def _failed(error: Exception) -> Outcome:
    import kafka.errors as errors

    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, errors.MessageSizeTooLargeError | errors.InvalidRecordError | errors.RecordListTooLargeError):
        return Refused(detail)
    return Unsent(detail)


class _OwnThreadsFilter(logging.Filter):
    """Keeps kafka-python's log lines about our own connection out of the application's log.

    Spanwise says once, in its own words, that the receiver is away; the application's own Kafka clients log as ever.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return not (threading.current_thread().name.startswith(_THREAD_PREFIX) and record.levelno < logging.CRITICAL)


_FILTER: Final[Callable[[logging.LogRecord], bool]] = _OwnThreadsFilter().filter


def _quieten() -> None:
    # Filters are not inherited, so each of the client's loggers needs it.
    for name in list(logging.Logger.manager.loggerDict):
        if name == "kafka" or name.startswith("kafka."):
            logging.getLogger(name).addFilter(_FILTER)  # adding the same one again changes nothing
