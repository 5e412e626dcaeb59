"""A partition of which too much is refused is held, instead of drained into the rejects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.ingest.reject_rate import MIN_ITEMS, RejectRate, Share
from tests.support.ingest_world import BAD, TOPIC, World

BATCHES = st.lists(
    st.tuples(st.integers(0, 1_500), st.integers(0, 1_500)).map(lambda two: Share(sum(two), two[0])), min_size=1
)
BAD_BATCH = ["bad"] * MIN_ITEMS


@given(BATCHES, st.floats(0.01, 1.0))
def test_the_share_is_that_of_the_newest_batches_with_enough_items(batches: list[Share], limit: float) -> None:
    """As many as it takes for 1,000 items, never fewer items, however many batches came before; 1 is no limit.

    A batch that is within the limit itself is never held for those before it.
    """
    rate = RejectRate(limit)
    for one in batches[:-1]:
        rate.add(one)

    found = rate.too_much(batches[-1])

    newest = [Share()]
    for one in reversed(batches):
        newest.append(newest[-1] + one)
    enough = next((share for share in newest[1:] if share.items >= MIN_ITEMS), None)
    last = batches[-1]
    exceeded = enough is not None and enough.rejected > limit * enough.items and last.rejected > limit * last.items
    assert found == (enough if exceeded else None)
    assert found is None or limit < 1.0


def test_a_partition_is_held_before_what_would_be_refused() -> None:
    """Nothing of that batch is pinned, stored or among the rejects; the other partition goes on."""
    world = World(collectors=1)
    world.produce(0, ["new"])
    world.produce(1, ["new"])
    world.heal()
    committed = dict(world.log.groups["g"].committed)
    world.produce(0, BAD_BATCH)
    world.produce(0, ["new"])
    world.produce(1, ["new"])

    world.heal()

    held, other = world.collectors[0].loop.partitions()
    assert world.log.rejects == []
    assert world.store.spans().total() == 3
    assert (held.next_offset, held.end_offset, held.lag, other.lag) == (1, 3, 2, 0)
    assert [commit for partition, commit in world.log.groups["g"].committed.items() if partition.number == 0] == [
        commit for partition, commit in committed.items() if partition.number == 0
    ]
    assert held.paused_reason == world.collectors[0].loop.held


def test_the_message_names_place_reasons_setting_and_remedy(caplog: pytest.LogCaptureFixture) -> None:
    """In the log, once, and in the state."""
    world = World(collectors=1, partitions=1)
    world.produce(0, BAD_BATCH)

    world.heal()
    world.heal()

    text = (
        f"{TOPIC}[0] is held at offset 0: 1,000 of the last 1,000 items would be refused (1,000 bad), more than "
        "SPANWISE_REJECT_LIMIT=0.5 allows. Nothing is lost, it stays in Kafka. Put right what is wrong (the last "
        "deploy, or the producer) and restart the collector; with SPANWISE_REJECT_LIMIT=1 it goes to "
        "spanwise_rejects instead."
    )
    assert world.collectors[0].loop.held == text
    assert [one.getMessage() for one in caplog.records if one.levelname == "ERROR"] == [text]


def test_with_another_limit_a_restart_goes_on_where_it_was_held() -> None:
    """What was held is refused then, and everything adds up."""
    world = World(collectors=1, partitions=1)
    world.produce(0, ["new"])
    world.produce(0, BAD_BATCH)
    world.produce(0, ["new"])
    world.heal()
    held = world.collectors[0].loop.held
    world.reject_limit = 1.0

    world.restart(0)
    world.heal()

    assert (bool(held), world.collectors[0].loop.held) == (True, "")
    assert world.wrong_at_the_end() == []
    assert [reject.value for reject in world.log.rejects] == [bytes([BAD]) * MIN_ITEMS]


def test_few_bad_items_and_replayed_ones_hold_nothing() -> None:
    """A share of fewer than 1,000 items says little, and what is replayed was refused before."""
    world = World(collectors=1, partitions=1)
    world.produce(0, ["bad"] * (MIN_ITEMS - 1))
    world.heal()
    world.produce(0, ["new"])
    for back in (1, 2, 3):
        world.replay(0, back)

    world.heal()

    assert world.collectors[0].loop.held == ""
    assert world.collectors[0].loop.drained()
