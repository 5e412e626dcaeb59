"""The share of slow requests as a rate of its own: what hits a few per cent of the traffic hardly moves a mean.

Slow is relative to what is typical at the moment, so that the share says something the mean does not: a provider that
is slower for all moves the mean, a fault in one of twenty requests moves this share.
"""

from typing import Final

import numpy as np

from spanwise_collector.stats.arrays import Floats

BIN_LOG: Final = float(np.log(1.05))
"""Width of a histogram's bin: bin i has values with i <= ln(x) / ln(1.05) < i + 1."""
SHARE: Final = 0.05
"""Of the requests of the baseline that count as slow."""
_ROUNDS: Final = 40
_WIDEST: Final = 12.0


def slower(histograms: Floats, cutoff: Floats, first_bin: int = 0) -> Floats:
    """How many values are above a cutoff; a bin that it cuts counts in part.

    Args:
        histograms: counts by bin, [series, time, bins].
        cutoff: natural logarithm of the value, [series, time].
        first_bin: number of the first bin.
    """
    bins = histograms.shape[-1]
    above = np.zeros((*histograms.shape[:-1], bins + 1))
    above[..., :bins] = histograms[..., ::-1].cumsum(-1)[..., ::-1]
    place = np.clip(cutoff / BIN_LOG - first_bin, 0.0, bins - 1e-9)
    whole = place.astype(np.int64)
    part = place - whole
    low = np.take_along_axis(above, whole[..., None], -1)[..., 0]
    high = np.take_along_axis(above, whole[..., None] + 1, -1)[..., 0]
    return np.asarray(low * (1.0 - part) + high * part)


def distance(histograms: Floats, centre: Floats, share: float = SHARE, first_bin: int = 0) -> Floats:
    """How far above the centre, as a logarithm, the slow ones begin in these histograms: [series].

    Args:
        histograms: of the baseline, [series, time, bins].
        centre: logarithm of what was typical at each step: expected by the baseline, plus `filter.levels`.
        share: that is slow.
        first_bin: number of the first bin.
    """
    wanted = share * histograms.sum((1, 2))
    low, high = np.zeros(len(histograms)), np.full(len(histograms), _WIDEST)
    for _ in range(_ROUNDS):
        middle = (low + high) / 2.0
        many = slower(histograms, centre + middle[:, None], first_bin).sum(1) > wanted
        low, high = np.where(many, middle, low), np.where(many, high, middle)
    return np.asarray((low + high) / 2.0)
