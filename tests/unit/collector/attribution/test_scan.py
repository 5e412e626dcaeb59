"""The scan over slices."""

import numpy as np
import pytest
from numpy.typing import NDArray

from spanwise_collector.attribution.attribute import attribute
from spanwise_collector.attribution.leaves import Leaves, Moments
from spanwise_collector.attribution.model import Slice
from spanwise_collector.attribution.scan import Scan
from tests.unit.collector.attribution.made import Traffic, fail, traffic

MODEL = Slice((("model", "m-2"),))
PAIR = Slice((("model", "m-1"), ("route", "chat")))
TRIPLE = Slice((("model", "m-1"), ("route", "chat"), ("user_group", "free")))


def named(leaves: Leaves) -> list[Slice]:
    """Slices that moved an error rate, in order."""
    return [effect.slice for effect in attribute(leaves, "rate").slices]


@pytest.mark.parametrize("truth", [MODEL, PAIR, TRIPLE], ids=("one", "two", "three"))
def test_names_the_slice_that_fails(truth: Slice) -> None:
    """Errors that rise in a slice of one, two or three dimensions are put down to it, and to nothing else."""
    made = traffic(1, 20_000, 6_000)
    fail(made, made.where(**dict(truth.dims)), 0.2, 2)

    assert named(made.leaves()) == [truth]


def test_names_nothing_where_nothing_changed() -> None:
    """Windows that differ by chance alone have no cause, in most of forty pairs of windows."""
    found = [len(Scan(traffic(seed, 6_000, 2_000).leaves(), "rate").causes()) for seed in range(40)]

    assert sum(found) <= 3


def test_names_slices_once_and_apart() -> None:
    """Two causes are both named, the larger first, and no slice again that is part of one."""
    made = traffic(3, 20_000, 8_000)
    fail(made, made.where(route="agent"), 0.4, 4)
    fail(made, made.where(model="m-3", environment="prod"), 0.3, 5)

    assert named(made.leaves()) == [
        Slice((("route", "agent"),)),
        Slice((("model", "m-3"), ("environment", "prod"))),
    ] or (named(made.leaves()) == [Slice((("model", "m-3"), ("environment", "prod"))), Slice((("route", "agent"),))])


def test_two_values_may_be_one_cause() -> None:
    """Where two of three models fail, both are named before anything that most of the traffic has in common."""
    made = traffic(4, 20_000, 8_000)
    fail(made, made.where(model="m-2") | made.where(model="m-3"), 0.25, 6)

    assert set(named(made.leaves())[:2]) == {MODEL, Slice((("model", "m-3"),))}


def test_a_cause_that_hits_its_parts_unequally() -> None:
    """Where a route fails in all user groups, and worst in one, the route is named and not the part hit worst."""
    made = traffic(15, 20_000, 8_000)
    fail(made, made.where(route="chat"), 0.15, 1)
    fail(made, made.where(route="chat", user_group="free"), 0.8, 2)

    assert named(made.leaves()) == [Slice((("route", "chat"),))]


def test_a_rest_that_drifts_is_no_cause() -> None:
    """Where all of the traffic is a little slower, and a slice much, only the slice is named."""
    made = traffic(16, 40_000, 20_000)
    slow = made.log_ms + np.where(made.now, 0.05, 0.0)
    slow += np.where(made.where(model="m-2", route="chat"), np.log(1.5), 0.0)

    found = attribute(made.leaves(slow), "mean")

    assert [one.slice for one in found.slices] == [Slice((("model", "m-2"), ("route", "chat")))]


def test_all_of_the_traffic() -> None:
    """Where everything fails alike the whole is named, and no slice of it."""
    made = traffic(5, 20_000, 8_000)
    fail(made, made.now, 0.12, 7)

    assert named(made.leaves()) == [Slice()]


def test_new_version() -> None:
    """A version without a past is compared with what is usual for the rest, and named."""
    made = traffic(6, 8_000, 3_000, new=[("prompt", "ask@v2")])
    fail(made, made.where(prompt="ask@v2"), 0.15, 8)

    found = attribute(made.leaves(), "rate").slices

    assert [(one.slice, one.n_before, one.value_before) for one in found] == [
        (Slice((("prompt", "ask@v2"),)), 0.0, None)
    ]
    assert found[0].value_after == pytest.approx(0.15, abs=0.03)
    assert found[0].low > 0
    assert found[0].share_of_change == pytest.approx(1.0, abs=0.25)


