"""Month-end spend, the same hours of past weeks, and data that does not come."""

import numpy as np
import pytest

from spanwise_collector.stats.absence import silence
from spanwise_collector.stats.baseline import fit_count
from spanwise_collector.stats.forecast import month_end
from spanwise_collector.stats.relative import same_hours
from spanwise_collector.stats.seasons import Steps
from tests.unit.collector.stats.series import hours

WEEK = [10.0, 10.0, 10.0, 10.0, 10.0, 4.0, 2.0]


def test_a_steady_week_makes_a_certain_month() -> None:
    """Every day ahead costs what its weekday did, and today what is left of it."""
    past = np.array([WEEK * 4])
    found = month_end(np.array([100.0]), past, 8, 0.25, np.array([169.0]), np.random.default_rng(1))
    ahead = 0.25 * 10 + 10 * 4 + 4 + 2 + 10 * 2

    np.testing.assert_allclose([found.low, found.expected, found.high], 100.0 + ahead, rtol=1e-9)
    assert found.over.tolist() == [0.0]


def test_the_interval_of_a_month_covers_what_came() -> None:
    """Of 300 made-up histories with a wandering level, about 80 % end inside the 80 % interval."""
    rng = np.random.default_rng(2)
    level = np.exp(np.repeat(rng.normal(0, 0.1, (300, 7)).cumsum(1), 7, axis=1))
    days = np.tile(WEEK, 7) * level * rng.gamma(20.0, 1 / 20.0, (300, 49))
    found = month_end(np.zeros(300), days[:, :28], 13, 1.0, np.full(300, 1e9), np.random.default_rng(3))
    truth = days[:, 28:42].sum(1)

    assert 0.7 < np.mean((found.low <= truth) & (truth <= found.high)) < 0.95
    assert abs(np.median(found.expected / truth) - 1.0) < 0.05


def test_the_probability_of_exceeding_falls_with_the_budget() -> None:
    """A budget far below is exceeded for certain, one far above never."""
    rng = np.random.default_rng(4)
    past = np.tile(np.array(WEEK * 4) * rng.gamma(20.0, 1 / 20.0, 28), (3, 1))
    over = month_end(np.zeros(3), past, 13, 1.0, np.array([10.0, 112.0, 1_000.0]), np.random.default_rng(5)).over

    assert over[0] == 1.0
    assert 0.0 < over[1] < 1.0
    assert over[2] == 0.0


def test_less_than_a_week_is_no_basis() -> None:
    """It is refused with words."""
    with pytest.raises(ValueError, match="seven days"):
        month_end(np.zeros(1), np.ones((1, 6)), 3, 0.5, np.ones(1), np.random.default_rng(6))


def test_the_same_hours_of_past_weeks_predict_now() -> None:
    """With variation between weeks, 95 % of what comes lies in the interval."""
    rng = np.random.default_rng(7)
    values = rng.normal(0.0, 0.1, (4_000, 5)) + rng.normal(0.0, 0.05, (4_000, 5))
    variance = np.full((4_000, 4), 0.05**2)
    found = same_hours(values[:, :4], variance, np.full(4_000, 0.05**2))
    covered = np.mean((found.low <= values[:, 4]) & (values[:, 4] <= found.high))

    assert 0.93 < covered < 0.99


def test_weeks_without_data_are_left_out_and_one_week_gives_no_bounds() -> None:
    """An empty week is no zero."""
    past = np.array([[1.0, 0.0, 1.2], [1.0, 0.0, 0.0]])
    variance = np.array([[0.01, np.inf, 0.01], [0.01, np.inf, np.inf]])
    found = same_hours(past, variance, np.array([0.01, 0.01]))

    np.testing.assert_allclose(found.expected, [1.1, 1.0])
    assert np.isfinite(found.low[0])
    assert found.low[1] == -np.inf
    assert found.weeks.tolist() == [2.0, 1.0]


def test_silence_is_more_surprising_by_day_than_by_night() -> None:
    """Expected events follow the season; the chance of none is at least that of a Poisson count."""
    steps = hours(28)
    rng = np.random.default_rng(8)
    rate = np.where(steps.cells() % 24 < 8, 5.0, 60.0)
    made = rng.poisson(rate * np.exp(rng.normal(0, 0.2, rate.size)), (1, rate.size)).astype(float)
    baseline = fit_count(made, np.ones_like(made), steps, np.ones(made.shape, dtype=bool), "count")
    midnight = (steps.first + steps.count) * 12
    night, day = (silence(baseline, Steps(midnight + offset * 12, 6, 300)) for offset in (3, 15))

    np.testing.assert_allclose(night.expected, 2.5, rtol=0.15)
    np.testing.assert_allclose(day.expected, 30.0, rtol=0.1)
    assert night.chance[0] > 0.05
    assert np.exp(-30.0) < day.chance[0] < 1e-6
