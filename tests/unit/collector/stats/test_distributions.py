"""Shares, histograms and the share of slow requests."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spanwise_collector.stats.histograms import difference, quantile, quantile_shift
from spanwise_collector.stats.shares import over_dispersion, share_shift
from spanwise_collector.stats.tail import BIN_LOG, distance, slower

BINS = 260


def _histogram(values: np.ndarray) -> np.ndarray:
    return np.bincount((np.log(values) / BIN_LOG).astype(int), minlength=BINS).astype(float)


def test_a_share_that_grew_is_named_with_its_interval() -> None:
    """Five points more of German; the other languages make room."""
    before, after = np.array([8_000.0, 1_500.0, 500.0]), np.array([750.0, 200.0, 50.0])
    found = share_shift(before, after)

    assert found.largest == 1
    assert found.low[1] < 0.05 < found.high[1]
    assert found.p_largest < 0.001
    np.testing.assert_allclose(found.distance, 0.05)
    table = np.stack([before, after])
    reference = stats.chi2_contingency(table, lambda_="log-likelihood", correction=False)
    np.testing.assert_allclose([found.g, found.p], [reference.statistic, reference.pvalue])


def test_a_category_that_is_new_counts_and_one_that_never_was_does_not() -> None:
    """A model first seen today has moved; a value without events on either side changes nothing."""
    new = share_shift(np.array([1_000.0, 0.0, 0.0]), np.array([90.0, 10.0, 0.0]))

    assert new.largest in (0, 1)
    assert new.p < 1e-6
    assert new.z[2] == 0.0
    assert share_shift(np.array([10.0]), np.array([20.0])).p == 1.0


def test_days_that_differ_by_themselves_make_the_test_more_careful() -> None:
    """Over-dispersed days: the plain test is wrong every second time, the scaled one seldom."""
    rng = np.random.default_rng(1)
    plain = careful = 0
    for _ in range(200):
        counts = np.array([rng.multinomial(2_000, rng.dirichlet([60.0, 30.0, 10.0])) for _ in range(15)], float)
        before, after = counts[:14].sum(0), counts[14]
        plain += share_shift(before, after).p < 0.05
        careful += share_shift(before, after, over_dispersion(counts[:14])).p < 0.05

    assert plain > 100
    assert careful < 30


def test_counts_of_like_periods_are_not_over_dispersed() -> None:
    """Nor is a single period."""
    rng = np.random.default_rng(2)

    assert over_dispersion(rng.multinomial(1_000, [0.5, 0.3, 0.2], 200).astype(float)) < 1.2
    assert over_dispersion(np.array([[3.0, 4.0]])) == 1.0


def test_a_comparison_needs_two_sides() -> None:
    """Nothing against something is no change."""
    with pytest.raises(ValueError, match="both sides"):
        share_shift(np.zeros(2), np.ones(2))
    with pytest.raises(ValueError, match="both sides"):
        difference(np.ones(2), np.zeros(2))


def test_histograms_tell_what_the_raw_values_do() -> None:
    """Distances from bins of 5 % are near to those from all values."""
    rng = np.random.default_rng(3)
    a, b = np.exp(rng.normal(7.0, 0.6, 20_000)), np.exp(rng.normal(7.1, 0.6, 5_000))
    found = difference(_histogram(a), _histogram(b))

    np.testing.assert_allclose(found.ks, stats.ks_2samp(a, b).statistic, atol=0.005)
    np.testing.assert_allclose(found.w1, stats.wasserstein_distance(np.log(a), np.log(b)), atol=0.005)
    assert found.p < 1e-6


def test_equal_distributions_are_told_different_about_as_often_as_promised() -> None:
    """The p-value of 300 pairs of like samples is below 5 % in about 5 % or less."""
    rng = np.random.default_rng(4)
    pairs = (np.exp(rng.normal(7.0, 0.6, (2, 500))) for _ in range(300))
    low = [difference(_histogram(a), _histogram(b)).p < 0.05 for a, b in pairs]

    assert np.mean(low) < 0.08


def test_a_quantile_lies_within_its_bin_and_its_shift_in_the_interval() -> None:
    """The p95 of a distribution that is 20 % slower: the interval covers in about 95 % of the samples."""
    rng = np.random.default_rng(5)
    covered = []
    for _ in range(200):
        a, b = np.exp(rng.normal(7.0, 0.6, 3_000)), 1.2 * np.exp(rng.normal(7.0, 0.6, 1_000))
        found = quantile_shift(_histogram(a), _histogram(b), 0.95)
        covered.append(found.low <= 1.2 <= found.high)

    np.testing.assert_allclose(found.before, np.exp(7.0 + 0.6 * 1.645), rtol=0.1)
    assert 0.9 <= np.mean(covered) <= 1.0


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20).filter(any), st.floats(0, 1), st.floats(0, 1))
def test_quantiles_are_in_order_and_in_range(counts: list[int], one: float, other: float) -> None:
    """Whatever the histogram."""
    histogram = np.array(counts, float)
    low, high = sorted((one, other))

    assert 1.0 <= quantile(histogram, low) <= quantile(histogram, high) <= 1.05 ** len(counts) * (1 + 1e-9)


def test_the_share_of_slow_requests_does_not_move_with_the_level_but_with_a_fault_of_few() -> None:
    """Everyone 30 % slower keeps the share at 5 %; four times slower for one in twenty makes it half as large again."""
    rng = np.random.default_rng(6)
    usual = np.exp(rng.normal(7.0, 0.6, 50_000))
    slow_few = usual.copy()
    slow_few[:2_500] *= 4.0
    centre = np.array([[7.0, 7.0 + np.log(1.3), 7.0]])
    histograms = np.stack([_histogram(usual), _histogram(usual * 1.3), _histogram(slow_few)])[None]
    cut = distance(histograms[:, :1], centre[:, :1])
    shares = slower(histograms, centre + cut[:, None])[0] / 50_000

    np.testing.assert_allclose(shares[:2], 0.05, atol=0.002)
    assert shares[2] > 0.075


def test_a_bin_that_the_cutoff_cuts_counts_in_part() -> None:
    """Half of the bin in the logarithm, and bins may begin anywhere."""
    histogram = np.array([[[4.0, 2.0, 1.0]]])

    assert slower(histogram, np.array([[0.5 * BIN_LOG]])).tolist() == [[5.0]]
    np.testing.assert_allclose(slower(histogram, np.array([[101.5 * BIN_LOG]]), first_bin=100), [[2.0]])
    assert slower(histogram, np.array([[-9.0]])).tolist() == [[7.0]]