def test_a_bad_value_that_becomes_frequent_has_not_moved() -> None:
    """Where a route that always fails more gets more traffic, the total rises by mix, and no slice is to blame."""
    rng = np.random.default_rng(9)
    made = traffic(9, 20_000, 8_000)
    place = list(made.values).index("route")
    made.codes[made.now & (rng.random(made.now.size) < 0.4), place] = 3
    always = made.codes[:, place] == 3
    made.failed[always] = rng.random(int(always.sum())) < 0.2

    found = attribute(made.leaves(), "rate")

    assert found.total.difference > 0.04
    assert found.slices == ()
    route = next(split for split in found.dimensions if split.dimension == "route")
    assert route.mix == pytest.approx(found.total.difference, abs=0.01)
    assert route.rate == pytest.approx(0.0, abs=0.01)


def slower(made: Traffic, chosen: NDArray[np.bool_], factor: float) -> NDArray[np.float64]:
    """Logarithms of latency with some requests slower."""
    return made.log_ms + np.where(chosen, np.log(factor), 0.0)


def test_means() -> None:
    """Latency of half as much again in a slice is put down to it; its parts add up."""
    made = traffic(10, 10_000, 4_000)

    found = attribute(made.leaves(slower(made, made.where(model="m-1", user_group="pro"), 1.5)), "mean")

    assert [one.slice for one in found.slices] == [Slice((("model", "m-1"), ("user_group", "pro")))]
    assert found.slices[0].share_of_change == pytest.approx(1.0, abs=0.3)
    for split in found.dimensions:
        assert split.mix + split.rate == pytest.approx(found.total.difference, abs=1e-9)


def test_a_few_outliers_are_no_cause() -> None:
    """Three requests that took a hundred times as long do not make a slice of twenty slower."""
    made = traffic(11, 3_000, 1_000)
    place = list(made.values).index("release")
    made.values["release"] = ("r1", "r2", "r3")
    made.codes[np.flatnonzero(made.now)[:20], place] = 2
    value = made.log_ms.copy()
    value[np.flatnonzero(made.now)[:3]] += np.log(100)

    assert attribute(made.leaves(value), "mean", direction="up").slices == ()


def test_falls() -> None:
    """A number that fell is put down to slices that fell."""
    made = traffic(12, 10_000, 4_000)

    found = attribute(made.leaves(slower(made, made.where(model="m-1"), 0.5)), "mean")

    assert [one.slice for one in found.slices] == [Slice((("model", "m-1"),))]
    assert found.slices[0].contribution < 0
    assert found.slices[0].share_of_change > 0


def test_sums() -> None:
    """Of a rise in spend, the slice that carries it is named, windows of unlike length made alike."""
    made = traffic(13, 8_000, 2_000)
    cost = made.cost_n.astype(np.float64)
    cost[made.where(user_group="team")] *= 4

    found = attribute(made.leaves(cost), "sum", exposure=0.25)

    assert [one.slice for one in found.slices] == [Slice((("user_group", "team"),))]
    assert found.slices[0].share_of_change == pytest.approx(1.0, abs=0.15)
    assert found.total.difference == pytest.approx(cost[made.now].sum() - cost[~made.now].sum() / 4)


def test_amounts_of_unlike_size() -> None:
    """A price that doubles for one group is put down to it, though one model costs twenty times what the others do."""
    made = traffic(17, 20_000, 6_000)
    cost = made.cost_n.astype(np.float64) * np.where(made.codes[:, 0] == 2, 20.0, 1.0)
    cost[made.where(user_group="pro")] *= 2

    found = attribute(made.leaves(cost), "amount")

    assert [one.slice for one in found.slices] == [Slice((("user_group", "pro"),))]
    assert found.slices[0].share_of_change == pytest.approx(1.0, abs=0.1)
    assert found.total.difference == pytest.approx(cost[made.now].mean() - cost[~made.now].mean())


def test_slices_that_explain_the_same() -> None:
    """Of slices with the same requests the one of fewest dimensions is named."""
    made = traffic(14, 8_000, 3_000)
    made.codes[:, list(made.values).index("release")] = made.codes[:, 0] % 2
    fail(made, made.where(model="m-2"), 0.3, 3)

    assert all(len(one.dims) == 1 for one in named(made.leaves()))


def test_nothing_to_look_at() -> None:
    """No rows, or no dimensions, are no error."""
    none = Moments(np.zeros(0), np.zeros(0), np.zeros(0))
    empty = attribute(Leaves.of([("model", [])], none, none), "rate")
    one = Moments(np.array([500.0]), np.array([100.0]), np.array([100.0]))
    few = Moments(np.array([500.0]), np.array([10.0]), np.array([10.0]))
    whole = attribute(Leaves.of([], few, one), "rate")

    assert (empty.total.before, empty.slices, empty.dimensions) == (None, (), ())
    assert [effect.slice for effect in whole.slices] == [Slice()]
