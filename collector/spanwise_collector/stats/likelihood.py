"""Likelihood ratios of one step: a change of each tested size against none, given what the filter predicts."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from spanwise_collector.stats.arrays import Floats
from spanwise_collector.stats.filter import CLIP, correct, predict
from spanwise_collector.stats.residuals import Counts, Residuals

MIN_SPREAD: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Likelihood:
    """One step.

    Attributes:
        fresh: log-likelihood ratio of a change that begins at this step, [series, sizes].
        running: of a change that runs since the beginning that `bend` belongs to.
        moved: how much of a running change shows in the prediction error, times its weight.
        weight: what this step weighs for the size of a running change.
        level: the filter's prediction for the next step, [series].
        spread: its variance.
        bend: how far the change will have entered the filter's level by then, [series, sizes].
    """

    fresh: Floats
    running: Floats
    moved: Floats
    weight: Floats
    level: Floats
    spread: Floats
    bend: Floats


def likelihood(level: Floats, spread: Floats, bend: Floats, residuals: Residuals, t: int, tested: Floats) -> Likelihood:
    """Of step `t`; all evidence is 0 where it was not seen.

    Args:
        level: the filter's prediction, [series].
        spread: its variance.
        bend: how far a running change of each size has entered it, [series, sizes].
        residuals: of the steps.
        t: index of the step.
        tested: the sizes, [series, sizes].
    """
    latent, seen = residuals.latent[:, t], residuals.seen[:, t]
    step = correct(level, spread, residuals.z[:, t], latent, seen)
    shift = residuals.shift[:, t]
    added = shift - np.sqrt(latent)[:, None] * bend
    off, variance = step.off[:, None], step.variance[:, None]
    if residuals.counts is None:
        fresh, running = (
            np.where(seen[:, None], (change * off - change**2 / 2.0) / variance, 0.0) for change in (shift, added)
        )
    else:
        left = tested - residuals.counts.tau[:, None] * bend
        fresh, running = (
            np.where(seen[:, None], _count_ratio(level, spread, residuals.counts, t, size), 0.0)
            for size in (tested, left)
        )
    weight = np.where(seen[:, None], added**2 / variance, 0.0)
    bent = residuals.phi[:, None] * (bend + step.gain[:, None] * added)
    next_level, next_spread = predict(step.level, step.spread, residuals.phi)
    return Likelihood(fresh, running, added * off / variance, weight, next_level, next_spread, bent)


def _count_ratio(level: Floats, spread: Floats, counts: Counts, t: int, size: Floats) -> Floats:
    """Of a negative binomial count whose mean is exp(size) times the predicted one (gamma-Poisson mixture)."""
    tau2 = counts.tau**2
    mean = counts.expected[:, t] * np.exp(counts.tau * level + tau2 * (spread - 1.0) / 2.0)
    dispersion = np.maximum(tau2 * spread, MIN_SPREAD)
    k = np.minimum(counts.k[:, t], mean + CLIP * np.sqrt(mean + dispersion * mean**2) + 2.0)
    change = np.log1p((mean * dispersion / (1.0 + mean * dispersion))[:, None] * np.expm1(size))
    return np.asarray(k[:, None] * size - (k + 1.0 / dispersion)[:, None] * change)
