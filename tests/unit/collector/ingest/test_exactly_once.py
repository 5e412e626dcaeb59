"""Every span exactly once, whatever happens: a property of the loop, and proof that the property can fail."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanwise_collector.ingest.errors import IngestError
from spanwise_collector.ingest.ledger import LEDGER_TABLE
from spanwise_collector.ingest.loop import REFUSED_BATCHES_MAX
from spanwise_collector.ingest.source import Partition
from spanwise_collector.ingest.steps import Step
from tests.support.ingest_world import TOPIC, WINDOW, Parts, World
from tests.support.mutations import (
    ForgetsThePin,
    LastInsteadOfNext,
    NewTokens,
    OtherBorders,
    ReleaseAtPin,
    no_rejects,
)

KINDS = st.lists(st.sampled_from(["new", "new", "new", "repeat", "bad", "poison"]), max_size=4)
WHO = st.integers(0, 1)
ACTIONS = st.one_of(
    st.tuples(st.just("produce"), st.integers(0, 1), KINDS),
    st.tuples(st.just("produce"), st.integers(0, 1), KINDS),
    st.tuples(st.just("replay"), st.integers(0, 1), st.integers(0, 30)),
    st.tuples(st.just("step"), WHO),
    st.tuples(st.just("step"), WHO),
    st.tuples(st.just("insert"), WHO),
    st.tuples(st.just("insert"), WHO),
    st.tuples(st.just("wait"), st.sampled_from([0.05, 1.0, 6.0])),
    st.tuples(st.just("crash at"), WHO, st.sampled_from(list(Step))),
    st.tuples(st.just("expel at"), WHO, st.sampled_from(list(Step))),
    st.tuples(st.just("restart"), WHO),
    st.tuples(st.just("zombie"), WHO),
    st.tuples(st.just("refuse"), st.sampled_from(["before", "after"])),
    st.tuples(
        st.just("lose"),
        st.sampled_from(["commit", "committed already", "publish", "published already", "topic_id", "log_range"]),
    ),
)
SCRIPTS = st.lists(ACTIONS, max_size=40)


def act(world: World, action: tuple[Any, ...]) -> None:
    """Do one thing to the world."""
    match action:
        case ("produce", partition, kinds):
            world.produce(partition, kinds)
        case ("replay", partition, back):
            world.replay(partition, back)
        case ("wait", seconds):
            world.now += seconds
        case ("refuse", when):
            getattr(world.store, when).append("the store is busy")
        case ("lose", call):
            world.commit_faults.append(call)
        case ("crash at", who, step):
            world.collectors[who].crash_at[:] = [step]
        case ("expel at", who, step):
            world.collectors[who].expel_at[:] = [step]
        case (what, who):
            {"step": world.step, "insert": world.insert, "restart": world.restart, "zombie": world.zombie}[what](who)


def wrong(script: Sequence[tuple[Any, ...]], parts: Parts | None = None) -> list[str]:
    """What is wrong during and after a script."""
    world = World(parts)
    for action in script:
        act(world, action)
        early = world.covered_too_early()
        if early:
            return early
    world.heal()
    return world.wrong_at_the_end()


@given(SCRIPTS)
@settings(max_examples=400, deadline=None)
def test_every_span_is_stored_exactly_once(script: list[tuple[Any, ...]]) -> None:
    """Bad records, replays, refused inserts, lost answers, crashes, zombies: each span is in each table once.

    No committed offset covers a record of which something has not landed, and the ledger adds up.
    """
    assert wrong(script) == []


NEW = ("produce", 0, ["new"])
READ = [("step", 0), ("step", 0), ("wait", 1.0)]
STORE = [("step", 0), ("insert", 0), ("step", 0)]
MUTATIONS: dict[str, tuple[Parts, list[tuple[Any, ...]]]] = {
    "commit before insert": (Parts(pins=ReleaseAtPin), [NEW, *READ, ("step", 0)]),
    "no rewind": (Parts(pins=ForgetsThePin), [NEW, *READ, ("crash at", 0, Step.PINNED), ("step", 0)]),
    "other batch borders after a crash": (
        Parts(pins=OtherBorders),
        [NEW, NEW, *READ, ("step", 0), NEW, ("crash at", 0, Step.INSERTED), ("insert", 0), ("step", 0)],
    ),
    "wrong offset": (Parts(pins=LastInsteadOfNext), [NEW, NEW, *READ, *STORE, ("restart", 0)]),
    "rejects not published": (Parts(rejects=no_rejects), [("produce", 0, ["bad"]), *READ, *STORE]),
    "a new token for each attempt": (Parts(store=NewTokens), [NEW, ("refuse", "after"), *READ, *STORE]),
    "duplicate filter not read back": (
        Parts(stored_ids=False),
        [NEW, *READ, *STORE, ("restart", 0), ("produce", 0, ["repeat"])],
    ),
    "replayed records compared with the window alone": (
        Parts(stored_among=False),
        [NEW, *[("produce", 0, ["bad"])] * 2 * WINDOW, ("replay", 0, 2 * WINDOW)],
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_property_catches_mutations_of_the_loop(name: str) -> None:
    """For each way to get it wrong there is a script on which the property fails, and holds for the loop as it is."""
    parts, script = MUTATIONS[name]

    assert (wrong(script) == [], wrong(script, parts) == []) == (True, False)


def test_a_zombie_cannot_pin() -> None:
    """A collector that was thrown out while it built a batch is refused at the pin, and has inserted nothing."""
    world = World(collectors=1)
    world.produce(0, ["new"])
    for action in READ:
        act(world, action)
    world.collectors[0].expel_at.append(Step.BUILT)

    world.step(0)
    world.insert(0)

    counters = world.collectors[0].loop.counters
    assert (counters.fenced, world.log.groups["g"].committed, world.store.rows) == (1, {}, {})


def test_a_refused_row_costs_only_itself() -> None:
    """Of a batch in which the store refuses one row, all others are stored, and its record is among the rejects."""
    world = World(collectors=1, partitions=1)
    world.produce(0, ["new", "new"])
    world.produce(0, ["new", "poison", "new"])
    world.produce(0, ["new"])

    world.heal()

    counters = world.collectors[0].loop.counters
    assert world.wrong_at_the_end() == []
    assert (counters.spans, counters.rejected, [reject.value for reject in world.log.rejects]) == (
        5,
        1,
        [world.log.topics[TOPIC].partitions[0][1].value],
    )


def test_ingest_stops_when_the_store_takes_nothing() -> None:
    """Refusals without end are a fault of the schema: the topic is not drained into the rejects."""
    world = World(collectors=1, partitions=1)
    for _ in range(REFUSED_BATCHES_MAX):
        world.produce(0, ["poison"])

    with pytest.raises(IngestError, match="schema_migrations"):
        world.heal()


def test_a_topic_made_anew_starts_at_its_beginning() -> None:
    """The records of the new topic are stored though their offsets were stored before, under tokens of the new id."""
    world = World(collectors=1, partitions=1)
    world.produce(0, ["new"])
    world.heal()
    world.log.delete(TOPIC)
    world.log.create(TOPIC, 1)
    world.produce(0, ["new", "new"])
    world.now += 10  # the topics are looked at every few seconds

    world.heal()

    assert world.store.spans() == Counter({1: 1, 2: 1, 3: 1})
    assert len({row["topic_id"] for row in world.store.rows[LEDGER_TABLE]}) == 2


def test_records_deleted_before_they_were_read_stop_ingest() -> None:
    """Nothing is skipped in silence; the message names the offsets and the setting."""
    world = World(collectors=1, partitions=1)
    world.produce(0, ["new"])
    world.heal()
    for _ in range(3):
        world.produce(0, ["new"])
    world.log.trim(Partition(TOPIC, 0), 3)

    with pytest.raises(IngestError, match=r"offsets 1 to 2 of otlp_spans\[0\].*SPANWISE_LOST_OFFSETS=skip"):
        world.heal()
