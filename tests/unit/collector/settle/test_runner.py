"""Settling on its thread: what it counts, what it survives, and that it ends."""

import time
from datetime import timedelta

from prometheus_client import CollectorRegistry, generate_latest

from spanwise_collector.periodic import Periodic
from spanwise_collector.settle.runner import settle_runner
from spanwise_collector.settle.settler import Settler
from spanwise_collector.store.amend import Amender
from spanwise_collector.store.database import Database
from spanwise_collector.store.errors import TransientStoreError
from tests.unit.collector.settle.test_settler import NOW, TRUTH, World, spread


def wait_for(runner: Periodic, field: str, least: int) -> None:
    """Wait until a counter has got so far."""
    deadline = time.monotonic() + 60
    while runner.counts[field] < least:
        assert time.monotonic() < deadline, runner.counts
        time.sleep(0.01)


def test_it_settles_until_it_is_stopped(database: Database) -> None:
    """It settles what comes, and at the stop what came last; the counters go to Prometheus."""
    world = World(database)
    *first, last = spread(*([number] for number in range(1, 13)))
    runner = settle_runner(world.settler(), is_leader=lambda: True, interval_s=0.01)
    for partition, sent in first:
        world.arrive(partition, sent)
    runner.start()
    wait_for(runner, "spans", 4)
    partition, sent = last
    world.arrive(partition, sent)
    runner.stop()
    registry = CollectorRegistry()
    registry.register(runner)

    assert world.totals() == TRUTH
    assert (5, 0) == (runner.counts["spans"], runner.counts["failures"])
    assert b"spanwise_settle_spans_total 5.0\n" in generate_latest(registry)


def test_only_the_leader_settles(database: Database) -> None:
    """A collector that does not read the first partition leaves it to the one that does."""
    world = World(database)
    for partition, sent in spread(*([number] for number in range(1, 13))):
        world.arrive(partition, sent)
    asked: list[bool] = []

    def never() -> bool:
        asked.append(True)
        return False

    runner = settle_runner(world.settler(), is_leader=never, interval_s=0.001)
    runner.start()
    while len(asked) < 3:
        time.sleep(0.001)
    runner.stop()

    assert 0 == runner.counts["rounds"]


def test_a_store_that_is_away(database: Database) -> None:
    """A failed round is counted and tried again, with nothing lost."""
    world = World(database)
    for partition, sent in spread(*([number] for number in range(1, 13))):
        world.arrive(partition, sent)

    class Away(Amender):
        """Cannot reach its store at first."""

        failed = False

        def resume(self) -> None:
            if not self.failed:
                self.failed = True
                raise TransientStoreError("away")
            super().resume()

    settler = Settler(
        database, Away(database, owner="test", now=lambda: NOW), window=timedelta(hours=1), now=lambda: NOW
    )
    runner = settle_runner(settler, is_leader=lambda: True, interval_s=0.0, clock=lambda: 0.0)

    assert (False, False) == (runner.round(), runner.round())
    assert (2, 1, 5) == (runner.counts["rounds"], runner.counts["failures"], runner.counts["spans"])
    assert world.totals() == TRUTH
