"""The split of a difference in mix and rate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.attribution.evidence import Kind
from spanwise_collector.attribution.leaves import Moments
from spanwise_collector.attribution.mix import split

Events = list[tuple[int, float]]


def moments(events: Events) -> Moments:
    """So many events of one value each."""
    n = np.array([count for count, _ in events], dtype=np.float64)
    value = np.array([one for _, one in events])
    return Moments(n, n * value, n * value**2)


def kinds() -> st.SearchStrategy[Kind]:
    """Any kind of number."""
    return st.sampled_from(("rate", "mean", "amount", "sum"))


sides = st.integers(1, 8).flatmap(
    lambda size: st.tuples(
        *(
            st.lists(st.tuples(st.integers(0, 1000), st.floats(0, 1)), min_size=size, max_size=size).filter(
                lambda events: sum(count for count, _ in events) > 0
            )
            for _ in range(2)
        )
    )
)


@given(sides, kinds(), st.floats(0.1, 10))
def test_parts_add_up(both: tuple[Events, Events], kind: Kind, exposure: float) -> None:
    """Whatever comes, goes, or changes: mix and rate of all values add up to the difference of the total."""
    before, after = (moments(events) for events in both)
    if kind == "sum":
        difference = after.total.sum() - exposure * before.total.sum()
    else:
        difference = after.total.sum() / after.n.sum() - before.total.sum() / before.n.sum()

    found = split("model", [str(place) for place in range(before.n.size)], before, after, kind, exposure)

    assert found.mix + found.rate == pytest.approx(difference, abs=1e-9 * max(1.0, float(after.n.sum())))
    for one in found.values:
        assert one.low <= one.mix + one.rate <= one.high


def test_mix_and_rate_of_a_mean() -> None:
    """A value that is only more frequent has no rate; one that is only slower has no mix beside its shift."""
    found = split(
        "route", ["slow", "fast"], moments([(100, 3.0), (100, 1.0)]), moments([(150, 3.0), (50, 1.0)]), "mean"
    )

    parts = {one.value: (one.mix, one.rate) for one in found.values}
    assert parts == {"slow": (0.25, 0.0), "fast": (0.25, 0.0)}


def test_rate_alone() -> None:
    """With the same shares before and after, all is rate."""
    found = split("model", ["a", "b"], moments([(100, 0.1), (100, 0.1)]), moments([(100, 0.4), (100, 0.1)]), "rate")

    assert {one.value: one.mix for one in found.values} == {"a": 0.0, "b": 0.0}
    assert {one.value: one.rate for one in found.values} == pytest.approx({"a": 0.15, "b": 0.0})


def test_new_and_gone() -> None:
    """A new value is compared with the total before; one that is gone takes its part with it."""
    found = split("prompt", ["v1", "v2"], moments([(100, 0.1), (0, 0.0)]), moments([(0, 0.0), (100, 0.3)]), "rate")

    assert [(one.value, one.value_before, one.value_after) for one in found.values] == [
        ("v2", None, 0.3),
        ("v1", 0.1, None),
    ]
    assert (found.mix, found.rate) == pytest.approx((0.0, 0.2))


def test_spend() -> None:
    """Of a sum, more requests are mix and dearer ones are rate; windows of unlike length are made alike."""
    found = split("model", ["a", "b"], moments([(200, 2.0), (200, 1.0)]), moments([(150, 2.0), (100, 3.0)]), "sum", 0.5)

    assert [(one.value, one.value_before, one.mix, one.rate) for one in found.values] == [
        ("b", 100.0, 0.0, 200.0),
        ("a", 200.0, 100.0, 0.0),
    ]


def test_interval_covers() -> None:
    """The 95 % interval of a value's part holds the truth in about 95 of 100 samples."""
    rng = np.random.default_rng(7)
    shares, rates = (np.array([0.3, 0.7]), np.array([0.6, 0.4])), (np.array([0.05, 0.1]), np.array([0.2, 0.1]))
    overall = float(shares[0] @ rates[0])
    truth = (shares[1][0] - shares[0][0]) * (rates[0][0] - overall) + shares[1][0] * (rates[1][0] - rates[0][0])
    covered = 0
    for _ in range(400):
        sides = []
        for share, rate in zip(shares, rates, strict=True):
            n = rng.multinomial(2000, share).astype(np.float64)
            bad = rng.binomial(n.astype(np.int64), rate).astype(np.float64)
            sides.append(Moments(n, bad, bad))
        part = next(one for one in split("d", ["a", "b"], sides[0], sides[1], "rate").values if one.value == "a")
        covered += part.low <= truth <= part.high
    assert 0.92 <= covered / 400 <= 0.99
