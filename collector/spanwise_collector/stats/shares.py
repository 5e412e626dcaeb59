"""Shares of categories before and after: which moved, how far, and whether chance would do."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from spanwise_collector.stats.arrays import Floats, ratio
from spanwise_collector.stats.tables import chi2_above, normal_above

NORMAL_95: Final = 1.959964


@dataclass(frozen=True, slots=True)
class ShareShift:
    """Of one series.

    Attributes:
        before: share of each category, [categories].
        after: the same.
        low: lower end of the 95 % interval of after minus before, [categories].
        high: upper end.
        z: difference in standard errors, [categories].
        largest: index of the category with the largest |z|.
        p_largest: probability of so large a |z| by chance in any category (Bonferroni).
        g: G statistic of independence, divided by the over-dispersion.
        p: probability of so large a G by chance.
        cramers_v: strength of the association, in [0, 1].
        distance: total variation distance, in [0, 1]: the share of events that have moved.
    """

    before: Floats
    after: Floats
    low: Floats
    high: Floats
    z: Floats
    largest: int
    p_largest: float
    g: float
    p: float
    cramers_v: float
    distance: float


def share_shift(before: Floats, after: Floats, dispersion: float = 1.0) -> ShareShift:
    """Compares counts by category.

    Args:
        before: counts, [categories].
        after: counts.
        dispersion: by what the variance of the counts exceeds that of independent events; see `over_dispersion`.

    Raises:
        ValueError: one of both has no events.
    """
    n0, n1 = float(before.sum()), float(after.sum())
    if n0 <= 0 or n1 <= 0:
        raise ValueError("both sides need events")
    p0, p1 = before / n0, after / n1
    pooled = (before + after) / (n0 + n1)
    difference = p1 - p0
    z = ratio(difference, np.sqrt(dispersion * pooled * (1.0 - pooled) * (1.0 / n0 + 1.0 / n1)))
    # Agresti and Caffo: one event more of each kind keeps the interval honest near 0 and 1.
    a0, a1 = (before + 1.0) / (n0 + 2.0), (after + 1.0) / (n1 + 2.0)
    width = NORMAL_95 * np.sqrt(dispersion * (a0 * (1.0 - a0) / (n0 + 2.0) + a1 * (1.0 - a1) / (n1 + 2.0)))
    used = int((pooled > 0).sum())
    largest = int(np.abs(z).argmax())
    g = 2.0 * (_information(before, pooled * n0) + _information(after, pooled * n1))
    scaled = g / dispersion
    return ShareShift(
        p0,
        p1,
        np.maximum(difference - width, -1.0),
        np.minimum(difference + width, 1.0),
        z,
        largest,
        float(min(1.0, used * 2.0 * normal_above(abs(z[largest])))),
        float(scaled),
        chi2_above(scaled, used - 1) if used > 1 else 1.0,
        float(np.sqrt(g / (n0 + n1))),
        float(np.abs(difference).sum() / 2.0),
    )


def over_dispersion(counts: Floats) -> float:
    """Pearson's statistic over its degrees of freedom for counts of several like periods, at least 1.

    Args:
        counts: by period and category, [periods, categories]; periods without events are left out.
    """
    counts = counts[counts.sum(1) > 0][:, counts.sum(0) > 0]
    periods, categories = counts.shape
    if periods < 2 or categories < 2:
        return 1.0
    expected = counts.sum(1, keepdims=True) * counts.sum(0) / counts.sum()
    pearson = float(((counts - expected) ** 2 / expected).sum())
    return float(max(1.0, pearson / ((periods - 1) * (categories - 1))))


def _information(counts: Floats, expected: Floats) -> float:
    some = counts > 0
    return float((counts[some] * np.log(counts[some] / expected[some])).sum())
