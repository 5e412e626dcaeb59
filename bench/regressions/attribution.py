"""Does attribution name the slice that moved the number, and how quickly?

Real incidents (see `attribution_robustspot`) beside peers' methods, and slices injected into simulated traffic: error
rate times four, refusals times four, latency half as much again, cost per request doubled, in slices of one to three
dimensions and in versions that are new, each against the week before.

    python -m bench.regressions.attribution --data DIR [--seed N] [--quick]
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.regressions.attribution_peers import adtributor, largest_excess
from bench.regressions.attribution_robustspot import Incident, incidents
from bench.traffic import Columns, Draws, Injection, Plan, Rollout, columns, draw
from bench.traffic.plan import InjectionKind
from spanwise_collector.attribution.attribute import attribute
from spanwise_collector.attribution.evidence import Kind
from spanwise_collector.attribution.leaves import Leaves, Moments
from spanwise_collector.attribution.mix import Z95
from spanwise_collector.attribution.model import Slice
from spanwise_collector.attribution.scan import Scan, Tuning

FOLDS: Final = 5
GRID: Final = tuple(
    Tuning(pair, affected) for pair, affected in product((0.8, 0.85, 0.9, 0.95), (0.05, 0.1, 0.15, 0.2))
)
INJECTED: Final[tuple[tuple[InjectionKind, float], ...]] = (
    ("error", 4.0),
    ("refusal", 4.0),
    ("latency", 1.5),
    ("cost", 2.0),
)
DAYS: Final = 9
CHANGE_H: Final = 24.0 * 8
WEEK_H: Final = 24.0 * 7
MIN_SHARE: Final = 0.05
"""Of the traffic, of an injected slice."""
MAX_SHARE: Final = 0.6
VISIBLE: Final = 3.0
"""Standard deviations by which the total must have moved for anybody to ask why."""


def measure(data: Path, seed: int, quick: bool) -> dict[str, Any]:
    """All figures.

    Args:
        data: folder that has `robustspot/`.
        seed: of folds and of simulated traffic.
        quick: fewer simulated streams, and no cross-validation.
    """
    found = list(incidents(data / "robustspot"))
    return {
        "robustspot": robustspot(found, seed, quick),
        "injected": {
            f"{per_day}_a_day": injected(seed, per_day, streams=2 if quick else 8) for per_day in (2_000, 20_000)
        },
    }


def robustspot(found: Sequence[Incident], seed: int, quick: bool) -> dict[str, Any]:
    """Hit rates and time per incident of ours and of peers' methods."""
    methods: dict[str, Callable[[Leaves], Sequence[Slice]]] = {
        "scan": _ranking,
        "distinct": lambda leaves: [one.slice for one in attribute(leaves, "rate", direction="up").slices],
        "adtributor": adtributor,
        "largest_excess": largest_excess,
    }
    answer: dict[str, Any] = {"incidents": len(found)}
    for name, method in methods.items():
        began = time.process_time()
        places = [_place(method(one.leaves), one) for one in found]
        answer[name] = _hits(places) | {"ms": round((time.process_time() - began) / len(found) * 1000, 1)}
    if not quick:
        answer["cross_validated"] = _cross_validated(found, seed)
    return answer


def _ranking(leaves: Leaves, tuning: Tuning | None = None) -> list[Slice]:
    causes = Scan(leaves, "rate", direction="up", tuning=tuning or Tuning()).ranked()
    return list(dict.fromkeys(one for cause in causes for one in cause.slices))


def _place(answers: Sequence[Slice], incident: Incident) -> int:
    """Place of the first right answer, from 0; very far where there is none."""
    return next((place for place, one in enumerate(answers) if one in incident.causes), 1_000_000)


def _hits(places: Sequence[int]) -> dict[str, float]:
    found = np.array(places)
    return {f"hit@{most}": round(float((found < most).mean()), 3) for most in (1, 3, 5)}


def _cross_validated(found: Sequence[Incident], seed: int) -> dict[str, Any]:
    """Hit rates where the weights of the ranking are chosen on the other folds: what the choice is worth."""
    places = np.array([[_place(_ranking(one.leaves, tuning), one) for one in found] for tuning in GRID])
    folds = np.random.default_rng(seed).permutation(len(found)) % FOLDS
    held_out = np.zeros(len(found), dtype=np.int64)
    for fold in range(FOLDS):
        rest = folds != fold
        score = (places[:, rest] < 1).mean(1) + (places[:, rest] < 3).mean(1)
        held_out[~rest] = places[int(np.argmax(score)), ~rest]
    first = (places < 1).mean(1)
    return _hits(held_out.tolist()) | {
        "folds": FOLDS,
        "settings": len(GRID),
        "hit@1_of_settings": [round(float(first.min()), 3), round(float(first.max()), 3)],
    }


