"""Intervals and p-values of ratios hold for traffic whose hours resemble themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.compare.ratios import MIN_STEPS, difference, holm, ratio


def test_a_ratio_is_that_of_the_sums() -> None:
    """Steps weigh as much as they have; empty ones tell nothing."""
    found = ratio(np.array([1.0, 0, 2, 0, 0, 3, 1, 1]), np.array([10.0, 10, 20, 0, 10, 30, 10, 10]))
    assert found is not None
    assert (found.value, found.n, found.steps) == (0.08, 100.0, 7)


def test_few_steps_tell_no_variance() -> None:
    """Below the least number of steps there is no answer."""
    assert ratio(np.ones(MIN_STEPS - 1), np.ones(MIN_STEPS - 1)) is None


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_no_difference_is_found_as_rarely_as_promised(spread: float) -> None:
    """At 5 % about 5 % of equal sides differ, also where the rate wanders from hour to hour."""
    rng = np.random.default_rng(1)
    found = 0
    for _ in range(1000):
        sides = []
        for _ in range(2):
            n = rng.poisson(200, 24).astype(float)
            k = rng.binomial(n.astype(int), np.clip(0.05 * np.exp(rng.normal(0, spread, 24)), 0, 1)).astype(float)
            sides.append(ratio(k, n))
        a, b = sides
        assert a is not None
        assert b is not None
        found += difference(a, b).p < 0.05
    assert 25 <= found <= 80


def test_a_real_difference_is_found_with_its_size() -> None:
    """5 % against 8 % over a day: certain, and the interval holds the truth."""
    rng = np.random.default_rng(2)
    sides = []
    for rate in (0.05, 0.08):
        n = rng.poisson(500, 24).astype(float)
        sides.append(ratio(rng.binomial(n.astype(int), rate).astype(float), n))
    a, b = sides
    assert a is not None
    assert b is not None
    test = difference(a, b)
    low, high = test.interval(0.95)
    assert test.p < 1e-6
    assert low < 0.03 < high


@given(st.lists(st.floats(0, 1), max_size=30))
def test_holm_never_lowers_a_p_value_and_keeps_the_order(p_values: list[float]) -> None:
    """Adjusted values are at least the given ones, at most 1, and sorted alike."""
    adjusted = holm(p_values)
    assert all(given <= made <= 1 for given, made in zip(p_values, adjusted, strict=True))
    pairs = sorted(zip(p_values, adjusted, strict=True))
    assert [made for _, made in pairs] == sorted(adjusted)


def test_holm_by_hand() -> None:
    """The textbook example: smallest times three, next times two, and never less than the one before."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
