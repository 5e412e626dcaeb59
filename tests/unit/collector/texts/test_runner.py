"""Looking at texts on a thread: what it counts, what it survives, and that it ends."""

import time

import numpy as np
from prometheus_client import CollectorRegistry, generate_latest

from spanwise_collector.query.values import time_of
from spanwise_collector.store.database import Database
from spanwise_collector.store.errors import PermanentStoreError, TransientStoreError
from spanwise_collector.texts.runner import text_runner
from spanwise_collector.texts.worker import Round, TextWorker
from spanwise_evaluators.reading.wheels import DataFileError
from tests.unit.collector.texts.made import NOW, Sender, days_ago, usual_texts


class Ends(TextWorker):
    """Gives or raises what it is told, in turn."""

    def __init__(self, *turns: Round | Exception) -> None:
        self.turns = list(turns)

    def round(self) -> Round:
        turn = self.turns.pop(0)
        if isinstance(turn, Exception):
            raise turn
        return turn


def test_it_looks_at_texts_until_it_is_stopped(database: Database) -> None:
    """The first round begins at once; the counters go to Prometheus."""
    Sender(database).send(usual_texts(np.random.default_rng(1), 24), days_ago(1, 1 / 24))
    runner = text_runner(TextWorker(database, now=lambda: time_of(NOW)), is_leader=lambda: True, interval_s=3_600)
    runner.start()
    deadline = time.monotonic() + 60
    while runner.counts["rounds"] < 1:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    runner.stop()
    registry = CollectorRegistry()
    registry.register(runner)

    assert (24, 0, 0) == (runner.counts["texts"], runner.counts["models"], runner.counts["failures"])
    assert b"spanwise_texts_texts_total 24.0\n" in generate_latest(registry)


def test_only_the_leader_looks() -> None:
    """A collector that is not the one leaves the texts to the one that is."""
    asked: list[bool] = []

    def never() -> bool:
        asked.append(True)
        return False

    runner = text_runner(Ends(), is_leader=never, interval_s=0.001)
    runner.start()
    while len(asked) < 3:
        time.sleep(0.001)
    runner.stop()

    assert 0 == runner.counts["rounds"]


def test_failures_are_counted_and_tried_again() -> None:
    """A store that is away or refuses, and a wheel that is missing, end a round and not the thread."""
    turns: list[Round | Exception] = [
        TransientStoreError("away"),
        PermanentStoreError("no"),
        DataFileError("pip install"),
        Round(5, 1, more=True),
    ]
    runner = text_runner(Ends(*turns), is_leader=lambda: True, interval_s=0.0, clock=lambda: 0.0)

    assert [False, False, False, True] == [runner.round() for _ in range(4)]
    assert (4, 3, 5, 1) == (
        runner.counts["rounds"],
        runner.counts["failures"],
        runner.counts["texts"],
        runner.counts["models"],
    )
