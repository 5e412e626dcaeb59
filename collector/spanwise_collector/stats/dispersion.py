"""How a series varies around its baseline beyond sampling, and how long such variation lasts.

The model of the difference d between a step and its baseline: variance s + l * tau2, where s comes from sampling and
l * tau2 from a latent level that follows a first-order autoregression with correlation phi.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from spanwise_collector.stats.arrays import Bools, Floats, ratio
from spanwise_collector.stats.transforms import MIN_VARIANCE

ROUNDS: Final = 8
CLIP: Final = 3.5
"""Standard deviations beyond which one step says no more about the spread."""
PRIOR_PHI: Final = 0.6
"""Correlation over an hour that is assumed for series that say little about it."""
PRIOR_HOURS: Final = 12.0
PRIOR_STEPS: Final = 5.0
"""Weight of the assumption that half of the variance of a typical step is sampling."""
MAX_PHI: Final = 0.95
MEDIAN_OF_SQUARE: Final = 0.4549
"""Of a squared standard normal variable."""
FITTED: Final = 54
"""Parameters of the baseline: hours x weekend + weekdays - 1."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Latent variance and its correlation over an hour, both [series]."""

    tau2: Floats
    phi: Floats


def pearson(off: Floats, sampling: Floats, latent: Floats, tau2: Floats) -> Floats:
    """Differences divided by their standard deviation under the model."""
    return ratio(off, np.sqrt(sampling + latent * tau2[:, None]))


def estimate_spread(off: Floats, sampling: Floats, latent: Floats, seen: Bools, step_hours: float) -> Spread:
    """By weighted moments, with large differences clipped.

    Args:
        off: observed minus expected, [series, time].
        sampling: variance s of each by sampling alone.
        latent: l, what tau2 is multiplied by.
        seen: False where there is no observation.
        step_hours: length of a step.
    """
    count = seen.sum(-1)
    # The fit has taken a part of the variation away.
    grown = ratio(count.astype(np.float64), np.maximum(count - FITTED, count / 2.0), 1.0)[:, None]
    tau2 = np.zeros(off.shape[0])
    for _ in range(ROUNDS):
        variance = np.maximum(sampling + latent * tau2[:, None], 1e-300)
        excess = np.minimum(off * off * grown, CLIP**2 * variance) - sampling
        weight = np.where(seen, latent / variance / variance, 0.0)
        tau2 = np.maximum(ratio((weight * excess).sum(-1), (weight * latent).sum(-1)), 0.0)
    return Spread(tau2, _correlation(off, sampling, latent, seen, step_hours, tau2))


def _correlation(off: Floats, sampling: Floats, latent: Floats, seen: Bools, step_hours: float, tau2: Floats) -> Floats:
    z = np.where(seen, np.clip(pearson(off, sampling, latent, tau2), -CLIP, CLIP), 0.0)
    share = np.where(seen, ratio(latent * tau2[:, None], sampling + latent * tau2[:, None]), 0.0)
    root = np.sqrt(share)
    products = (z[:, 1:] * z[:, :-1] * root[:, 1:] * root[:, :-1]).sum(-1)
    weights = (share[:, 1:] * share[:, :-1]).sum(-1)
    prior = PRIOR_HOURS / step_hours
    found = (products + prior * PRIOR_PHI**step_hours) / (weights + prior)
    # Bias of a lag-one correlation (Marriott and Pope 1954), and what the fitted seasons took away.
    count = np.maximum(seen.sum(-1), 2.0)
    found = found + (1.0 + 3.0 * found) / count + 0.5 * (FITTED / count) * (1.0 - found)
    return np.asarray(np.clip(found, 0.0, MAX_PHI**step_hours) ** (1.0 / step_hours))


def estimate_within(off: Floats, n: Floats, seen: Bools) -> Floats:
    """Variance of one event where only the scatter of steps with few and with many events can tell.

    The variance of a step is taken as V (s m / n + 1 - s) with the median m of n; s, the share of sampling at m, is a
    regression of the squared differences on m / n, drawn to one half where n hardly varies.

    Args:
        off: observed minus expected, [series, time].
        n: events of each step.
        seen: False where there is no observation.
    """
    typical = median_of(n, seen)
    few = typical[:, None] / n
    share = np.full(len(off), 0.5)
    total = median_of(off * off, seen) / MEDIAN_OF_SQUARE
    for _ in range(ROUNDS):
        form = share[:, None] * few + 1.0 - share[:, None]
        square = np.minimum(ratio(off * off, total[:, None] * form), CLIP**2) * form
        total = total * ratio(np.where(seen, square / form, 0.0).sum(-1), seen.sum(-1).astype(np.float64), 1.0)
        weight = np.where(seen, (few - 1.0) / form**2, 0.0)
        slope = (weight * (square - 1.0)).sum(-1) + PRIOR_STEPS * 0.5
        share = np.clip(slope / ((weight * (few - 1.0)).sum(-1) + PRIOR_STEPS), 0.0, 1.0)
    return np.asarray(np.maximum(total * share * typical, MIN_VARIANCE))


def median_of(values: Floats, seen: Bools) -> Floats:
    """Median over the steps that are seen; 1 for series without any."""
    masked = np.where(seen | ~seen.any(-1, keepdims=True), values, np.nan)
    return np.where(seen.any(-1), np.nanmedian(masked, -1), 1.0)
