"""Quantiles and tail probabilities of the usual distributions, from `scipy.special`.

`scipy.stats` has them too, but importing it takes a fifth of the time in which a collector starts.
"""

from scipy import special


def normal_quantile(p: float) -> float:
    """Of the standard normal distribution; `p` in (0, 1)."""
    return float(special.ndtri(p))


def normal_below(x: float) -> float:
    """Probability of a standard normal value of at most `x`."""
    return float(special.ndtr(x))


def normal_above(x: float) -> float:
    """Probability of a standard normal value above `x`."""
    return float(special.ndtr(-x))


def student_quantile(p: float, freedom: float) -> float:
    """Of Student's distribution; `p` in (0, 1), `freedom` above 0."""
    return float(special.stdtrit(freedom, p))


def student_two_sided(t: float, freedom: float) -> float:
    """Probability of a value of Student's distribution as far from 0 as `t`, on either side."""
    return float(2 * special.stdtr(freedom, -abs(t)))


def chi2_above(x: float, freedom: float) -> float:
    """Probability of a chi-square value above `x`."""
    return float(special.chdtrc(freedom, x))


def poisson_above(count: float, mean: float) -> float:
    """Probability of a Poisson count above `count`, which need not be whole; `mean` at least 0."""
    return float(special.pdtrc(count, mean)) if count >= 0 else 1.0


def kolmogorov_above(x: float) -> float:
    """Probability of a value of Kolmogorov's limiting distribution above `x`."""
    return float(special.kolmogorov(x))


def binomial_two_sided(count: int, n: int, share: float) -> float:
    """Probability of an outcome of `n` trials that is as unlikely as `count` or more so; 1 without a trial."""
    if not n:
        return 1.0
    from scipy.stats import binomtest  # by who needs it: see above

    return float(binomtest(count, n, share).pvalue)
