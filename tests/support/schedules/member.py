"""One collector of a schedule: the real loop with real parts, which can die at any step."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from spanwise_collector.ingest.erasure_list import StoredErasures
from spanwise_collector.ingest.errors import IngestError
from spanwise_collector.ingest.kafka_source import KafkaRejectSink, KafkaSource, ensure_topics
from spanwise_collector.ingest.landing import Lander
from spanwise_collector.ingest.loop import Loop, Mode
from spanwise_collector.ingest.pins import CommitPins, Pins, TablePins
from spanwise_collector.ingest.replayed import stored_among
from spanwise_collector.ingest.seen import stored_ids
from spanwise_collector.ingest.settings import IngestSettings
from spanwise_collector.ingest.source import RejectSink, SourceError
from spanwise_collector.ingest.steps import Step
from spanwise_collector.store.errors import StoreError
from tests.support.ingest_world import CrashError, HandExecutor
from tests.support.schedules.bench import Bench
from tests.support.schedules.wire import State, Wire

POLL_S = 0.01


class End(StrEnum):
    """Why a collector does not go on."""

    CRASHED = "crashed"
    """It is gone in the middle of a step; nobody was told."""
    STOPPED = "stopped"
    """It met an error that a person has to look at, and has closed its connections."""
    AWAY = "no start"
    """No broker answered when it started."""


@dataclass(frozen=True)
class Clocks:
    """The clocks that a collector is given; see `Loop`."""

    monotonic: Callable[[], float]
    now: Callable[[], datetime]
    version: Callable[[], int]


def same(part: Any) -> Any:
    """No exchange."""
    return part


@dataclass(frozen=True)
class Parts:
    """What a mutation exchanges."""

    pins: Callable[[Pins], Pins] = same
    store: Callable[[Any], Any] = same
    rejects: Callable[[RejectSink], RejectSink] = same
    stored_ids: bool = True


class Member:
    """A collector process, but for the process."""

    def __init__(self, bench: Bench, settings: IngestSettings, clocks: Clocks, parts: Parts) -> None:
        """Connect.

        Raises:
            TransientSourceError: the broker is away.
        """
        self._bench = bench
        self.wire: Wire = bench.wires.get(timeout=60)
        self.crash_at: Step | None = None
        self.holds_inserts = False
        self.ended: End | None = None
        self.reason = ""
        self.executor = HandExecutor()
        settings = replace(settings, kafka=replace(settings.kafka, bootstrap=self.wire.bootstrap))
        try:
            self._source = KafkaSource(settings)
            self._sink = KafkaRejectSink(settings)
        except SourceError:
            bench.wires.put(self.wire)
            raise
        store = parts.store(bench.store)
        pins: Pins = (
            CommitPins(self._source, code_version="test")
            if settings.assignment == "group"
            else TablePins(bench.store, code_version="test", version=clocks.version)
        )
        self.loop = Loop(
            settings=settings,
            source=self._source,
            pins=parts.pins(pins),
            lander=Lander(
                store,
                parts.rejects(self._sink),
                code_version="test",
                clock=clocks.monotonic,
                now=clocks.now,
                on_step=self._on_step,
            ),
            transformer=bench.transformer,
            stored_ids=stored_ids(bench.store) if parts.stored_ids else lambda *where: [],
            stored_among=stored_among(bench.store),
            erasures=StoredErasures(bench.store, clocks.monotonic),
            make_topics=lambda: ensure_topics(settings),
            executor=self.executor,
            clock=clocks.monotonic,
            now=clocks.now,
            jitter=lambda: 0.5,
            on_step=self._on_step,
        )

    def _on_step(self, step: Step) -> None:
        if self.ended is not None and step is not Step.INSERTING:
            raise CrashError("the insert was on its way when the process died")
        if step is self.crash_at:
            self.crash_at = None
            self.ended = End.CRASHED
            self.reason = step.value
            raise CrashError(step)

    def step(self, mode: Mode) -> None:
        """One step of the loop, and of its inserts unless these are held."""
        if self.ended is not None:
            return
        try:
            self.loop.step(POLL_S, mode)
            if not self.holds_inserts:
                self.executor.run()
        except CrashError:
            pass
        except (IngestError, SourceError, StoreError) as error:
            self.ended, self.reason = End.STOPPED, str(error)

    @property
    def group_state(self) -> str:
        """Where it is in its group, for messages."""
        return str(self._source._consumer.group_metadata())

    def die(self) -> None:
        """The process is gone: its connections break, and it says good-bye to nobody."""
        self.ended = self.ended or End.CRASHED
        self.wire.set(State.CUT)
        self._close_beside()

    def close(self) -> None:
        """The process ends in order."""
        self.ended = self.ended or End.STOPPED
        self._close()

    def late_inserts(self) -> None:
        """What a dead process had sent off arrives now: one insert at most."""
        self.executor.run()

    def _close_beside(self) -> None:
        threading.Thread(target=self._close, daemon=True).start()

    def _close(self) -> None:
        for part in (self._source, self._sink):
            with suppress(SourceError):  # nobody is there: as it was meant
                part.close()
        self.wire.set(State.OPEN)
        self._bench.wires.put(self.wire)
