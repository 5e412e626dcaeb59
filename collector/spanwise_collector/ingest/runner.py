"""Ingest as a part of a service: its thread, its connections, its state."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, Protocol

import pyarrow as pa

from spanwise_collector.ingest.erasure_list import StoredErasures
from spanwise_collector.ingest.errors import IngestError
from spanwise_collector.ingest.kafka_source import KafkaRejectSink, KafkaSource, ensure_topics
from spanwise_collector.ingest.landing import Lander
from spanwise_collector.ingest.loop import Loop, Mode, Transform
from spanwise_collector.ingest.pins import CommitPins, LedgerBackedPins, PinStore, TablePins, stored_until
from spanwise_collector.ingest.replayed import stored_among
from spanwise_collector.ingest.seen import Queries, stored_ids
from spanwise_collector.ingest.settings import IngestSettings
from spanwise_collector.ingest.source import RejectSink, Source, SourceError, TransientSourceError
from spanwise_collector.ingest.status import IngestStatus
from spanwise_collector.ingest.steps import OnStep, no_step
from spanwise_collector.store.errors import StoreError

log = logging.getLogger(__name__)

STEP_TIMEOUT_S: Final = 0.1
RECONNECT_S: Final = 1.0
# An insert that was sent is waited for, within the store's own timeout.
FINISH_S: Final = 10.0


class Store(PinStore, Queries, Protocol):
    """What ingest needs of the database; `Database` fulfils it."""

    def insert(self, table: str, rows: pa.RecordBatch, *, token: str) -> None:
        """See `Database.insert`."""
        ...


@dataclass(frozen=True, slots=True)
class Connection:
    """Both directions of the log, and what makes its topics."""

    source: Source
    rejects: RejectSink
    make_topics: Callable[[], object]

    def close(self) -> None:
        """Close both; what fails is logged, since nothing depends on it."""
        for part in (self.source, self.rejects):
            try:
                part.close()
            except SourceError as error:
                log.warning("Closing the connection to Kafka: %s", error)


def connect_to_kafka(settings: IngestSettings) -> Connection:
    """Connect to Kafka and make the topics that are missing.

    Raises:
        TransientSourceError: no broker answers.
        SourceError: they refuse.
    """
    ensure_topics(settings)
    source = KafkaSource(settings)
    try:
        rejects = KafkaRejectSink(settings)
    except SourceError:
        source.close()
        raise
    return Connection(source, rejects, lambda: ensure_topics(settings))


@dataclass(frozen=True, slots=True)
class _Stop:
    drain: bool
    deadline: float


@dataclass(frozen=True, slots=True)
class _Hold:
    """Somebody wants ingest to stand still: whether it does, and whether that is over."""

    reached: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)


class IngestRunner:
    """Runs ingest on a thread of its own, from `start` to `stop` or to a failure."""

    def __init__(
        self,
        *,
        settings: IngestSettings,
        database: Store,
        transformer: Transform,
        connect: Callable[[IngestSettings], Connection] = connect_to_kafka,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        jitter: Callable[[], float] = random.random,
        on_step: OnStep = no_step,
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            settings: what to read and how.
            database: where rows go.
            transformer: makes rows of records.
            connect: connects to the log.
            clock: monotonic seconds.
            now: the time of day, UTC.
            jitter: random numbers in [0, 1), for the time between tries.
            on_step: is told of every step of a batch.
        """
        self._settings = settings
        self._database = database
        self._transformer = transformer
        self._connect = connect
        self._clock = clock
        self._now = now
        self._jitter = jitter
        self._on_step = on_step
        self._thread: threading.Thread | None = None
        self._stop: _Stop | None = None
        self._hold: _Hold | None = None
        self._wake = threading.Event()
        self._status = IngestStatus(running=False)

    def status(self) -> IngestStatus:
        """A snapshot; callable from any thread."""
        return self._status

    def start(self) -> None:
        """Begin, on a thread of its own; returns at once.

        Raises:
            RuntimeError: it was started already.
        """
        if self._thread is not None:
            raise RuntimeError("This ingest runner was started already; make a new one.")
        connecting = f"Connecting to Kafka at {self._settings.kafka.bootstrap} (SPANWISE_KAFKA)."
        self._status = IngestStatus(running=True, waiting=connecting)
        self._thread = threading.Thread(target=self._run, name="spanwise-ingest", daemon=True)
        self._thread.start()

    def stop(self, *, drain: bool, timeout_s: float) -> None:
        """Stop; safe to call when it never started, has stopped, or has failed.

        A batch whose insert was sent is finished in any case, for which some seconds are added to `timeout_s`.

        Args:
            drain: first store everything that Kafka holds now.
            timeout_s: seconds that draining may take at most.
        """
        thread = self._thread
        if thread is None:
            return
        self._stop = _Stop(drain, self._clock() + timeout_s)
        self._wake.set()
        thread.join(timeout_s + FINISH_S)
        if thread.is_alive():
            log.error(
                "Ingest did not end within %.0f s; what it was storing is recognised at the next start", timeout_s
            )

    @contextmanager
    def paused(self, timeout_s: float) -> Iterator[None]:
        """During the block nothing is stored: batches that were begun are finished and released, and none is begun.

        Records stay in Kafka meanwhile. The block has to end before the group's longest time between polls (5 min).

        Args:
            timeout_s: how long to wait for what is being stored.

        Raises:
            TimeoutError: it is still being stored; ingest goes on.
            RuntimeError: it is paused already.
        """
        if self._hold is not None:
            raise RuntimeError("Ingest is paused already.")
        hold = self._hold = _Hold()
        try:
            deadline = self._clock() + timeout_s
            while self._thread is not None and self._thread.is_alive() and not hold.reached.wait(STEP_TIMEOUT_S):
                if self._clock() > deadline:
                    raise TimeoutError(f"Ingest was still storing a batch after {timeout_s:.0f} s.")
            yield
        finally:
            self._hold = None
            hold.over.set()

    def _run(self) -> None:
        failure = ""
        try:
            self._serve()
        except (IngestError, SourceError, StoreError) as error:
            failure = str(error)
            log.error("Ingest stops: %s", failure)
        except Exception as error:  # the top of a thread: whatever it is, it is told, and the process lives on
            failure = (
                f"Ingest met an error that it does not know ({type(error).__name__}: {error}). Nothing is lost: "
                + ("what was not stored is still in Kafka. Please report it with the log.")
            )
            log.exception("Ingest stops")
        self._status = replace(self._status, running=False, waiting="", failure=failure)

    def _serve(self) -> None:
        connection = self._connected()
        if connection is None:
            return
        # One insert at a time: the engine uses its own threads inside of one.
        with ThreadPoolExecutor(1, thread_name_prefix="spanwise-insert") as executor:
            try:
                self._work(self._make_loop(connection, executor))
            finally:
                connection.close()
                executor.shutdown(wait=False, cancel_futures=True)

    def _connected(self) -> Connection | None:
        """Try until a broker answers; None when a stop comes first."""
        while self._stop is None:
            if (hold := self._hold) is not None:
                hold.reached.set()
            try:
                return self._connect(self._settings)
            except TransientSourceError as error:
                waiting = (
                    f"Kafka at {self._settings.kafka.bootstrap} does not answer. Is it running, and is SPANWISE_KAFKA "
                    f"right? Trying again. ({error})"
                )
                log.warning("%s", waiting)
                self._status = replace(self._status, waiting=waiting)
                self._wake.wait(RECONNECT_S * (0.5 + self._jitter()))
        return None

    def _make_loop(self, connection: Connection, executor: ThreadPoolExecutor) -> Loop:
        settings = self._settings
        pins = (
            CommitPins(connection.source, code_version=settings.code_version)
            if settings.assignment == "group"
            else TablePins(self._database, code_version=settings.code_version, version=time.time_ns)
        )
        lander = Lander(
            self._database,
            connection.rejects,
            code_version=settings.code_version,
            clock=self._clock,
            now=self._now,
            on_step=self._on_step,
        )
        return Loop(
            settings=settings,
            source=connection.source,
            pins=LedgerBackedPins(pins, stored_until(self._database)),
            lander=lander,
            transformer=self._transformer,
            stored_ids=stored_ids(self._database),
            stored_among=stored_among(self._database),
            erasures=StoredErasures(self._database, self._clock),
            make_topics=connection.make_topics,
            executor=executor,
            clock=self._clock,
            now=self._now,
            jitter=self._jitter,
            on_step=self._on_step,
        )

    def _work(self, loop: Loop) -> None:
        while self._stop is None:
            if (hold := self._hold) is not None:
                self._stand_still(loop, hold)
            self._step(loop, Mode.RUN)
        # A second stop may come while the first one drains, and counts instead of it.
        while self._stop.drain and self._clock() < self._stop.deadline:
            self._step(loop, Mode.FLUSH)
            with suppress(TransientSourceError):  # asked again until the deadline
                if loop.drained():
                    self._show(loop)
                    return
        deadline = self._clock() + FINISH_S
        while loop.busy and self._clock() < deadline:
            self._step(loop, Mode.FINISH)

    def _stand_still(self, loop: Loop, hold: _Hold) -> None:
        while loop.busy and not hold.over.is_set() and self._stop is None:
            self._step(loop, Mode.FINISH)
        if not loop.busy:
            hold.reached.set()
        while self._stop is None and not hold.over.wait(STEP_TIMEOUT_S):
            pass

    def _step(self, loop: Loop, mode: Mode) -> None:
        loop.step(STEP_TIMEOUT_S, mode)
        self._show(loop)

    def _show(self, loop: Loop) -> None:
        self._status = IngestStatus(
            running=True, waiting=loop.waiting, held=loop.held, partitions=loop.partitions(), counters=loop.counters
        )
