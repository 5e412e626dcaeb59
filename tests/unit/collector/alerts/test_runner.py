"""Evaluating on a thread: what it counts, what it survives, and that it ends."""

import time
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest

from spanwise_collector.alerts.engine import Engine, Round
from spanwise_collector.alerts.runner import alert_runner
from spanwise_collector.periodic import Periodic
from spanwise_collector.store.database import Database
from spanwise_collector.store.errors import StoreError, TransientStoreError
from tests.unit.collector.alerts.world import DAY0, FIVE, Row, World, insert, rule

NOW = DAY0 + 4 * FIVE


def runner(engine: Engine, *, leads: bool = True) -> Periodic:
    """A runner without pauses."""
    return alert_runner(engine, is_leader=lambda: leads, interval_s=0.001, now=lambda: NOW)


def test_rounds_are_counted(database: Database) -> None:
    """What rounds did goes to Prometheus, and the thread ends when it is asked to."""
    insert(database, [Row(DAY0 + place * FIVE, n=100, errors=50) for place in range(3)])
    world = World(database, [rule(type="threshold", signal="error_rate", above=0.1, window="5m")])
    evaluated = runner(world.engine())
    evaluated.start()
    deadline = time.monotonic() + 60
    while evaluated.counts["rounds"] < 2:
        assert time.monotonic() < deadline, evaluated.counts
        time.sleep(0.001)
    evaluated.stop()
    registry = CollectorRegistry()
    registry.register(evaluated)
    counts = evaluated.counts

    names = ("rules", "series", "errors", "transitions", "notices", "failures")
    assert tuple(counts[name] for name in names) == (1, 1, 0, 3, 1, 0)
    assert b"spanwise_alerts_notices_total 1.0\n" in generate_latest(registry)
    assert not evaluated._thread.is_alive()


def test_only_the_leader_evaluates(database: Database) -> None:
    """Who is not the leader asks again and does nothing."""
    asked: list[bool] = []

    def never() -> bool:
        asked.append(True)
        return False

    waiting = alert_runner(World(database).engine(), is_leader=never, interval_s=0.001, now=lambda: NOW)
    waiting.start()
    while len(asked) < 3:
        time.sleep(0.001)
    waiting.stop()

    assert 0 == waiting.counts["rounds"]


class Failing(Engine):
    """An engine whose rounds fail one after the other."""

    def __init__(self, *failures: Exception | Round) -> None:
        self.left = list(failures)

    def round(self, now: datetime) -> Round:
        """The next failure or round."""
        one = self.left.pop(0)
        if isinstance(one, Exception):
            raise one
        return one


def test_rounds_that_fail() -> None:
    """A failed round is counted and taken again; a round that left work is followed by the next at once."""
    evaluated = runner(Failing(TransientStoreError("away"), StoreError("wrong"), Round(waiting=1), Round()))

    assert [False, False, True, False] == [evaluated.round() for _ in range(4)]
    assert (4, 2) == (evaluated.counts["rounds"], evaluated.counts["failures"])
