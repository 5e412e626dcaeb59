"""The total's difference by the values of one dimension: because they are more frequent, or because they changed.

With shares w and means mu of the values, before (0) and after (1), and the total m0 before:

    m1 - m0 = sum (w1 - w0) (mu0 - m0)  +  sum w1 (mu1 - mu0)
              mix                          rate

A value that is new has no mean before: all that it adds counts as rate, against m0. Of a sum, mix is what more or fewer
events would have made of it at the mean before, and rate is the rest.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from spanwise_collector.attribution.evidence import Kind
from spanwise_collector.attribution.leaves import Leaves, Moments
from spanwise_collector.attribution.model import DimensionSplit, ValueSplit
from spanwise_collector.stats.arrays import Floats, ratio

Z95: Final = 1.959963984540054


def split_by(leaves: Leaves, dimension: str, kind: Kind, exposure: float = 1.0) -> DimensionSplit:
    """Split by a dimension of the leaves; see `split`.

    Raises:
        ValueError: there is no such dimension.
    """
    place = leaves.dimensions.index(dimension)
    codes, size = leaves.codes[:, place], leaves.sizes[place]
    before, after = leaves.before.by(codes, size), leaves.after.by(codes, size)
    return split(dimension, leaves.values[place], before, after, kind, exposure)


def split(
    dimension: str, values: Sequence[str], before: Moments, after: Moments, kind: Kind, exposure: float = 1.0
) -> DimensionSplit:
    """Split the difference of the total.

    Args:
        dimension: its name.
        values: of the dimension.
        before: sums of the window before, by value.
        after: sums of the window after, by value.
        kind: what the number is.
        exposure: for sums: length of the window after over that of the one before.

    Returns:
        The parts of each value, the largest first. Mix and rate of all add up to the difference. Intervals are normal
        ones from the variances within values and of the shares (delta method).
    """
    n = exposure * before.n
    mean_before, mean_after = ratio(before.total, before.n), ratio(after.total, after.n)
    spread_before, spread_after = variance_of_mean(before, kind), variance_of_mean(after, kind)
    if kind == "sum":
        value_before, value_after = exposure * before.total, after.total
        known = np.where(before.n > 0, mean_before, mean_after)
        mix = (after.n - n) * known
        rate = (value_after - value_before) - mix
        variance = after.squares + exposure**2 * before.squares
    else:
        value_before, value_after = mean_before, mean_after
        overall = float(ratio(before.total.sum(), before.n.sum()))
        share_before, share_after = ratio(before.n, before.n.sum()), ratio(after.n, after.n.sum())
        known = np.where(before.n > 0, mean_before, overall)
        mix = (share_after - share_before) * (known - overall)
        rate = share_after * (mean_after - known)
        variance = share_after**2 * spread_after + share_before**2 * spread_before
        # The parts depend on the shares through the distance from the total before.
        variance += _of_share(share_after, after.n.sum()) * (mean_after - overall) ** 2
        variance += _of_share(share_before, before.n.sum()) * (known - overall) ** 2
    half = Z95 * np.sqrt(variance)
    parts = mix + rate
    return DimensionSplit(
        dimension,
        tuple(
            ValueSplit(
                values[place],
                float(before.n[place]),
                float(after.n[place]),
                float(value_before[place]) if before.n[place] > 0 else None,
                float(value_after[place]) if after.n[place] > 0 else None,
                float(mix[place]),
                float(rate[place]),
                float(parts[place] - half[place]),
                float(parts[place] + half[place]),
            )
            for place in np.argsort(-np.abs(parts), kind="stable")
            if before.n[place] > 0 or after.n[place] > 0
        ),
    )


def variance_of_mean(moments: Moments, kind: Kind) -> Floats:
    """Variance of a mean from its sums; of a rate as if one more event of each sort had been seen. 0 without events."""
    if kind == "rate":
        rate = (moments.total + 1.0) / (moments.n + 2.0)
        return ratio(rate * (1.0 - rate), moments.n)
    within = np.maximum(moments.squares - ratio(moments.total**2, moments.n), 0.0)
    return ratio(within, moments.n * np.maximum(moments.n - 1.0, 1.0))


def _of_share(share: Floats, n: float) -> Floats:
    return share * (1.0 - share) / max(float(n), 1.0)
