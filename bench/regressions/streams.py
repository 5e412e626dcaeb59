"""Which streams are judged: their nuisances, and the regressions that are put into copies of them."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from bench.traffic import NUISANCES, Injection, Nuisance, Plan
from spanwise_collector.stats.seasons import Steps

DAYS: Final = 42
BASELINE_DAYS: Final = 28
STEP_H: Final = 1.0
"""As the collector's rules run."""
VOLUMES: Final = (200, 2_000, 20_000)
"""Requests a day."""


@dataclass(frozen=True, slots=True)
class Case:
    """A regression and the series that should find it.

    Attributes:
        name: in tables.
        signal: series that is judged, see `series.WATCHES`.
        injection: what happens; its start is set for each stream.
    """

    name: str
    signal: str
    injection: Injection


def _case(name: str, signal: str, injection: Injection) -> Case:
    return Case(name, signal, injection)


CASES: Final = (
    _case("latency +10 %", "latency", Injection("latency", 1.1, 0.0)),
    _case("latency +15 %", "latency", Injection("latency", 1.15, 0.0)),
    _case("latency +30 %", "latency", Injection("latency", 1.3, 0.0)),
    _case("latency +100 %", "latency", Injection("latency", 2.0, 0.0)),
    _case("latency x4 in 5 %", "slow_share", Injection("latency", 4.0, 0.0, share=0.05)),
    _case("errors x1.5", "error_rate", Injection("error", 1.5, 0.0)),
    _case("errors x2", "error_rate", Injection("error", 2.0, 0.0)),
    _case("errors x4", "error_rate", Injection("error", 4.0, 0.0)),
    _case("errors x10", "error_rate", Injection("error", 10.0, 0.0)),
    _case("tokens +20 %", "input_tokens", Injection("tokens", 1.2, 0.0)),
    _case("cost +50 %", "cost_per_request", Injection("cost", 1.5, 0.0)),
    _case("score -0.03", "score", Injection("score", -0.03, 0.0)),
    _case("score -0.05", "score", Injection("score", -0.05, 0.0)),
    _case("refusals 1 to 3 %", "refusal_rate", Injection("refusal", 3.0, 0.0)),
    _case("language mix, 15 % to German", "language_mix", Injection("mix", 0.15, 0.0, dimension="language", to="de")),
    _case("tool mix, 15 % to calculator", "tool_mix", Injection("mix", 0.15, 0.0, dimension="tool", to="calculator")),
)


def plan(seed: int, number: int, per_day: int) -> Plan:
    """One stream of six weeks: of six, one has no nuisance in its last two weeks, the others one of each kind.

    Half of them have another in their first four weeks.
    """
    rng = np.random.default_rng([seed, number, 17])
    chosen: list[Nuisance] = []
    if number % (len(NUISANCES) + 1):
        kind = NUISANCES[number % (len(NUISANCES) + 1) - 1]
        chosen.append(Nuisance(kind, int(rng.integers(BASELINE_DAYS + 1, BASELINE_DAYS + 10))))
    if rng.random() < 0.5:
        kind = NUISANCES[int(rng.integers(len(NUISANCES)))]
        if kind not in {one.kind for one in chosen}:
            chosen.append(Nuisance(kind, int(rng.integers(3, BASELINE_DAYS - 2))))
    return Plan(seed * 1_000 + number, per_day, DAYS, nuisances=tuple(chosen))


def begins(seed: int, number: int) -> float:
    """When the regressions of a stream begin: at any minute of the first six days of the last two weeks, in hours."""
    return float(np.random.default_rng([seed, number, 23]).uniform(BASELINE_DAYS * 24, (BASELINE_DAYS + 6) * 24))


def injected(case: Case, start_h: float) -> Injection:
    """The case's regression from that hour on."""
    return replace(case.injection, start_h=start_h)


def steps(stream: Plan, step_h: float = STEP_H) -> Steps:
    """The stream's time."""
    seconds = round(step_h * 3600)
    return Steps(int(stream.start.timestamp()) // seconds, round(stream.days * 24 / step_h), seconds)


def known(stream: Plan, step_h: float = STEP_H) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """False where the collector was down, [time]."""
    found = np.ones(round(stream.days * 24 / step_h), dtype=np.bool_)
    for one in stream.nuisances:
        if one.kind == "gap":
            found[round((one.day * 24 + 7) / step_h) : round((one.day * 24 + 16) / step_h)] = False
    return found
