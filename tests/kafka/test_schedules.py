"""Random schedules of faults on a real broker and a real engine: whatever happens, each span is stored once.

`SPANWISE_TEST_SCHEDULES` says how many there are; `make soak` runs 5,000. They are new ones each time, save where `CI`
is set.
"""

import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import FlakyFailure
from hypothesis.stateful import run_state_machine_as_test

from spanwise_collector.ingest.loop import Mode
from tests.support.databases import EmptyDatabases
from tests.support.mutations import ForgetsThePin, NewTokens, ReleaseAtPin, no_rejects
from tests.support.schedules.audit import audit
from tests.support.schedules.bench import Bench, running_bench
from tests.support.schedules.figures import Figures
from tests.support.schedules.machine import Schedule
from tests.support.schedules.member import Parts
from tests.support.schedules.world import World

SCHEDULES = int(os.environ.get("SPANWISE_TEST_SCHEDULES", "200"))
STEPS = 8
# A mutation has to be noticed within so many schedules.
UNTIL_NOTICED = 60
MUTATIONS = {
    "commit before insert": Parts(pins=ReleaseAtPin),
    "no rewind": Parts(pins=ForgetsThePin),
    "a new token for each attempt": Parts(store=NewTokens),
    "rejects not published": Parts(rejects=no_rejects),
}


def schedules(count: int, *, derandomize: bool) -> settings:
    """Settings for so many schedules. A schedule takes seconds and its broker has a will of its own: none is shrunk."""
    return settings(
        max_examples=count,
        stateful_step_count=STEPS,
        derandomize=derandomize,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        report_multiple_bugs=False,
        database=None,
    )


def run(bench: Bench, parts: Parts, options: settings) -> None:
    """Run schedules until one fails."""
    # It takes any callable that makes a state machine.
    run_state_machine_as_test(partial(Schedule, bench, parts), settings=options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def bench(
    tmp_path_factory: pytest.TempPathFactory, chdb_directory: Path, empty_databases: EmptyDatabases
) -> Iterator[Bench]:
    """One broker and one engine for all schedules."""
    with (
        empty_databases.lend() as database,
        running_bench(tmp_path_factory.mktemp("schedules"), chdb_directory, database) as bench,
    ):
        yield bench


def test_every_span_is_stored_once_whatever_happens(bench: Bench, request: pytest.FixtureRequest) -> None:
    """Crashes at each step, a store and a network that fail in every way, rebalances, zombies, clocks, deleted records.

    At the end of each schedule every span that was sent is once in every table and roll-up, or its record is among
    the rejects, or a collector has said that Kafka deleted it unread; and the ledger adds up.
    """
    figures = bench.figures = Figures()

    try:
        run(bench, Parts(), schedules(SCHEDULES, derandomize="CI" in os.environ))
    finally:
        sys.stderr.write("\n" + figures.line(request.config.getoption("--hypothesis-seed")) + "\n")

    assert (figures.schedules >= SCHEDULES, figures.lost, figures.doubled) == (True, 0, 0)


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_schedules_notice_mutations_of_the_loop(bench: Bench, name: str) -> None:
    """Each way to get it wrong fails within a bounded number of schedules, which are the same each time."""
    with pytest.raises((AssertionError, FlakyFailure)):
        run(bench, MUTATIONS[name], schedules(UNTIL_NOTICED, derandomize=True))


def test_records_that_kafka_deleted_unread_are_named_before_any_is_passed_by(bench: Bench) -> None:
    """Ingest stops and names the offsets; told to skip them it stores what is left, once."""
    world = World(bench, "instance", Parts())
    try:
        world.send(0, ["spans", "spans"], 0)
        world.drain()
        world.kill(0, late=False)
        world.send(0, ["spans", "spans", "spans"], 0)
        world.delete_records(0)
        world.send(0, ["spans"], 0)

        world.drain()

        assert audit(world) == []
        assert world.announced == {(0, 2), (0, 3), (0, 4)}
        assert "set SPANWISE_LOST_OFFSETS=skip" in world.said[0]
    finally:
        world.close()


def test_a_late_insert_of_a_batch_of_which_kafka_deleted_the_head_stores_nothing_twice(bench: Bench) -> None:
    """A collector lives on though it was replaced, and its insert arrives when the other one has stored the rest.

    Found by the schedules: the rest of the batch was stored under a token of its own.
    """
    world = World(bench, "instance", Parts())
    try:
        world.drain()
        world.hold_inserts(0)
        world.send(1, ["spans", "spans", "spans"], 0)
        for _ in range(20):
            world.run(1, Mode.FLUSH)
        world.haunt(0)
        [ghost] = world.ghosts
        bench.delete_records(world.topic, 1, 1)
        world.deleted |= {(1, 0)}
        others = [member for member in world.members if member is not None]
        for _ in range(200):
            world.ahead_s += 1.0
            world.run(1, Mode.FLUSH)
            others = [member for member in world.members if member is not None]
            if any(state.next_offset == 3 for member in others for state in member.loop.partitions()):
                break

        ghost.late_inserts()
        world.drain()

        assert audit(world) == []
        assert world.announced == {(1, 0)}
    finally:
        world.close()
