"""Residuals and likelihoods of counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spanwise_collector.stats.arrays import Floats
from spanwise_collector.stats.filter import levels
from spanwise_collector.stats.likelihood import likelihood
from spanwise_collector.stats.residuals import count_residuals, deviance
from spanwise_collector.stats.transforms import mean
from spanwise_collector.stats.watch import Sums, Watch
from tests.unit.collector.stats.series import error_sums, hours, latency_sums

STEPS = hours(28)
ERRORS = Watch("rate", "up", 0.5, 0.01)


@pytest.mark.parametrize("expected", [0.1, 1.0, 5.0, 50.0])
@pytest.mark.parametrize("tau2", [1e-4, 0.06])
def test_the_residual_of_a_count_is_that_of_a_normal_variable(expected: float, tau2: float) -> None:
    """At the upper tail it agrees with the exact mid-p normal quantile of a negative binomial, also for rare events."""
    law = stats.nbinom(1.0 / tau2, 1.0 / (1.0 + expected * tau2))
    k = np.array([law.ppf(0.9), law.ppf(0.99), law.ppf(0.999)]) + 1.0
    exact = stats.norm.isf(law.sf(k) + law.pmf(k) / 2.0)

    np.testing.assert_allclose(deviance(k, np.full(3, expected), np.full(3, tau2)), exact, atol=0.2)


@given(st.floats(0.01, 500.0), st.floats(1e-4, 1.0))
def test_the_residual_is_zero_at_what_is_expected_and_grows_with_the_count(expected: float, tau2: float) -> None:
    """It has the sign of the difference."""
    k = np.array([0.0, expected / 2, expected, expected * 2, expected * 4])
    found = deviance(k, np.full(5, expected), np.full(5, tau2))

    np.testing.assert_allclose(found[2], 0.0, atol=1e-4)
    assert (np.diff(found) > 0).all()


def test_the_likelihood_ratio_of_a_count_is_a_fair_bet() -> None:
    """While nothing changes it is one on average, or a little less, for rare and for many events."""
    rng = np.random.default_rng(1)
    for n in (5.0, 400.0):
        made = error_sums(rng, STEPS, 200, n=n)
        baseline = ERRORS.fit(made, STEPS, np.ones(made.n.shape, dtype=bool))
        tested = np.full((200, 1), np.log(1.5))
        residuals = ERRORS.residuals(made, baseline, STEPS, tested)
        ratios = [_fresh(residuals, t, tested) for t in range(0, STEPS.count, 7)]

        assert 0.85 < np.exp(np.array(ratios)).mean() < 1.02


def _fresh(residuals: object, t: int, tested: Floats) -> Floats:
    series = len(tested)
    step = likelihood(np.zeros(series), np.ones(series), np.zeros((series, 1)), residuals, t, tested)  # type: ignore[arg-type]
    return step.fresh


def test_a_step_without_requests_is_not_seen() -> None:
    """It says nothing, instead of saying that there were no errors."""
    made = error_sums(np.random.default_rng(2), STEPS, 1)
    made.n[0, 5], made.total[0, 5] = 0.0, 0.0
    baseline = ERRORS.fit(made, STEPS, np.ones(made.n.shape, dtype=bool))
    found = count_residuals(made.total, made.n, baseline, STEPS, np.array([[0.5]]))

    assert not found.seen[0, 5]
    assert found.z[0, 5] == 0.0


def test_the_filter_follows_the_slow_level() -> None:
    """What it finds is near to the deviation that was put in."""
    made = latency_sums(np.random.default_rng(3), STEPS, 5, n=2_000.0, sd=0.3)
    watch = Watch("log_mean", "up", 0.1)
    usable = np.ones(made.n.shape, dtype=bool)
    baseline = watch.fit(made, STEPS, usable)
    residuals = watch.residuals(made, baseline, STEPS, watch.tested(baseline))
    truth = mean(made.n, made.total, made.squares).y - baseline.expected(STEPS)

    assert np.corrcoef(levels(residuals, baseline).ravel(), truth.ravel())[0, 1] > 0.95


def test_steps_that_were_not_recorded_are_not_seen() -> None:
    """A gap of the collector is no quiet hour."""
    made = error_sums(np.random.default_rng(4), STEPS, 1)
    known = np.ones(made.n.shape, dtype=bool)
    known[0, 3] = False
    volume = Watch("count", "both", 0.3)
    baseline = volume.fit(made, STEPS, known)
    found = volume.residuals(Sums(made.n, made.n, made.n), baseline, STEPS, volume.tested(baseline)).only(known)

    assert found.seen[0].tolist() == known[0].tolist()
