"""From leaf counts of two windows to what moved the number."""

from typing import Final

import numpy as np

from spanwise_collector.attribution.evidence import Kind
from spanwise_collector.attribution.leaves import Leaves, Moments
from spanwise_collector.attribution.mix import Z95, split_by, variance_of_mean
from spanwise_collector.attribution.model import Attribution, Slice, SliceEffect, Total
from spanwise_collector.attribution.scan import MAX_SLICES, Cause, Direction, Scan

MAX_RANKING: Final = 10


def attribute(
    leaves: Leaves, kind: Kind, *, direction: Direction | None = None, exposure: float = 1.0, most: int = MAX_SLICES
) -> Attribution:
    """Find the slices that moved the number, and split the difference by each dimension.

    Args:
        leaves: both windows.
        kind: what the number is.
        direction: which way slices must have moved; without, the way of the total.
        exposure: for sums: length of the window after over that of the one before.
        most: slices to name.
    """
    total = total_of(leaves, kind, exposure)
    way: Direction = direction or ("up" if total.difference > 0 else "down" if total.difference < 0 else "both")
    scan = Scan(leaves, kind, direction=way, exposure=exposure)
    ranking = tuple(dict.fromkeys(one for cause in scan.ranked() for one in cause.slices))
    effects = [effect for cause in scan.causes(most) for effect in _effects(leaves, kind, exposure, total, cause)]
    dimensions = (
        split_by(leaves, dimension, kind, exposure)
        for dimension, size in zip(leaves.dimensions, leaves.sizes, strict=True)
        if size > 1
    )
    return Attribution(total, tuple(effects[:most]), ranking[:MAX_RANKING], tuple(dimensions))


def total_of(leaves: Leaves, kind: Kind, exposure: float = 1.0) -> Total:
    """The number itself, with the interval of its difference."""
    before, after, difference, half = _difference(leaves, kind, exposure, Slice())
    n_before, n_after = float(leaves.before.n.sum()), float(leaves.after.n.sum())
    return Total(n_before, n_after, before, after, difference, difference - half, difference + half)


def _effects(leaves: Leaves, kind: Kind, exposure: float, total: Total, cause: Cause) -> list[SliceEffect]:
    effects = []
    for one, excess, gain in zip(cause.slices, cause.excess, cause.gains, strict=True):
        members = leaves.members(one)
        n_before, n_after = leaves.before.within(members)[0], leaves.after.within(members)[0]
        before, after, difference, half = _difference(leaves, kind, exposure, one)
        if before is None and kind != "sum":
            # Nothing to compare with but what was expected of it.
            difference = excess / n_after
        contribution = excess if kind == "sum" else excess / max(total.n_after, 1.0)
        share = contribution / total.difference if total.difference else float("nan")
        effects.append(
            SliceEffect(
                one, n_before, n_after, before, after, contribution, share, difference - half, difference + half, gain
            )
        )
    return effects


def _difference(
    leaves: Leaves, kind: Kind, exposure: float, one: Slice
) -> tuple[float | None, float | None, float, float]:
    """Value before and after in a slice, their difference, and half the width of its 95 % interval."""
    members = leaves.members(one)
    then, now = (
        Moments(*(np.array([part]) for part in side.within(members))) for side in (leaves.before, leaves.after)
    )
    if kind == "sum":
        variance = float(now.squares[0] + exposure**2 * then.squares[0])
        before, after = exposure * float(then.total[0]), float(now.total[0])
        return before, after, after - before, Z95 * variance**0.5
    variance = float(variance_of_mean(then, kind)[0] + variance_of_mean(now, kind)[0])
    mean_before = float(then.total[0] / then.n[0]) if then.n[0] > 0 else None
    mean_after = float(now.total[0] / now.n[0]) if now.n[0] > 0 else None
    moved = 0.0 if mean_before is None or mean_after is None else mean_after - mean_before
    return mean_before, mean_after, moved, Z95 * variance**0.5
