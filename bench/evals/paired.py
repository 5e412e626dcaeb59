"""Whether paired comparisons keep what they promise: how often the interval covers, how often a difference is made up.

For yes and no, scores between 0 and 1, skewed scores, means of three repeats, and items in conversations, with 20 to
500 items:

- coverage: share of simulated comparisons whose 95 % interval has the true difference in it;
- false positives: share of comparisons without a difference that are called better or worse;
- seen: share of comparisons with a difference of 5 points that are called so;
- Holm: share of families of five metrics without any difference in which at least one is claimed.

python -m bench.evals.paired [--rounds 2000]
"""

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from spanwise_collector.compare.ratios import holm
from spanwise_collector.stats.paired import items_needed, paired
from spanwise_collector.stats.verdicts import Evidence, Word, verdict

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats, NDArray[np.int64] | None]
DRAWS = 2000
"""Fewer than the 10,000 of the product, for the time; an interval's ends move by a few per cent of its length."""
MARGIN = 0.02


def yes_no(rng: np.random.Generator, n: int, effect: float) -> Pair:
    """80 % right before; what differs is about 15 % of the items."""
    item = rng.random(n)
    lost, gained = 0.075 - effect / 2, 0.075 + effect / 2
    right = item < 0.8
    moved = rng.random(n)
    after = np.where(right, moved >= lost / 0.8, moved < gained / 0.2)
    return right.astype(float), after.astype(float), None


def scores(rng: np.random.Generator, n: int, effect: float) -> Pair:
    """Scores between 0 and 1: hard and easy items, and noise of each run."""
    ease = rng.beta(4, 2, n)
    return ease + rng.normal(0, 0.15, n), ease + effect + rng.normal(0, 0.15, n), None


def skewed(rng: np.random.Generator, n: int, effect: float) -> Pair:
    """Most items are untouched, a tenth changes by much: an exponential with the mean that makes the effect."""
    change = np.where(rng.random(n) < 0.2, rng.exponential(0.25, n), 0.0) - 0.05
    return np.full(n, 0.5), 0.5 + change + effect, None


def repeats(rng: np.random.Generator, n: int, effect: float) -> Pair:
    """Yes and no, three repeats of each item, averaged."""
    chance = rng.beta(2, 0.7, n) * 0.9
    return rng.binomial(3, chance) / 3, rng.binomial(3, chance + effect) / 3, None


def conversations(rng: np.random.Generator, n: int, effect: float) -> Pair:
    """Four items in each conversation, whose differences go together."""
    groups = np.arange(n) // 4
    common = rng.normal(0, 0.15, groups[-1] + 1)[groups]
    ease = rng.beta(4, 2, n)
    return ease, ease + effect + common + rng.normal(0, 0.15, n), groups


MADE: dict[str, Callable[[np.random.Generator, int, float], Pair]] = {
    "yes_no": yes_no,
    "scores": scores,
    "skewed": skewed,
    "repeats": repeats,
    "conversations": conversations,
}


def word_of(pair: Pair, rng: np.random.Generator) -> tuple[Word, float, float, float]:
    """Verdict of one metric alone, its interval and p-value."""
    found = paired(*pair, rng=rng, draws=DRAWS)
    needed = items_needed(found.difference, found.spread, MARGIN)
    word, _ = verdict(Evidence(found.difference, found.low, found.high, found.p_value, found.groups, needed, MARGIN))
    return word, found.low, found.high, found.p_value


def measured(kind: str, n: int, effect: float, rounds: int, rng: np.random.Generator) -> tuple[float, float]:
    """Share of intervals that cover the truth, and of verdicts that claim a difference."""
    covered = claimed = 0
    for _ in range(rounds):
        word, low, high, _ = word_of(MADE[kind](rng, n, effect), rng)
        covered += low <= effect <= high
        claimed += word in ("better", "worse")
    return covered / rounds, claimed / rounds


def family(rounds: int, rng: np.random.Generator) -> float:
    """Share of families of five metrics on the same 200 items with a claim, where there is nothing."""
    wrong = 0
    for _ in range(rounds):
        p_values = [word_of(scores(rng, 200, 0.0), rng)[3] for _ in range(5)]
        wrong += min(holm(p_values)) <= 0.05
    return wrong / rounds


def main() -> None:
    """Prints one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2000, help="simulated comparisons of each kind and size")
    rounds = parser.parse_args().rounds
    rng = np.random.default_rng(20261126)
    begin = time.perf_counter()
    result: dict[str, dict[str, dict[str, float]]] = {}
    for kind in MADE:
        for n in (20, 50, 200, 500):
            coverage, false = measured(kind, n, 0.0, rounds, rng)
            coverage_5, seen = measured(kind, n, 0.05, rounds, rng)
            result.setdefault(kind, {})[str(n)] = {
                "coverage": round(coverage, 4),
                "coverage_5_points": round(coverage_5, 4),
                "false_positives": round(false, 4),
                "seen_5_points": round(seen, 4),
            }
    print(
        json.dumps(
            {
                "benchmark": "evals.paired",
                "rounds": rounds,
                "draws": DRAWS,
                "kinds": result,
                "holm_family_of_5": round(family(rounds // 4, rng), 4),
                "seconds": round(time.perf_counter() - begin, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
