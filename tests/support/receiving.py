"""OTLP receivers on real sockets, over Kafka or over a log in memory."""

import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from spanwise_collector.api.app import create_app
from spanwise_collector.ingest.settings import KafkaConnection
from spanwise_collector.receive.access import Doorkeeper
from spanwise_collector.receive.errors import NotTakenError
from spanwise_collector.receive.intake import RequestMasker
from spanwise_collector.receive.key_file import KeyFile, add_key
from spanwise_collector.receive.keys import new_key
from spanwise_collector.receive.limits import ReceiveLimits
from spanwise_collector.receive.producer import RecordWriter
from spanwise_collector.receive.receiver import Receiver, ReceiverSettings
from spanwise_collector.receive.signals import SIGNALS, Signal
from spanwise_collector.receive.split import Packed
from spanwise_collector.settings import Settings
from tests.support.running import eventually

KAFKA = KafkaConnection(bootstrap="127.0.0.1:1")
SETTINGS = Settings(role=frozenset({"otlp"}), clickhouse="chdb:///unused")


class MemoryLog:
    """`RecordWriter` in memory, which acknowledges when it is told to.

    Attributes:
        records: what was written, by topic.
        away: raised by the next calls, as while Kafka is away.
        held: futures of records that wait for `acknowledge`, while `holding`.
    """

    def __init__(self, partitions: int = 4) -> None:
        self._partitions = partitions
        self.records: dict[str, list[Packed]] = {}
        self.away: NotTakenError | None = None
        self.refusal: NotTakenError | None = None
        self.holding = False
        self.held: list[Future[None]] = []

    def partitions(self, topic: str) -> int:
        """See `RecordWriter.partitions`."""
        if self.away is not None:
            raise self.away
        return self._partitions

    def send(self, topic: str, records: Sequence[Packed]) -> list[Future[None]]:
        """See `RecordWriter.send`."""
        futures = []
        for record in records:
            done: Future[None] = Future()
            done.set_running_or_notify_cancel()
            futures.append(done)
            if self.refusal is not None:
                done.set_exception(self.refusal)
            elif self.holding:
                self.held.append(done)
            else:
                done.set_result(None)
                self.records.setdefault(topic, []).append(record)
        return futures

    def acknowledge(self) -> None:
        """Acknowledge all that waits, and hold no more."""
        self.holding = False
        for one in self.held:
            one.set_result(None)

    def close(self, timeout_s: float) -> None:
        """Nothing to release."""


def key_file(directory: Path, *projects: str) -> tuple[Path, str]:
    """A key file with one key for these projects, and its secret."""
    path = directory / "keys.toml"
    key, secret = new_key(
        projects=projects, scopes=["ingest"], created=datetime(2026, 11, 24, tzinfo=UTC), expires=None, note=""
    )
    add_key(path, key)
    return path, secret


@dataclass(frozen=True, slots=True)
class Receiving:
    """A receiver that listens.

    Attributes:
        url: base address of OTLP/HTTP.
        port: its port.
        grpc: `host:port` of OTLP/gRPC.
        receiver: itself.
    """

    url: str
    port: int
    grpc: str
    receiver: Receiver


@contextmanager
def receiving(
    writer: RecordWriter | None,
    *,
    kafka: KafkaConnection = KAFKA,
    signals: Sequence[Signal] = SIGNALS,
    limits: ReceiveLimits | None = None,
    keys: Path | None = None,
    masker: RequestMasker | None = None,
) -> Iterator[Receiving]:
    """A receiver on free ports, in threads of this process.

    Args:
        writer: where records go; None for Kafka.
        kafka: how to reach Kafka.
        signals: what is received, into which topics.
        limits: of size and time.
        keys: key file.
        masker: applied to every request.
    """
    receiver = Receiver(
        ReceiverSettings(kafka=kafka, signals=signals, limits=limits or ReceiveLimits(), grpc_port=0),
        Doorkeeper(KeyFile(keys, clock=lambda: 0.0).ring, lambda: datetime.now(UTC)),
        masker=masker,
        writer=writer,
    )
    app = create_app(database=None, settings=SETTINGS, receiver=receiver)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", proxy_headers=False, timeout_graceful_shutdown=5))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            eventually(lambda: True if server.started else None, what="the receiver")
            port = listener.getsockname()[1]
            yield Receiving(f"http://127.0.0.1:{port}", port, f"127.0.0.1:{receiver.grpc_port}", receiver)
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive(), "the receiver did not stop"
