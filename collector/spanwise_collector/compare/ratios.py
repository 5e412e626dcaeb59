"""Ratios of sums with intervals that hold although neighbouring requests resemble each other.

Every number that is compared is a ratio of two sums: failures over requests, logarithms of latency over requests, cost
over calls. Its variance is taken between steps of time and not between requests, as if each step were one observation
(the cluster-robust, or linearised, variance of a ratio: Cochran, Sampling Techniques, 3rd ed., 6.3), since requests of
one hour share their load, their provider and their luck.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from spanwise_collector.stats.tables import student_quantile, student_two_sided

Floats = npt.NDArray[np.float64]
MIN_STEPS: Final = 6
"""Fewer steps with data tell no variance."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of sums.

    Attributes:
        value: the numerators' sum over the denominators'.
        error: its standard error.
        n: the denominators' sum.
        steps: steps with data.
    """

    value: float
    error: float
    n: float
    steps: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One ratio minus another.

    Attributes:
        value: b minus a.
        error: its standard error.
        freedom: degrees of freedom of the t distribution (Welch and Satterthwaite).
        p: two-sided p-value of no difference.
    """

    value: float
    error: float
    freedom: float
    p: float

    def interval(self, level: float) -> tuple[float, float]:
        """Both ends of an interval that covers with probability `level`."""
        half = student_quantile(0.5 + level / 2, self.freedom) * self.error
        return self.value - half, self.value + half


def ratio(numerators: Floats, denominators: Floats) -> Ratio | None:
    """A ratio of sums over steps of time; None where it cannot be told.

    Args:
        numerators: by step.
        denominators: by step, not negative; steps where it is 0 are left out.
    """
    used = denominators > 0
    top, under = numerators[used], denominators[used]
    steps, n = int(used.sum()), float(under.sum())
    if steps < MIN_STEPS:
        return None
    value = float(top.sum() / n)
    residuals = top - value * under
    variance = float(residuals @ residuals) * steps / (steps - 1) / n**2
    return Ratio(value, float(np.sqrt(variance)), n, steps)


def difference(a: Ratio, b: Ratio, *, floor: float = 0.0) -> Difference:
    """B minus a.

    Args:
        a: one side.
        b: the other, of other requests.
        floor: standard error below which neither side's is believed, such as that of one failure more or less.
    """
    error_a, error_b = max(a.error, floor), max(b.error, floor)
    error = float(np.hypot(error_a, error_b))
    value = b.value - a.value
    if error == 0:
        return Difference(value, 0.0, 1.0, 1.0 if value == 0 else 0.0)
    freedom = error**4 / (error_a**4 / (a.steps - 1) + error_b**4 / (b.steps - 1))
    p = student_two_sided(value / error, freedom)
    return Difference(value, error, freedom, p)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted so that all of them together are wrong as rarely as one (Holm 1979)."""
    count = len(p_values)
    adjusted = [0.0] * count
    highest = 0.0
    for rank, place in enumerate(sorted(range(count), key=lambda place: p_values[place])):
        highest = max(highest, min(1.0, (count - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted
