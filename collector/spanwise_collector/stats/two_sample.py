"""Two groups of different targets: weighted means and the interval of their difference. Pure.

Each value is weighted by the inverse of the probability with which it was chosen (Hájek); its variance is that of the
linearised mean, with targets of one cluster taken together (Särndal, Swensson & Wretman, Model Assisted Survey
Sampling, 1992, section 5.7). Welch's degrees of freedom.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spanwise_collector.stats.tables import normal_quantile, student_quantile, student_two_sided

LEVEL: Final = 0.95
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WeightedMean:
    """A mean and how sure it is.

    Attributes:
        n: values.
        clusters: independent clusters of them.
        mean: weighted.
        error: standard error; infinite where there are fewer than two clusters.
    """

    n: int
    clusters: int
    mean: float
    error: float

    def interval(self) -> tuple[float, float]:
        """The 95 % interval; infinite where nothing can be said."""
        if self.clusters < 2:
            return -math.inf, math.inf
        reach = student_quantile(0.5 + LEVEL / 2, self.clusters - 1) * self.error
        return self.mean - reach, self.mean + reach


@dataclass(frozen=True, slots=True)
class Difference:
    """Second minus first.

    Attributes:
        value: of the means.
        low: end of the 95 % interval.
        high: the other end.
        p_value: two-sided, that there is none.
        error: standard error.
    """

    value: float
    low: float
    high: float
    p_value: float
    error: float


def weighted_mean(values: Floats, weights: Floats, clusters: NDArray[np.int64] | None = None) -> WeightedMean:
    """Mean of values that were chosen with unequal probabilities.

    Args:
        values: finite, at least one.
        weights: one over the probability of each, positive.
        clusters: a number per value; values of one number are not independent. None: all are.

    Raises:
        ValueError: there are no values.
    """
    if not len(values):
        raise ValueError("there are no values")
    total = float(weights.sum())
    mean = float((weights * values).sum()) / total
    rest = weights * (values - mean)
    if clusters is not None:
        _, place = np.unique(clusters, return_inverse=True)
        rest = np.bincount(place, weights=rest).astype(np.float64)
    m = len(rest)
    error = math.sqrt(m / (m - 1) * float((rest**2).sum())) / total if m > 1 else math.inf
    return WeightedMean(len(values), m, mean, error)


def wilson(yes: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share, Wilson (1927): also where it is 0 or 1, and with few.

    Args:
        yes: how many are.
        n: of how many, at least 1.
    """
    z = normal_quantile(0.5 + LEVEL / 2)
    share = yes / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def two_sample(a: WeightedMean, b: WeightedMean) -> Difference:
    """Difference of two independent means, Welch's t."""
    value = b.mean - a.mean
    error = math.hypot(a.error, b.error)
    if not math.isfinite(error):
        return Difference(value, -math.inf, math.inf, 1.0, error)
    if error == 0:
        return Difference(value, value, value, 1.0 if value == 0 else 0.0, 0.0)
    freedom = error**4 / sum(one.error**4 / (one.clusters - 1) for one in (a, b) if one.error)
    reach = student_quantile(0.5 + LEVEL / 2, freedom) * error
    return Difference(value, value - reach, value + reach, student_two_sided(value / error, freedom), error)
