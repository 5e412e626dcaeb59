"""From sums to values and their variances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.stats.transforms import arcsine, log_ratio, log_sum, log_volume, mean, rate_of, weighted_mean


def _sums(values: list[list[float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (
        np.array([[len(step) for step in values]], float),
        np.array([[sum(step) for step in values]]),
        np.array([[sum(x * x for x in step) for step in values]]),
    )


def test_a_mean_has_the_pooled_variance_of_its_steps_over_the_number_of_events() -> None:
    """A step with one event has a variance too, from the others; a step without events has an infinite one."""
    found = mean(*_sums([[1.0, 3.0], [5.0], []]))

    assert found.y.tolist() == [[2.0, 5.0, 0.0]]
    assert found.within is not None
    assert found.within.tolist() == [2.0]
    assert found.variance.tolist() == [[1.0, 2.0, np.inf]]


def test_with_single_events_only_the_variance_is_that_of_all_of_them() -> None:
    """Where no step has two events, the spread between the steps is taken."""
    found = mean(*_sums([[1.0], [3.0]]))

    assert found.within is not None
    assert found.within.tolist() == [1.0]


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 5)), min_size=2, max_size=30))
def test_scores_that_all_have_the_same_weight_are_a_plain_mean(scores: list[tuple[float, int]]) -> None:
    """A constant sampling probability changes neither the mean nor its variance."""
    values = np.array([value for value, _ in scores])
    n, total, squares = np.array([[values.size]], float), values.sum(keepdims=True), (values**2).sum(keepdims=True)
    plain = mean(n, total[None], squares[None])
    weighted = weighted_mean(4.0 * n, 16.0 * n, 4.0 * total[None], 4.0 * squares[None])

    np.testing.assert_allclose(weighted.y, plain.y)
    np.testing.assert_allclose(weighted.variance, plain.variance)


def test_a_weighted_mean_undoes_the_sampling() -> None:
    """One bad answer that stands for nine counts as nine."""
    found = weighted_mean(np.array([[10.0]]), np.array([[82.0]]), np.array([[1.0]]), np.array([[1.0]]))

    assert found.y.tolist() == [[0.1]]
    np.testing.assert_allclose(found.n, [[100 / 82]])


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_the_arcsine_of_a_rate_leads_back_to_the_rate(n: int, share: float) -> None:
    """Up to Anscombe's small corrections the transform can be undone."""
    k = round(n * share)
    back = rate_of(arcsine(np.array([[k]], float), np.array([[n]], float)).y)

    np.testing.assert_allclose(back, [[(k + 0.375) / (n + 0.75)]])


def test_logarithms_of_sums_leave_steps_without_events_out() -> None:
    """An hour without a request has no cost per request; an hour with one event has no negative logarithm."""
    total, n = np.array([[0.0, 8.0]]), np.array([[0.0, 2.0]])

    assert log_ratio(total, n).y.tolist() == [[0.0, np.log(4.0)]]
    assert log_sum(total, n).n.tolist() == [[0.0, 2.0]]
    assert log_volume(n).variance.tolist() == [[np.inf, 0.5]]
    with pytest.raises(ValueError, match="estimated with their baseline"):
        _ = log_sum(total, n).variance
