"""What is usual at an hour of the week."""

import json

import numpy as np
import pytest

from spanwise_collector.stats.baseline import Baseline, fit_count, fit_mean
from spanwise_collector.stats.seasons import Steps
from spanwise_collector.stats.transforms import Values, log_ratio, mean
from tests.unit.collector.stats.series import error_sums, hours, latency_sums, season

STEPS = hours(28)
ALL = np.ones((1, STEPS.count), dtype=bool)


def _noise(seed: int, sd: float) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, sd, (1, STEPS.count))


def _values(y: np.ndarray, n: float = 100.0) -> Values:
    return Values(y, np.full(y.shape, n), np.array([1.0]))


def test_the_hours_of_the_week_are_where_they_belong() -> None:
    """A Monday begins at cell 0, its last hour is 23, and the wall clock decides, not UTC."""
    assert hours(7).cells().tolist() == list(range(168))
    assert hours(7, utc_offset_s=-3600).cells()[:2].tolist() == [167, 0]
    assert Steps(STEPS.first * 12, 13, 300).cells().tolist() == [0] * 12 + [1]


def test_a_season_is_learnt() -> None:
    """Hours, weekends and weekdays come out as they were put in."""
    truth = season(STEPS) + np.where(STEPS.cells() // 24 == 2, 0.2, 0.0)
    fitted = fit_mean(_values(truth + _noise(1, 0.1)), STEPS, ALL).expected(STEPS)

    assert np.abs(fitted - truth).max() < 0.15
    assert np.sqrt(np.mean((fitted - truth) ** 2)) < 0.04


def test_with_little_history_only_the_hours_or_only_the_level_are_learnt() -> None:
    """Ten days cannot tell a Tuesday, three days cannot tell the hour."""
    truth = season(STEPS)[None]
    ten, three = ALL.copy(), ALL.copy()
    ten[:, 240:], three[:, 72:] = False, False
    by_hour = fit_mean(_values(truth), STEPS, ten).table
    level = fit_mean(_values(truth), STEPS, three).table

    np.testing.assert_allclose(by_hour - by_hour[:, :1], 0.0, atol=0.06)
    assert np.ptp(by_hour[0, 0]) > 0.25
    np.testing.assert_allclose(level, level.mean(), atol=1e-6)


def test_an_excluded_incident_leaves_no_trace_and_a_forgotten_one_little() -> None:
    """Masked steps say nothing; unmasked outliers are bounded."""
    clean = season(STEPS)[None] + _noise(2, 0.1)
    bad, known = clean.copy(), ALL.copy()
    bad[:, 400:424], known[:, 400:424] = 5.0, False
    usual = fit_mean(_values(clean), STEPS, known).table
    masked = fit_mean(_values(bad), STEPS, known).table
    forgotten = fit_mean(_values(bad), STEPS, ALL).table

    np.testing.assert_allclose(masked, usual)
    assert np.abs(forgotten - usual).max() < 0.35


def test_the_spread_beyond_sampling_and_its_memory_are_learnt() -> None:
    """A level that wanders by 5 % with a correlation of 0.7 is told apart from sampling noise."""
    made = latency_sums(np.random.default_rng(3), STEPS, 50, n=500.0)
    found = fit_mean(mean(made.n, made.total, made.squares), STEPS, np.ones(made.n.shape, dtype=bool))

    assert abs(np.sqrt(np.median(found.tau2)) - 0.05) < 0.01
    assert abs(np.median(found.phi) - 0.7) < 0.1
    np.testing.assert_allclose(found.within, 0.36, rtol=0.05)


def test_without_squares_the_variance_of_one_event_comes_from_the_scatter() -> None:
    """Cost per request: hours with few requests scatter more, and that tells what one request varies by."""
    rng = np.random.default_rng(4)
    n = (rng.poisson(30.0 * np.exp(2.0 * season(STEPS)), (20, STEPS.count)) + 1).astype(np.float64)
    total = rng.gamma(n * 2.0, 0.5)
    found = fit_mean(log_ratio(total, n), STEPS, np.ones(n.shape, dtype=bool))

    assert abs(np.median(found.within) - 0.5) < 0.15
    assert np.median(found.tau2) < 0.01
    np.testing.assert_allclose(np.median(found.table), 0.0, atol=0.02)


def test_a_rare_rate_is_learnt_from_few_events() -> None:
    """Two in a hundred of 8 requests an hour: the level is found, and no season is made of chance."""
    made = error_sums(np.random.default_rng(5), STEPS, 30, n=8.0)
    found = fit_count(made.total, made.n, STEPS, np.ones(made.n.shape, dtype=bool), "rate")
    level = np.exp(found.table).mean((1, 2))

    assert abs(np.median(level) - 0.02) < 0.003
    assert np.median(np.exp(np.ptp(found.table, axis=(1, 2)))) < 2.0


def test_a_count_is_per_hour_whatever_the_steps() -> None:
    """A baseline of hours serves five minutes."""
    made = np.full((1, STEPS.count), 120.0)
    found = fit_count(made, np.ones_like(made), STEPS, ALL, "count")

    np.testing.assert_allclose(np.exp(found.table), 120.0, rtol=0.01)
    np.testing.assert_allclose(np.exp(found.expected(Steps(STEPS.first * 12, 3, 300))), 120.0, rtol=0.01)


def test_a_baseline_can_be_stored() -> None:
    """JSON records of single series come back as what they were; kinds are not mixed."""
    made = error_sums(np.random.default_rng(6), STEPS, 2)
    usable = np.ones(made.n.shape, dtype=bool)
    rate = fit_count(made.total, made.n, STEPS, usable, "rate")
    back = Baseline.of_records(json.loads(json.dumps(rate.records())))

    assert back.kind == "rate"
    for name in ("table", "tau2", "phi", "within", "days"):
        np.testing.assert_array_equal(getattr(back, name), getattr(rate, name))
    count = fit_count(made.n, np.ones_like(made.n), STEPS, usable, "count")
    with pytest.raises(ValueError, match=r"one kind .* \['count', 'rate'\]"):
        Baseline.of_records([*rate.records(), *count.records()])


def test_a_series_without_data_does_no_harm() -> None:
    """It gets finite numbers, and its neighbour is as without it."""
    made = latency_sums(np.random.default_rng(7), STEPS, 2)
    values = mean(made.n, made.total, made.squares)
    usable = np.ones(made.n.shape, dtype=bool)
    usable[1] = False
    both = fit_mean(values, STEPS, usable)
    alone = fit_mean(mean(made.n[:1], made.total[:1], made.squares[:1]), STEPS, usable[:1])

    np.testing.assert_allclose(both.table[0], alone.table[0])
    assert all(np.isfinite(getattr(both, name)).all() for name in ("table", "tau2", "phi", "within"))