def injected(seed: int, per_day: int, *, streams: int) -> dict[str, Any]:
    """Share of injected slices that are named first, by form and kind, and CPU time per attribution."""
    rng = np.random.default_rng([seed, per_day])
    outcomes: list[_Outcome] = []
    for stream in range(streams):
        rollout = Rollout("prompt_version", "v9", CHANGE_H, 0.3)
        draws = draw(Plan(seed * 1_000 + stream, per_day, days=DAYS))
        rolled = draw(Plan(seed * 1_000 + stream, per_day, days=DAYS, rollouts=(rollout,)))
        for (kind, size), depth in product(INJECTED, (1, 2, 3)):
            where = _pick(draws, depth, rng)
            outcomes.append(_try(draws, f"{depth}_way", kind, size, where))
        for kind, size in INJECTED:
            outcomes.append(_try(rolled, "new_version", kind, size, {"prompt_version": "v9"}))
    seen = [one for one in outcomes if one.is_visible]
    took = [one.ms for one in outcomes]
    return {
        "cases": len(outcomes),
        "top_1": _share(outcomes),
        "visible": len(seen),
        "top_1_of_visible": _share(seen),
        "top_1_by": {
            name: _share([one for one in seen if name in (one.form, one.kind)])
            for name in sorted({name for one in seen for name in (one.form, one.kind)})
        },
        "leaves": round(float(np.mean([one.leaves for one in outcomes]))),
        "ms": round(float(np.mean(took)), 1),
        "ms_p95": round(float(np.quantile(took, 0.95)), 1),
    }


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Of one injection: whether the total shows it at all, and whether its slice was named first."""

    form: str
    kind: InjectionKind
    is_visible: bool
    is_named: bool
    ms: float
    leaves: int


def _share(outcomes: Sequence[_Outcome]) -> float | None:
    return round(float(np.mean([one.is_named for one in outcomes])), 3) if outcomes else None


def _pick(draws: Draws, depth: int, rng: np.random.Generator) -> dict[str, str]:
    """A slice of so many dimensions, neither tiny nor most of the traffic."""
    names = list(draws.codes)
    while True:
        chosen = sorted(rng.choice(len(names), depth, replace=False).tolist())
        where = {names[place]: str(rng.choice(draws.values[names[place]])) for place in chosen}
        members = np.ones(draws.size, dtype=np.bool_)
        for name, value in where.items():
            members &= draws.codes[name] == draws.values[name].index(value)
        if MIN_SHARE <= members.mean() <= MAX_SHARE:
            return where


def _try(draws: Draws, form: str, kind: InjectionKind, size: float, where: dict[str, str]) -> _Outcome:
    made = columns(draws, [Injection(kind, size, CHANGE_H, where=where)])
    leaves, measured = _leaves(made, kind)
    began = time.process_time()
    found = attribute(leaves, measured, direction="up")
    took = (time.process_time() - began) * 1000
    total = found.total
    deviation = (total.high - total.low) / 2 / Z95
    return _Outcome(
        form,
        kind,
        total.difference > VISIBLE * deviation,
        bool(found.slices) and dict(found.slices[0].slice.dims) == where,
        took,
        leaves.before.n.size,
    )


def _leaves(made: Columns, kind: InjectionKind) -> tuple[Leaves, Kind]:
    """The week before the change and the day after it."""
    values, measured = _values(made, kind)
    inside = made.hours >= CHANGE_H - WEEK_H
    now = made.hours[inside] >= CHANGE_H
    found = values[inside]
    sides = [
        Moments(*(np.where(side, part, 0.0) for part in (np.ones(found.size), found, found**2))) for side in (~now, now)
    ]
    text = [(name, np.array(made.values[name])[code[inside]].tolist()) for name, code in made.codes.items()]
    return Leaves.of(text, sides[0], sides[1]), measured


def _values(made: Columns, kind: InjectionKind) -> tuple[np.ndarray[Any, np.dtype[np.float64]], Kind]:
    match kind:
        case "error":
            return made.error.astype(np.float64), "rate"
        case "refusal":
            return made.refusal.astype(np.float64), "rate"
        case "latency":
            return np.log(made.latency_ms), "mean"
        case _:
            return made.cost_usd, "amount"


def main() -> None:
    """Print the figures as one line of JSON."""
    parser = argparse.ArgumentParser(description="Attribution on real incidents and on injected slices.")
    parser.add_argument("--data", type=Path, required=True, help="folder that has robustspot/")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.data, arguments.seed, arguments.quick)))


if __name__ == "__main__":
    main()
