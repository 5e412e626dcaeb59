"""Data that should be there and is not."""

from dataclasses import dataclass

import numpy as np

from spanwise_collector.stats.arrays import Floats
from spanwise_collector.stats.baseline import Baseline
from spanwise_collector.stats.residuals import MIN_TAU2
from spanwise_collector.stats.seasons import Steps


@dataclass(frozen=True, slots=True)
class Silence:
    """How surprising it is to see nothing in a window, [series].

    Attributes:
        expected: events.
        chance: probability of none.
    """

    expected: Floats
    chance: Floats


def silence(baseline: Baseline, window: Steps) -> Silence:
    """Of a window, by the baseline of a count.

    The chance is that of a negative binomial count, which is never below the Poisson one exp(-expected): the level of
    the whole window may be low.

    Args:
        baseline: of kind "count".
        window: its steps.
    """
    expected = np.exp(baseline.expected(window)).sum(1) * window.hours
    tau2 = np.maximum(baseline.tau2, MIN_TAU2)
    return Silence(expected, np.exp(-np.log1p(tau2 * expected) / tau2))
