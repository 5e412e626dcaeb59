"""Evidence that may be looked at all the time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spanwise_collector.stats.eprocess import bernoulli, e_bh, mixture
from spanwise_collector.stats.watch import Watch
from tests.unit.collector.stats.series import error_sums, hours, latency_sums

STEPS = hours(31)
BEGIN = 28 * 24


def test_looking_every_hour_at_a_rare_rate_keeps_to_the_false_alarm_rate() -> None:
    """Two weeks of hourly looks at 5 % errors: one series in a hundred or fewer reaches 100; a z-test fires often."""
    rng = np.random.default_rng(1)
    n = np.full((2_000, 336), 40.0)
    k = rng.binomial(40, 0.05, n.shape).astype(float)
    peeked = stats.norm.sf((k.cumsum(1) / n.cumsum(1) - 0.05) / np.sqrt(0.05 * 0.95 / n.cumsum(1))) < 0.05

    assert (bernoulli(k, n, np.array(0.05)).max(1) >= np.log(100)).mean() <= 0.01
    assert peeked.any(1).mean() > 0.3


def test_a_doubled_rare_rate_is_found_within_hours() -> None:
    """From 5 % to 10 % of 40 requests an hour: half of the series within half a day."""
    rng = np.random.default_rng(2)
    k = rng.binomial(40, 0.1, (200, 72)).astype(float)
    found = bernoulli(k, np.full(k.shape, 40.0), np.array(0.05)) >= np.log(100)

    assert found.any(1).all()
    assert np.median(np.argmax(found, 1)) < 12


def test_a_lower_rate_is_no_evidence_of_a_higher_one() -> None:
    """The null is any rate up to the usual one."""
    k = np.zeros((1, 200))

    assert (np.diff(bernoulli(k, np.full(k.shape, 40.0), np.array(0.05))[0]) < 0).all()


def test_a_release_that_changes_nothing_passes_and_one_that_fails_more_does_not() -> None:
    """72 hours after first sight: few false alarms at 1/100 in 300 series, and every threefold error rate is seen."""
    rng = np.random.default_rng(3)
    watch = Watch("rate", "up", 0.5, 0.01)
    quiet = error_sums(rng, STEPS, 300)
    worse = error_sums(rng, STEPS, 300, rate=0.06)
    baseline = watch.fit(quiet, STEPS, np.arange(STEPS.count)[None] < np.full((300, 1), BEGIN))
    tested = watch.tested(baseline)
    same, changed = (
        mixture(watch.residuals(made, baseline, STEPS, tested)[BEGIN - 24 :], tested, begin=24)
        for made in (quiet, worse)
    )

    assert same.shape == (300, 72)
    assert (same.max(1) >= np.log(100)).mean() <= 0.01
    assert (changed.max(1) >= np.log(100)).all()


def test_the_evidence_of_a_day_is_one_on_average() -> None:
    """At a time fixed before it is an e-value: its mean is above 1 by no more than an estimated baseline costs."""
    watch = Watch("log_mean", "both", 0.1)
    made = latency_sums(np.random.default_rng(4), STEPS, 400)
    usable = np.ones(made.n.shape, dtype=bool)
    baseline = watch.fit(made, STEPS, usable)
    tested = watch.tested(baseline)
    day = watch.residuals(made, baseline, STEPS, tested)[BEGIN : BEGIN + 24]

    assert np.exp(mixture(day, tested)[:, -1]).mean() < 1.3


def test_e_bh_reports_the_largest_that_bear_their_rank() -> None:
    """With five values at 5 %: 100 for the first, 50 for each of two, and so on."""
    assert e_bh(np.log([60.0, 1.0, 55.0, 2.0, 3.0])).tolist() == [True, False, True, False, False]
    assert e_bh(np.log([60.0, 1.0, 45.0, 2.0, 3.0])).tolist() == [False] * 5
    assert e_bh(np.log([])).tolist() == []


@given(st.lists(st.floats(-5, 20), min_size=1, max_size=40), st.floats(0.01, 0.5))
def test_e_bh_reports_nothing_smaller_than_what_it_leaves_out(logs: list[float], share: float) -> None:
    """What is reported are the largest, each at least at the rank of them all."""
    log_e = np.array(logs)
    reported = e_bh(log_e, share)

    if reported.any():
        assert log_e[reported].min() >= np.log(log_e.size / share / reported.sum()) - 1e-12
        assert log_e[reported].min() >= log_e[~reported].max(initial=-np.inf)
