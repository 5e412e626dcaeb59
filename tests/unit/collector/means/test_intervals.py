"""Means of scores and their intervals, from few values and many, near the ends and in the middle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spanwise_collector.means.intervals import Estimate, estimate, wilson
from spanwise_collector.means.sums import Sums

values = st.lists(st.floats(0, 1), min_size=1, max_size=40)
chances = st.lists(st.floats(0.01, 1), min_size=40, max_size=40)


def test_nothing_has_no_mean() -> None:
    """Neither a mean nor an interval; what could not be used is counted."""
    assert estimate(Sums.of([])) == Estimate(None, None, None, 0, 0.0)
    assert estimate(Sums.of([np.nan, 0.5], [1.0, 0.0])) == Estimate(None, None, None, 0, 0.0, dropped=2)


def test_a_share_has_wilsons_interval() -> None:
    """The same as SciPy's, with all values chosen with equal chances, whatever the chance."""
    for yes, n in ((0, 1), (1, 1), (0, 20), (3, 20), (20, 20), (997, 1000)):
        expected = stats.binomtest(yes, n).proportion_ci(method="wilson")
        for chance in (1.0, 0.2):
            found = estimate(Sums.of([1.0] * yes + [0.0] * (n - yes), [chance] * n))
            assert (found.mean, found.n) == (yes / n, n)
            assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_a_mean_has_students_interval() -> None:
    """Graded scores without weights: the mean, and t times its standard error."""
    x = np.array([0.2, 0.5, 0.7, 0.4])
    found = estimate(Sums.of(x))
    low, high = stats.t.interval(0.95, 3, loc=x.mean(), scale=stats.sem(x))

    assert (found.low, found.high) == pytest.approx((low, high))


@pytest.mark.parametrize("x", [[0.7], [0.7, 0.7, 0.7]])
def test_graded_scores_that_are_all_the_same_have_no_interval(x: list[float]) -> None:
    """Their spread is not known; an interval of width zero would be a lie."""
    found = estimate(Sums.of(x))

    assert found.mean == pytest.approx(0.7)
    assert (found.low, found.high) == (None, None)
    assert found.width == np.inf


def test_a_value_that_stands_for_many_makes_the_interval_wide() -> None:
    """Of ten answers nine stand for one each and one for ninety: the effective size is little over one."""
    found = estimate(Sums.of([1.0] * 9 + [0.0], [1.0] * 9 + [1 / 90]))

    assert found.mean == pytest.approx(9 / 99)
    assert found.effective == pytest.approx(99**2 / (9 + 90**2))
    assert found.low is not None
    assert found.high is not None
    assert (found.low, found.high) == pytest.approx((0, 1), abs=0.02)


@given(values, chances)
def test_the_mean_is_inside_its_interval_and_both_inside_the_scale(x: list[float], p: list[float]) -> None:
    """For any values in [0, 1] and any chances."""
    found = estimate(Sums.of(x, p[: len(x)]))

    assert found.mean is not None
    assert 0 <= found.mean <= 1 + 1e-9
    if found.low is not None and found.high is not None:
        assert 0 <= found.low <= found.mean + 1e-9
        assert found.mean - 1e-9 <= found.high <= 1


@given(values, values, chances)
def test_sums_of_parts_are_the_sums_of_all(a: list[float], b: list[float], p: list[float]) -> None:
    """So steps of time can be added up."""
    parts = Sums.of(a, p[: len(a)]) + Sums.of(b, p[: len(b)]) + Sums.none()
    whole = Sums.of([*a, *b], [*p[: len(a)], *p[: len(b)]])

    for name in Sums.__dataclass_fields__:
        assert getattr(parts, name) == pytest.approx(getattr(whole, name)), name


@given(values)
def test_equal_chances_change_nothing(x: list[float]) -> None:
    """Neither the mean nor its interval."""
    plain, weighted = estimate(Sums.of(x)), estimate(Sums.of(x, [0.25] * len(x)))

    for name in ("mean", "low", "high", "effective"):
        assert getattr(weighted, name) == pytest.approx(getattr(plain, name), abs=1e-6), name


@given(st.floats(0, 1), st.floats(0.5, 1e6))
def test_wilson_is_an_interval(share: float, n: float) -> None:
    """Ordered, inside [0, 1], around the share; the whole scale without a quantile."""
    low, high = wilson(share, n)

    assert 0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1
    assert wilson(share, n, float("inf")) == (0.0, 1.0)
