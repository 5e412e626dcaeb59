"""The runner: its thread, its states, how it stops."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from spanwise_collector.ingest.runner import Connection, IngestRunner
from spanwise_collector.ingest.settings import IngestSettings, KafkaConnection
from spanwise_collector.ingest.source import SourceError, TransientSourceError
from spanwise_collector.ingest.status import IngestStatus
from spanwise_collector.store.database import Result
from spanwise_collector.store.errors import StoreError
from tests.support.fake_log import FakeLog, FakeRejects, FakeSource
from tests.support.ingest_world import TOPIC, Bytes, Store

PATIENCE_S = 30.0
SETTINGS = IngestSettings(
    kafka=KafkaConnection(bootstrap="kafka.example:9092"),
    code_version="test",
    topics=(TOPIC,),
    rejects_topic=TOPIC,
    batch_seconds=0.01,
    check_seconds=0.05,
)


class QueriedStore(Store):
    """The store with its filter behind SQL: empty at the start of every test."""

    def query(self, sql: str, parameters: Mapping[str, object] = {}) -> Result:
        """Nothing stored yet."""
        return Result((), [])


@dataclass
class Setup:
    """A runner on a fake log."""

    log: FakeLog = field(default_factory=FakeLog)
    store: QueriedStore = field(default_factory=QueriedStore)
    refusals: list[SourceError] = field(default_factory=list)

    def connect(self, settings: IngestSettings) -> Connection:
        """Connect to the fake, unless something is to be raised first."""
        if self.refusals:
            raise self.refusals.pop(0)
        if TOPIC not in self.log.topics:
            self.log.create(TOPIC)
        return Connection(
            FakeSource(self.log, [TOPIC], group="g"), FakeRejects(self.log), lambda: self.log.create(TOPIC)
        )

    def runner(self) -> IngestRunner:
        """Not started."""
        return IngestRunner(
            settings=SETTINGS, database=self.store, transformer=Bytes(), connect=self.connect, jitter=lambda: 0.0
        )


def wait(runner: IngestRunner, reached: Callable[[IngestStatus], bool]) -> IngestStatus:
    """The first status that satisfies a condition."""
    deadline = time.monotonic() + PATIENCE_S
    while not reached(runner.status()):
        assert time.monotonic() < deadline, runner.status()
        time.sleep(0.005)
    return runner.status()


def test_it_stores_and_drains() -> None:
    """Before the start it does not run; while it runs it is ready; a drain stores what is in the log, and ends it."""
    setup = Setup()
    runner = setup.runner()
    before = runner.status()
    runner.start()
    running = wait(runner, lambda status: bool(status.partitions))
    for span in range(1, 30):
        setup.log.append(TOPIC, bytes([span]))

    runner.stop(drain=True, timeout_s=PATIENCE_S)

    after = runner.status()
    assert (before, running.ready) == (IngestStatus(running=False), True)
    assert (after.running, after.failure, after.lag, after.counters.spans) == (False, "", 0, 29)
    assert setup.store.spans().total() == 29


def test_a_broker_that_is_away_is_waited_for() -> None:
    """The status names the address and the setting until somebody answers."""
    setup = Setup()
    away = threading.Event()
    answers = setup.connect

    def connect(settings: IngestSettings) -> Connection:
        if not away.is_set():
            raise TransientSourceError("connection refused")
        return answers(settings)

    setup.connect = connect  # type: ignore[method-assign]
    runner = setup.runner()
    runner.start()

    waiting = wait(runner, lambda status: "does not answer" in status.waiting)
    away.set()
    ready = wait(runner, lambda status: status.ready)
    runner.stop(drain=False, timeout_s=PATIENCE_S)

    assert (waiting.ready, waiting.waiting) == (
        False,
        "Kafka at kafka.example:9092 does not answer. Is it running, and is SPANWISE_KAFKA right? Trying again. "
        "(connection refused)",
    )
    assert ready.running


def test_a_refusal_ends_it_with_the_reason() -> None:
    """What waiting cannot mend is not tried again."""
    setup = Setup(refusals=[SourceError("Kafka refused: not authorized")])
    runner = setup.runner()

    runner.start()
    status = wait(runner, lambda status: not status.running)
    runner.stop(drain=True, timeout_s=1)

    assert (status.failure, status.ready) == ("Kafka refused: not authorized", False)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (StoreError("no rights"), "no rights"),
        (ZeroDivisionError("a bug"), "Ingest met an error that it does not know (ZeroDivisionError: a bug)."),
    ],
)
def test_an_error_in_the_store_ends_it_and_loses_nothing(error: Exception, reason: str) -> None:
    """The pin stays, so that the next runner stores the batch."""
    setup = Setup()
    insert = setup.store.insert

    def refuse(*args: object, **kwargs: object) -> None:
        raise error

    setup.store.insert = refuse  # type: ignore[method-assign]
    failing = setup.runner()
    failing.start()
    wait(failing, lambda status: bool(status.partitions))
    setup.log.append(TOPIC, bytes([1]))
    failed = wait(failing, lambda status: not status.running)

    setup.store.insert = insert  # type: ignore[method-assign]
    next_one = setup.runner()
    next_one.start()
    stored = wait(next_one, lambda status: status.counters.spans == 1)
    next_one.stop(drain=True, timeout_s=PATIENCE_S)

    assert failed.failure.startswith(reason)
    assert (stored.counters.redone, setup.store.spans()) == (1, {1: 1})


def test_a_missing_topic_is_made_again() -> None:
    """When somebody deletes it while ingest runs, it says so and makes it."""
    setup = Setup()
    runner = setup.runner()
    runner.start()
    wait(runner, lambda status: bool(status.partitions))

    setup.log.delete(TOPIC)
    wait(runner, lambda status: TOPIC in setup.log.topics)
    setup.log.append(TOPIC, bytes([1]))
    stored = wait(runner, lambda status: status.counters.spans == 1)
    runner.stop(drain=True, timeout_s=PATIENCE_S)

    assert stored.failure == ""


def test_it_is_started_once_and_stopped_any_time() -> None:
    """A stop without a start, and a second stop, do nothing; a second start is a mistake of the caller."""
    runner = Setup().runner()
    runner.stop(drain=True, timeout_s=1)
    runner.start()
    with pytest.raises(RuntimeError):
        runner.start()

    runner.stop(drain=False, timeout_s=PATIENCE_S)
    runner.stop(drain=False, timeout_s=PATIENCE_S)

    assert not runner.status().running
