"""Distributions from histograms with bins of 5 %: distance, shift and quantiles, without a single raw value."""

from dataclasses import dataclass

import numpy as np

from spanwise_collector.stats.arrays import Floats
from spanwise_collector.stats.shares import NORMAL_95
from spanwise_collector.stats.tables import kolmogorov_above
from spanwise_collector.stats.tail import BIN_LOG


@dataclass(frozen=True, slots=True)
class Difference:
    """Of two histograms.

    Attributes:
        ks: Kolmogorov-Smirnov distance, in [0, 1].
        p: probability of so large a distance by chance (asymptotic; ties within bins make it cautious).
        w1: Wasserstein distance of the logarithms: 0.1 is a shift of about 10 % of all values.
    """

    ks: float
    p: float
    w1: float


@dataclass(frozen=True, slots=True)
class QuantileShift:
    """Of one quantile.

    Attributes:
        before: value, in the unit of the histogram.
        after: value.
        factor: after over before.
        low: lower end of the 95 % interval of the factor.
        high: upper end.
    """

    before: float
    after: float
    factor: float
    low: float
    high: float


def difference(before: Floats, after: Floats, dispersion: float = 1.0) -> Difference:
    """Compares two histograms over the same bins.

    Args:
        before: counts, [bins].
        after: counts, [bins].
        dispersion: by what the variance exceeds that of independent events; the samples count for so much less.

    Raises:
        ValueError: one of both has no events.
    """
    n0, n1 = float(before.sum()), float(after.sum())
    if n0 <= 0 or n1 <= 0:
        raise ValueError("both sides need events")
    gaps = after.cumsum() / n1 - before.cumsum() / n0
    ks = float(np.abs(gaps).max())
    effective = n0 * n1 / (n0 + n1) / dispersion
    # Stephens' correction of the asymptotic distribution for small samples.
    root = np.sqrt(effective)
    p = kolmogorov_above(ks * (root + 0.12 + 0.11 / root))
    return Difference(ks, p, float(np.abs(gaps).sum() * BIN_LOG))


def quantile(histogram: Floats, share: float, first_bin: int = 0) -> float:
    """Value below which `share` of the events lie, linear in the logarithm within a bin.

    Args:
        histogram: counts, [bins], with at least one event.
        share: in [0, 1].
        first_bin: number of the first bin.
    """
    below = np.concatenate([[0.0], histogram.cumsum()]) / histogram.sum()
    index = min(int(np.searchsorted(below, share, side="right")) - 1, histogram.size - 1)
    inside = below[index + 1] - below[index]
    part = (share - below[index]) / inside if inside > 0 else 1.0
    return float(np.exp((first_bin + index + min(part, 1.0)) * BIN_LOG))


def quantile_shift(
    before: Floats, after: Floats, share: float, dispersion: float = 1.0, first_bin: int = 0
) -> QuantileShift:
    """How a quantile moved, with an interval from those of both sides (Woodruff 1952; Donner and Zou 2012).

    Args:
        before: counts, [bins].
        after: counts.
        share: which quantile, in (0, 1).
        dispersion: see `difference`.
        first_bin: number of the first bin.
    """
    value0, low0, high0 = _logs(before, share, dispersion, first_bin)
    value1, low1, high1 = _logs(after, share, dispersion, first_bin)
    shift = value1 - value0
    low = shift - np.hypot(value1 - low1, high0 - value0)
    high = shift + np.hypot(high1 - value1, value0 - low0)
    return QuantileShift(*(float(np.exp(x)) for x in (value0, value1, shift, low, high)))


def _logs(histogram: Floats, share: float, dispersion: float, first_bin: int) -> tuple[float, float, float]:
    width = NORMAL_95 * float(np.sqrt(dispersion * share * (1.0 - share) / histogram.sum()))
    shares = (share, max(share - width, 0.0), min(share + width, 1.0))
    value, low, high = (float(np.log(quantile(histogram, one, first_bin))) for one in shares)
    return value, low, high
