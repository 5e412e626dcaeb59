"""The slowly varying level under noise: a Kalman filter of a first-order autoregression with variance 1."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from spanwise_collector.stats.arrays import Bools, Floats
from spanwise_collector.stats.baseline import Baseline
from spanwise_collector.stats.residuals import Residuals

CLIP: Final = 5.0
"""Standard deviations that one prediction error counts at most."""


@dataclass(frozen=True, slots=True)
class Correction:
    """One step of the filter, [series].

    Attributes:
        off: prediction error, clipped.
        variance: of the prediction error.
        gain: by what the level follows the error; 0 where nothing was seen.
        level: with the step taken in.
        spread: variance of the level with the step taken in.
    """

    off: Floats
    variance: Floats
    gain: Floats
    level: Floats
    spread: Floats


def correct(level: Floats, spread: Floats, z: Floats, latent: Floats, seen: Bools) -> Correction:
    """Takes one step in.

    Args:
        level: prediction, [series].
        spread: its variance.
        z: standardised residual; its part sqrt(latent) is the level.
        latent: see `Residuals.latent`.
        seen: False where there is no observation.
    """
    root = np.sqrt(latent)
    variance = latent * spread + 1.0 - latent
    limit = CLIP * np.sqrt(variance)
    off = np.where(seen, np.clip(z - root * level, -limit, limit), 0.0)
    gain = np.where(seen, root * spread / variance, 0.0)
    return Correction(off, variance, gain, level + gain * off, spread * (1.0 - gain * root))


def predict(level: Floats, spread: Floats, phi: Floats) -> tuple[Floats, Floats]:
    """Level and variance one step later."""
    return phi * level, phi**2 * spread + 1.0 - phi**2


def levels(residuals: Residuals, baseline: Baseline) -> Floats:
    """By how much the slow variation is off the baseline at each step, on the baseline's scale: [series, time].

    Begins with no knowledge; some hours before the first step of interest are enough.
    """
    found = np.zeros_like(residuals.z)
    level, spread = np.zeros(len(found)), np.ones(len(found))
    for t in range(found.shape[1]):
        step = correct(level, spread, residuals.z[:, t], residuals.latent[:, t], residuals.seen[:, t])
        found[:, t] = step.level
        level, spread = predict(step.level, step.spread, residuals.phi)
    return found * np.sqrt(baseline.tau2)[:, None]
