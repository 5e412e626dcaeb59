"""What each leaf would be had nothing changed: main effects of the reference window, and its own counts.

Leaves are many and thin, so a leaf's own reference says little. A model of main effects carries what is usual for each
value (a tool that always fails more often, a slow route), without which every such slice would look as if it had moved
when leaves are shrunk towards the mean of all.
"""

from typing import Final

import numpy as np

from spanwise_collector.attribution.leaves import Leaves, Moments
from spanwise_collector.stats.arrays import Floats, ratio
from spanwise_collector.stats.transforms import MIN_VARIANCE

PRIOR: Final = 100.0
"""Events that a prior counts for, of a value as of a leaf."""
SWEEPS: Final = 4
_HIGHEST_RATE: Final = 0.999
_FEW: Final = 10.0


def expected_rates(leaves: Leaves) -> Floats:
    """Rate of each leaf: a product of factors by value, fitted in turns (iterative proportional fitting)."""
    overall = (float(leaves.before.total.sum()) + 0.5) / (float(leaves.before.n.sum()) + 1.0)
    return np.minimum(_products(leaves, overall), _HIGHEST_RATE)


def expected_amounts(leaves: Leaves) -> Floats:
    """Mean amount of each leaf, as a product of factors too; above 0."""
    overall = float(ratio(leaves.before.total.sum(), leaves.before.n.sum()))
    return np.maximum(_products(leaves, max(overall, MIN_VARIANCE)), MIN_VARIANCE)


def _products(leaves: Leaves, overall: float) -> Floats:
    n, total = leaves.before.n, leaves.before.total
    means = np.full(n.size, overall)
    for _ in range(SWEEPS):
        for place, size in enumerate(leaves.sizes):
            codes = leaves.codes[:, place]
            seen = np.bincount(codes, total, size) + PRIOR * overall
            modelled = np.bincount(codes, n * means, size) + PRIOR * overall
            means = means * (seen / modelled)[codes]
    return (total + PRIOR * means) / (n + PRIOR)


def expected_means(leaves: Leaves) -> Floats:
    """Mean of each leaf: a sum of terms by value, fitted in turns (backfitting)."""
    n, total = leaves.before.n, leaves.before.total
    means = np.full(n.size, float(ratio(total.sum(), n.sum())))
    for _ in range(SWEEPS):
        for place, size in enumerate(leaves.sizes):
            codes = leaves.codes[:, place]
            missing = np.bincount(codes, total - n * means, size)
            means = means + (missing / (np.bincount(codes, n, size) + PRIOR))[codes]
    return (total + PRIOR * means) / (n + PRIOR)


def leaf_variances(before: Moments, means: Floats) -> Floats:
    """Variance of one event's value around the expected mean of its leaf, shrunk towards that of all leaves.

    Args:
        before: the reference window, by leaf.
        means: expected mean of each leaf.
    """
    around = np.maximum(before.squares - 2.0 * means * before.total + before.n * means**2, 0.0)
    typical = max(float(ratio(around.sum(), before.n.sum())), MIN_VARIANCE)
    return (around + _FEW * typical) / (before.n + _FEW)
