"""Intervals of 95 %: for shares also with few values and near 0 and 1, for other means with Student's quantiles."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from spanwise_collector.means.sums import Sums

CONFIDENCE: Final = 0.95
Z: Final = float(special.ndtri(0.5 + CONFIDENCE / 2))
_TINY: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and how sure it is.

    Attributes:
        mean: None where there is no value.
        low: lower end of the 95 % interval; None where nothing can be said of it: fewer than two values, or graded
            values that are all the same.
        high: upper end, likewise.
        n: values behind it.
        effective: so many values chosen with equal chances would say as much.
        dropped: values that could not be used.
    """

    mean: float | None
    low: float | None
    high: float | None
    n: int
    effective: float
    dropped: int = 0

    @property
    def width(self) -> float:
        """Of the interval; infinity where there is none."""
        return self.high - self.low if self.low is not None and self.high is not None else float("inf")


def quantile(degrees: float) -> float:
    """Two-sided 95 % quantile of Student's distribution; infinity without a degree of freedom."""
    return float(special.stdtrit(degrees, 0.5 + CONFIDENCE / 2)) if degrees > 0 else float("inf")


def wilson(share: float, n: float, z: float = Z) -> tuple[float, float]:
    """Wilson's interval of a share (JASA 22, 1927): inside [0, 1], sensible with few values and at 0 and 1.

    Args:
        share: in [0, 1].
        n: values behind it, above 0; need not be whole.
        z: quantile.
    """
    if not np.isfinite(z):
        return 0.0, 1.0
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(max(share * (1 - share), 0.0) / n + z * z / (4 * n * n))
    # At the ends the formula is 0 and 1 up to rounding.
    low = 0.0 if share <= 0 else float(middle - half)
    high = 1.0 if share >= 1 else float(middle + half)
    return max(low, 0.0), min(high, 1.0)


def estimate(sums: Sums) -> Estimate:
    """The mean of scores that were chosen with known chances, with its 95 % interval.

    Shares of yes have Wilson's interval at the effective sample size share (1 - share) / variance (Korn and Graubard
    1998), all others mean ± t s, with Kish's effective sample size minus one degrees of freedom.
    """
    if not sums.n:
        return Estimate(None, None, None, 0, 0.0, sums.dropped)
    mean, effective = sums.mean, sums.effective
    unequal = effective < sums.n * (1 - 1e-9)
    if sums.yes_no:
        size = size_of_share(mean, sums.variance, effective)
        low, high = wilson(mean, min(size, float(sums.n)), quantile(effective - 1) if unequal else Z)
        return Estimate(mean, low, high, sums.n, effective, sums.dropped)
    if sums.n < 2 or sums.high - sums.low < _TINY:
        return Estimate(mean, None, None, sums.n, effective, sums.dropped)
    half = quantile(effective - 1) * float(np.sqrt(sums.variance * sums.n / (sums.n - 1)))
    if not np.isfinite(half):
        return Estimate(mean, None, None, sums.n, effective, sums.dropped)
    low, high = within(mean - half, mean + half, sums.low, sums.high)
    return Estimate(mean, low, high, sums.n, effective, sums.dropped)


def size_of_share(share: float, variance: float, otherwise: float) -> float:
    """So many values chosen with equal chances would have this variance; `otherwise` where all values are the same."""
    inside = share * (1 - share)
    return inside / variance if variance > _TINY and inside > _TINY else otherwise


def within(low: float, high: float, smallest: float, largest: float) -> tuple[float, float]:
    """An interval kept in [0, 1] where all values are."""
    return (max(low, 0.0), min(high, 1.0)) if smallest >= 0 and largest <= 1 else (low, high)
