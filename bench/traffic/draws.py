"""The random part of a stream, drawn once: regressions are put into the same traffic, to compare like with like."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.traffic.plan import DIMENSIONS, Plan
from bench.traffic.rhythm import PER_DAY, SLOT_H, Rhythm, rhythm

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]

TYPICAL_LATENCY_MS: Final = 1800.0
TYPICAL_INPUT: Final = 700.0
TYPICAL_OUTPUT: Final = 220.0
SLOW: Final = 0.03
SLOW_LOG: Final = 1.5
ERROR: Final = 0.02
REFUSAL: Final = 0.01
SCORE: Final = 0.8
SCORE_SD: Final = 0.2
SLOWER: Final = {("model", "mistral-small"): 0.1, ("model", "gpt-4.1"): 0.25, ("route", "agent"): 0.5}
"""What values of a dimension add to the logarithm of latency."""
FAULTIER: Final = {("model", "mistral-small"): 0.2, ("route", "agent"): 0.7, ("tool", "send_email"): 0.4}
"""What they add to the logarithm of the error rate."""
BETTER: Final = {("model", "gpt-4.1"): 0.02, ("language", "ja"): -0.03, ("language", "pt"): -0.03}
"""What they add to the mean score."""
NIGHTLY: Final = {("language", "ja"): 1.0}
"""Values that are commoner when the rest is quiet: exponent of 1 / busy."""
SHARE_SD: Final = 0.05
"""Of the logarithm of each value's share, from day to day."""


@dataclass(frozen=True)
class Draws:
    """Columns of one row per request, in order of time.

    Attributes:
        plan: what they were drawn for.
        hours: since the start.
        codes: index into `values` by dimension.
        values: of each dimension, with those of rollouts.
        latency: natural logarithm of milliseconds.
        first: share of the latency until the first token.
        input: natural logarithm of input tokens.
        output: natural logarithm of output tokens.
        error: probability.
        refusal: probability.
        score: value; NaN where there is none.
        luck: uniform numbers that decide errors, refusals, who is hit by an injection, and mixes; [4, requests].
    """

    plan: Plan
    hours: Floats
    codes: dict[str, Codes]
    values: dict[str, list[str]]
    latency: Floats
    first: Floats
    input: Floats
    output: Floats
    error: Floats
    refusal: Floats
    score: Floats
    luck: Floats

    @cached_property
    def size(self) -> int:
        """Number of requests."""
        return int(self.hours.size)


def draw(plan: Plan) -> Draws:
    """All of a stream's chance."""
    rng = np.random.default_rng([plan.seed, plan.per_day])
    beat = rhythm(plan, rng)
    slot = np.repeat(np.arange(beat.requests.size), rng.poisson(beat.requests))
    size = slot.size
    hours = np.sort((slot + rng.random(size)) * SLOT_H)
    values = {name: list(shares) for name, shares in DIMENSIONS.items()}
    codes = {name: _codes(name, beat, slot, plan, rng) for name in DIMENSIONS}
    _launch(beat, slot, codes, values, rng)
    for rollout in plan.rollouts:
        values[rollout.dimension].append(rollout.value)
        took = (hours >= rollout.start_h) & (rng.random(size) < rollout.share)
        codes[rollout.dimension][took] = len(values[rollout.dimension]) - 1
    levels = {name: level[slot] for name, level in beat.levels.items()}
    wordy = beat.wordy[slot] + levels["tokens"]
    words = 0.7 * rng.standard_normal(size)
    slow = rng.random(size) < SLOW * np.exp(levels["slow"])
    latency = np.log(TYPICAL_LATENCY_MS) + beat.load[slot] + levels["latency"] + 0.5 * words
    latency += 0.49 * rng.standard_normal(size) + SLOW_LOG * slow + _effects(SLOWER, codes, values)
    mean = np.clip(SCORE + levels["score"] + _effects(BETTER, codes, values), 0.05, 0.98)
    score = np.full(size, np.nan)
    judged = rng.random(size) < plan.scored
    spread = SCORE * (1 - SCORE) / SCORE_SD**2 - 1
    score[judged] = rng.beta(mean[judged] * spread, (1 - mean[judged]) * spread)
    return Draws(
        plan,
        hours,
        codes,
        values,
        latency,
        rng.beta(4.0, 10.0, size),
        np.log(TYPICAL_INPUT) + wordy + 0.8 * rng.standard_normal(size),
        np.log(TYPICAL_OUTPUT) + wordy + words,
        np.clip(ERROR * np.exp(levels["error"] + _effects(FAULTIER, codes, values)), 0.0, 1.0),
        np.clip(REFUSAL * np.exp(levels["refusal"]), 0.0, 1.0),
        score,
        rng.random((4, size)),
    )


def _codes(name: str, beat: Rhythm, slot: NDArray[np.int64], plan: Plan, rng: np.random.Generator) -> Codes:
    shares = DIMENSIONS[name]
    logs = np.log(np.array(list(shares.values()))) + SHARE_SD * rng.standard_normal((plan.days, len(shares)))
    by_slot = np.exp(logs)[np.arange(beat.busy.size) // PER_DAY]
    for i, value in enumerate(shares):
        by_slot[:, i] *= np.maximum(beat.busy, 0.1) ** -NIGHTLY.get((name, value), 0.0)
    below = np.cumsum(by_slot / by_slot.sum(1, keepdims=True), axis=1)
    luck = rng.random(slot.size)
    codes = np.zeros(slot.size, dtype=np.int8)
    for i in range(len(shares) - 1):
        codes += luck > below[slot, i]
    return codes


def _launch(
    beat: Rhythm,
    slot: NDArray[np.int64],
    codes: dict[str, Codes],
    values: dict[str, list[str]],
    rng: np.random.Generator,
) -> None:
    """Three in four requests of a launch come from new, free users in chat."""
    new = beat.launch[slot] & (rng.random(slot.size) < 0.75)
    codes["route"][new] = values["route"].index("chat")
    codes["user_group"][new] = values["user_group"].index("free")


def _effects(table: dict[tuple[str, str], float], codes: dict[str, Codes], values: dict[str, list[str]]) -> Floats:
    total = np.zeros(next(iter(codes.values())).size)
    for (dimension, value), effect in table.items():
        by_code = np.array([effect if one == value else 0.0 for one in values[dimension]])
        total += by_code[codes[dimension]]
    return total
