"""Quantiles and tail probabilities are those of `scipy.stats`, which takes longer to import."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spanwise_collector.stats.tables import (
    binomial_two_sided,
    chi2_above,
    kolmogorov_above,
    normal_above,
    normal_below,
    normal_quantile,
    poisson_above,
    student_quantile,
    student_two_sided,
)

X = st.floats(-40, 40) | st.sampled_from([float("inf"), float("-inf")])
P = st.floats(1e-12, 1 - 1e-12)
FREEDOM = st.floats(0.5, 1e6)


def near(wanted: float) -> object:
    """As far as two ways to compute it agree."""
    return pytest.approx(wanted, rel=1e-9, abs=1e-290, nan_ok=True)


@given(X, P)
def test_normal(x: float, p: float) -> None:
    """Far in the tails, too."""
    assert normal_below(x) == near(stats.norm.cdf(x))
    assert normal_above(x) == near(stats.norm.sf(x))
    assert normal_quantile(p) == near(stats.norm.ppf(p))


@given(X, P, FREEDOM)
def test_student(x: float, p: float, freedom: float) -> None:
    """Also with a fraction of a degree of freedom, as Welch's formula gives it."""
    assert student_quantile(p, freedom) == near(stats.t.ppf(p, freedom))
    assert student_two_sided(x, freedom) == near(2 * stats.t.sf(abs(x), freedom))


@given(st.floats(0, 1e4), st.integers(1, 200))
def test_chi_square(x: float, freedom: int) -> None:
    """Of a value of 0 or more."""
    assert chi2_above(x, freedom) == near(stats.chi2.sf(x, freedom))


@given(st.floats(-2, 1e4), st.floats(0, 1e4))
def test_poisson(count: float, mean: float) -> None:
    """Of counts between two whole numbers and below 0; where nothing is expected, too."""
    assert poisson_above(count, mean) == near(stats.poisson.sf(count, mean))


@given(st.floats(0, 30))
def test_kolmogorov(x: float) -> None:
    """Of a distance of 0 or more."""
    assert kolmogorov_above(x) == near(stats.kstwobign.sf(x))


@given(st.integers(0, 200), st.integers(0, 200), st.floats(0.01, 0.99))
def test_binomial(yes: int, no: int, share: float) -> None:
    """The exact test; no trial says nothing."""
    wanted = stats.binomtest(yes, yes + no, share).pvalue if yes + no else 1.0
    assert binomial_two_sided(yes, yes + no, share) == near(wanted)


def test_a_collector_starts_without_scipy_stats() -> None:
    """Whatever of the service is imported."""
    code = "import sys, spanwise_collector.service; print('scipy.stats' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert told.stdout.strip() == "False"
