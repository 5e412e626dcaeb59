"""The receivers of one process, put together: one intake, two protocols."""

import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fastapi import APIRouter

from spanwise_collector.ingest.settings import KafkaConnection
from spanwise_collector.receive.access import Doorkeeper
from spanwise_collector.receive.admission import Admission
from spanwise_collector.receive.errors import NotTakenError
from spanwise_collector.receive.grpc_server import GrpcReceiver
from spanwise_collector.receive.http import HttpReceiver
from spanwise_collector.receive.intake import Intake, RequestMasker
from spanwise_collector.receive.limits import ReceiveLimits
from spanwise_collector.receive.meters import Meters
from spanwise_collector.receive.producer import KafkaWriter, RecordWriter
from spanwise_collector.receive.score_sender import ScoreSender
from spanwise_collector.receive.signals import LOGS, SIGNALS, Signal

THREADS = 4
"""Parsing holds the interpreter, so more would not be faster; some may wait for Kafka's client meanwhile."""
GRPC_GRACE_S = 5.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverSettings:
    """How to receive.

    Attributes:
        kafka: how to reach the brokers.
        signals: what is received, and into which topics.
        limits: of size and time.
        host: address that gRPC listens on.
        grpc_port: its TCP port; 0 takes a free one, None leaves gRPC out.
    """

    kafka: KafkaConnection
    signals: Sequence[Signal] = SIGNALS
    limits: ReceiveLimits = field(default_factory=ReceiveLimits)
    host: str = "127.0.0.1"
    grpc_port: int | None = 4317


class Receiver:
    """OTLP over HTTP and gRPC, and scores that come otherwise.

    Attributes:
        meters: what is counted.
        scores: writes scores of the API.
        grpc_port: TCP port of gRPC while it runs.
    """

    def __init__(
        self,
        settings: ReceiverSettings,
        doorkeeper: Doorkeeper,
        *,
        masker: RequestMasker | None = None,
        writer: RecordWriter | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Nothing listens yet and nothing is connected.

        Args:
            settings: how to receive.
            doorkeeper: lets senders in.
            masker: applied to every request; None for none.
            writer: where records go; None for Kafka.
            clock: seconds that never go back.
            now: current time, UTC.
        """
        self._settings = settings
        self._admission = Admission(settings.limits.in_flight_bytes)
        self.meters = Meters(lambda: self._admission.held)
        self._writer = writer or KafkaWriter(
            settings.kafka,
            producer_id=uuid.uuid4().hex,
            ack_seconds=settings.limits.ack_seconds,
            refused=lambda: self.meters.refused,
            clock=clock,
        )
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="otlp")
        self._intake = Intake(
            writer=self._writer,
            threads=self._threads,
            limits=settings.limits,
            meters=self.meters,
            masker=masker,
            clock=clock,
        )
        self._doorkeeper = doorkeeper
        self.scores = ScoreSender(
            signal=next((one for one in settings.signals if one.name == "logs"), LOGS),
            intake=self._intake,
            doorkeeper=self._doorkeeper,
            admission=self._admission,
            limits=settings.limits,
            new_id=lambda: uuid.uuid4().hex,
            now=now,
        )
        self._grpc: GrpcReceiver | None = None
        self.grpc_port: int | None = None

    def router(self) -> APIRouter:
        """The HTTP paths."""
        return HttpReceiver(
            signals=self._settings.signals,
            intake=self._intake,
            doorkeeper=self._doorkeeper,
            admission=self._admission,
            limits=self._settings.limits,
            meters=self.meters,
        ).router()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """During the block gRPC listens; at its end nothing is left running."""
        try:
            if self._settings.grpc_port is not None:
                self._grpc = GrpcReceiver(
                    signals=self._settings.signals,
                    intake=self._intake,
                    doorkeeper=self._doorkeeper,
                    admission=self._admission,
                    limits=self._settings.limits,
                    meters=self.meters,
                )
                self.grpc_port = await self._grpc.start(self._settings.host, self._settings.grpc_port)
                log.info("OTLP/gRPC is listening on %s:%s", self._settings.host, self.grpc_port)
            yield
        finally:
            self.refuse_more()
            if self._grpc is not None:
                await self._grpc.stop(GRPC_GRACE_S)
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._writer.close(0)

    def refuse_more(self) -> None:
        """Answer new requests with 503; those in flight go on."""
        self._admission.close()

    @property
    def busy(self) -> bool:
        """Whether requests are in flight."""
        return self._admission.held > 0

    def state(self) -> str:
        """`ok` when Kafka can be written to, else what is wrong and what to do."""
        try:
            for signal in self._settings.signals:
                self._writer.partitions(signal.topic)
        except NotTakenError as error:
            return error.detail
        return "ok"
