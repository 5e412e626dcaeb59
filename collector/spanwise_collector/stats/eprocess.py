"""Evidence that may be looked at after every step: e-processes from a fixed beginning, and decisions over many of them.

An e-process starts at 1, is at most 1 on average while nothing changes, and reaches 1/alpha with probability at most
alpha, however often one looks (Ville). Unlike the detector's sum over all beginnings its value at any one time is an
e-value, which is what `e_bh` needs.
"""

from typing import Final

import numpy as np

from spanwise_collector.stats.arrays import Bools, Floats
from spanwise_collector.stats.likelihood import likelihood
from spanwise_collector.stats.residuals import Residuals

ODDS: Final = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Factors of the odds that `bernoulli` tests for."""


def mixture(residuals: Residuals, tested: Floats, begin: int = 0, inflation: float = 1.1) -> Floats:
    """Logarithm of the e-process against a change at step `begin`, a mean over the sizes: [series, time - begin].

    For 72 hours after a release was first seen, and for each day of the digest.

    Args:
        residuals: of the steps; those before `begin` only tell the filter the level.
        tested: as from `detector.sizes`.
        begin: index of the first step that counts.
        inflation: of the noise's standard deviation, see `detector`.
    """
    series, time = residuals.z.shape
    level, spread = np.zeros(series), np.ones(series)
    none = np.zeros(tested.shape)
    bend, total = none, np.zeros(tested.shape)
    found = np.zeros((series, time - begin))
    for t in range(time):
        step = likelihood(level, spread, bend, residuals, t, tested)
        level, spread = step.level, step.spread
        bend = step.bend if t >= begin else none
        if t >= begin:
            total = total + step.running / inflation**2
            found[:, t - begin] = _log_mean(total)
    return found


def bernoulli(k: Floats, n: Floats, usual: Floats, factors: tuple[float, ...] = ODDS) -> Floats:
    """Logarithm of the e-process against the rate being at most `usual`, a mean over odds: [series, time].

    Exact for few events per step, where independent events are the only assumption.

    Args:
        k: events that happened, [series, time].
        n: events that could have.
        usual: their probability so far, in (0, 1), of each step or of all: broadcast to [series, time].
        factors: of the odds to test for, above 1.
    """
    rate = np.clip(np.broadcast_to(usual, k.shape), 1e-9, 1.0 - 1e-9)[..., None]
    raised = np.array(factors) * rate / (1.0 - rate + np.array(factors) * rate)
    steps = k[..., None] * np.log(raised / rate) + (n - k)[..., None] * np.log((1.0 - raised) / (1.0 - rate))
    return _log_mean(steps.cumsum(1))


def e_bh(log_e: Floats, share: float = 0.05) -> Bools:
    """Which of many e-values to report, so that on average at most `share` of the reported are false.

    Holds under any dependence between them (Wang and Ramdas 2022).

    Args:
        log_e: natural logarithms of the e-values, [values].
        share: of false discoveries.
    """
    count = log_e.size
    order = np.argsort(-log_e, kind="stable")
    enough = log_e[order] >= np.log(count / share / np.arange(1, count + 1))
    reported = np.zeros(count, dtype=np.bool_)
    if enough.any():
        reported[order[: int(np.nonzero(enough)[0].max()) + 1]] = True
    return reported


def _log_mean(logs: Floats) -> Floats:
    return np.asarray(np.logaddexp.reduce(logs, axis=-1) - np.log(logs.shape[-1]))
