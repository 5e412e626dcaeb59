"""From the sums that a roll-up keeps to one value per step and how much it says.

The sampling variance of a step's value `y` is `within / n`: `within` belongs to the series and `n` to the step. Steps
without events have n = 0 and weigh nothing.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from spanwise_collector.stats.arrays import Floats, ratio

MIN_VARIANCE: Final = 1e-12
"""A series whose values never differ still has a variance above zero."""


@dataclass(frozen=True, slots=True)
class Values:
    """What is tested.

    Attributes:
        y: on the scale of the test, [series, time].
        n: events behind it, [series, time].
        within: variance of one event, pooled over time, [series]; None where only the scatter of y can tell.
        is_log_of_mean: y is the logarithm of a mean, too low by half its variance on average.
    """

    y: Floats
    n: Floats
    within: Floats | None
    is_log_of_mean: bool = False

    @property
    def variance(self) -> Floats:
        """Sampling variance of y; infinity where there was no event.

        Raises:
            ValueError: `within` is not known.
        """
        if self.within is None:
            raise ValueError("the variance of these values is estimated with their baseline")
        return ratio(np.broadcast_to(self.within[:, None], self.n.shape), self.n, np.inf)


def mean(n: Floats, total: Floats, squares: Floats) -> Values:
    """Mean of values; for a mean logarithm pass the sums of ln x and of (ln x)^2.

    Args:
        n: events, [series, time].
        total: sum of the values.
        squares: sum of their squares.
    """
    y = ratio(total, n)
    inside = np.maximum(squares - n * y * y, 0.0).sum(-1)
    spare = np.maximum(n - 1.0, 0.0).sum(-1)
    # Where no step has two events, the spread between all of them is what is known.
    count = n.sum(-1)
    between = ratio(squares.sum(-1), count) - ratio(total.sum(-1), count) ** 2
    return Values(y, n, np.maximum(np.where(spare > 0, ratio(inside, spare), between), MIN_VARIANCE))


def weighted_mean(weight: Floats, weight_squares: Floats, total: Floats, squares: Floats) -> Values:
    """Mean of scores that were sampled with known probabilities (Hajek's estimate); n is Kish's effective sample size.

    Args:
        weight: sum of the weights 1/probability, [series, time].
        weight_squares: sum of the squared weights.
        total: sum of weight times value.
        squares: sum of weight times squared value.
    """
    effective = ratio(weight**2, weight_squares)
    scale = ratio(effective, weight)
    return mean(effective, total * scale, squares * scale)


def arcsine(k: Floats, n: Floats) -> Values:
    """Rate of k events in n with constant variance: asin(sqrt((k + 3/8)/(n + 3/4))), variance 1/(4n + 2) (Anscombe).

    For rates that are not rare; `baseline.fit_count` is for rare ones.
    """
    share = np.where(n > 0, (k + 0.375) / (n + 0.75), 0.0)
    return Values(
        np.arcsin(np.sqrt(np.clip(share, 0.0, 1.0))), np.where(n > 0, n + 0.5, 0.0), np.full(n.shape[:-1], 0.25)
    )


def rate_of(y: Floats) -> Floats:
    """The rate, in [0, 1], that `arcsine` maps to `y`."""
    return np.asarray(np.sin(np.clip(y, 0.0, np.pi / 2)) ** 2)


def log_volume(n: Floats) -> Values:
    """Logarithm of a count, with the variance 1/n of a Poisson count."""
    return Values(np.log(np.maximum(n, 1.0)), n, np.ones(n.shape[:-1]))


def log_ratio(total: Floats, n: Floats) -> Values:
    """Logarithm of a sum over a count, such as cost per request, where squares of single values are not kept."""
    usable = (total > 0) & (n > 0)
    return Values(np.log(np.where(usable, ratio(total, n), 1.0)), np.where(usable, n, 0.0), None, is_log_of_mean=True)


def log_sum(total: Floats, n: Floats) -> Values:
    """Logarithm of a sum over a step, such as spend, of n events."""
    usable = (total > 0) & (n > 0)
    return Values(np.log(np.where(usable, total, 1.0)), np.where(usable, n, 0.0), None, is_log_of_mean=True)
