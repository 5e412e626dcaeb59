"""Time at five minutes' grain: seasons, nuisances and the slowly varying levels of a stream."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.traffic.plan import Plan

Floats = NDArray[np.float64]

SLOT_H: Final = 1 / 12
PER_DAY: Final = 288
WEEKEND: Final = 0.45
LEVELS: Final = {
    "volume": (0.10, 0.7),
    "latency": (0.08, 0.7),
    "slow": (0.20, 0.7),
    "tokens": (0.04, 0.7),
    "error": (0.25, 0.5),
    "refusal": (0.20, 0.5),
    "score": (0.01, 0.7),
}
"""Standard deviation of each level (of the logarithm; of the score itself) and its correlation over an hour."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Per slot of five minutes.

    Attributes:
        requests: expected number.
        load: logarithm of what seasons and nuisances do to latency.
        wordy: the same for tokens.
        busy: relative traffic of the hour, mean 1 over a weekday.
        launch: True during a launch.
        levels: slowly varying, mean 0; see `LEVELS`.
    """

    requests: Floats
    load: Floats
    wordy: Floats
    busy: Floats
    launch: NDArray[np.bool_]
    levels: dict[str, Floats]


def rhythm(plan: Plan, rng: np.random.Generator) -> Rhythm:
    """Of the whole stream."""
    slots = plan.days * PER_DAY
    hours = np.arange(slots) * SLOT_H
    day = (hours // 24).astype(int)
    weekend = (day + plan.start.weekday()) % 7 >= 5
    weekday_effect = np.array([0.0, 0.03, 0.04, 0.02, -0.05, 0.0, -0.04])[(day + plan.start.weekday()) % 7]
    holiday, factor, load, wordy = np.zeros(slots, bool), np.ones(slots), np.zeros(slots), np.zeros(slots)
    launch = np.zeros(slots, bool)
    for one in plan.nuisances:
        since = hours - 24.0 * one.day
        if one.kind == "holiday":
            holiday |= day == one.day
        elif one.kind == "surge":
            during = (since >= 0) & (since < 72)
            factor[during] *= 3.0
            load[during] += 0.04
        elif one.kind == "launch":
            during = (since >= 9) & (since < 19)
            factor[during] *= 4.0
            load[during] += 0.05
            launch |= during
        elif one.kind == "gap":
            factor[(since >= 7) & (since < 16)] = 0.0
        else:
            factor *= np.exp(0.05 * hours / 168)
            load += 0.01 * hours / 168
            wordy += 0.01 * hours / 168
    quiet = weekend | holiday
    factor[holiday & ~weekend] *= 0.4 / WEEKEND
    # A low at night, a peak in the afternoon; flatter at weekends. Latency follows the load, texts are longer at night.
    wave = np.sin((hours % 24 - 9) / 24 * 2 * np.pi)
    busy = np.where(
        quiet, WEEKEND * (1.0 + 0.5 * wave), 1.0 + 0.75 * wave + 0.15 * np.sin((hours % 24) / 12 * 2 * np.pi)
    )
    busy *= np.exp(weekday_effect)
    load += np.where(quiet, 0.03, 0.08) * wave + 0.5 * weekday_effect
    wordy += -0.04 * wave - np.where(quiet, 0.03, 0.0)
    levels = {name: _level(rng, slots, sd, correlation) for name, (sd, correlation) in LEVELS.items()}
    requests = plan.per_day / PER_DAY * busy * factor * np.exp(levels["volume"])
    return Rhythm(requests, load, wordy, busy, launch, levels)


def _level(rng: np.random.Generator, slots: int, sd: float, correlation: float) -> Floats:
    """A stationary first-order autoregression."""
    phi = correlation**SLOT_H
    noise = rng.standard_normal(slots)
    noise[1:] *= np.sqrt(1 - phi**2)
    level = np.empty(slots)
    value = 0.0
    for i, step in enumerate(noise.tolist()):
        value = phi * value + step
        level[i] = value
    return sd * level
