"""The same hours of past weeks: what they say about now, with an interval."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from spanwise_collector.stats.arrays import Floats, ratio


@dataclass(frozen=True, slots=True)
class Usual:
    """On the scale of the values, [series].

    Attributes:
        expected: for now.
        low: lower end of the interval that now should lie in.
        high: upper end.
        weeks: with data.
    """

    expected: Floats
    low: Floats
    high: Floats
    weeks: Floats


def same_hours(past: Floats, past_variance: Floats, variance: Floats, level: float = 0.95) -> Usual:
    """Prediction for now from the same hours of past weeks, by a random-effects mean (DerSimonian and Laird).

    Args:
        past: value of each past week, [series, weeks], such as `transforms.mean` gives them.
        past_variance: their sampling variances; infinity where a week has no data.
        variance: sampling variance of the present value, [series].
        level: of the interval. With fewer than two weeks of data it is without bounds.
    """
    seen = np.isfinite(past_variance)
    weight = np.where(seen, 1.0 / np.where(seen, past_variance, 1.0), 0.0)
    count = seen.sum(1).astype(np.float64)
    fixed = ratio((weight * past).sum(1), weight.sum(1))
    scatter = (weight * (past - fixed[:, None]) ** 2).sum(1)
    spare = weight.sum(1) - ratio((weight**2).sum(1), weight.sum(1))
    tau2 = np.maximum(ratio(scatter - (count - 1.0), spare), 0.0)
    weight = np.where(seen, 1.0 / (np.where(seen, past_variance, 1.0) + tau2[:, None]), 0.0)
    expected = ratio((weight * past).sum(1), weight.sum(1))
    error = np.sqrt(variance + tau2 + ratio(np.ones_like(count), weight.sum(1)))
    quantile = special.stdtrit(np.maximum(count - 1.0, 1.0), 0.5 + level / 2.0)
    width = np.where(count >= 2, quantile * error, np.inf)
    return Usual(expected, expected - width, expected + width, count)
