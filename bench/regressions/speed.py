"""How long the statistics of one evaluation round take: 200 rules over 20 series each, roll-ups of 90 days by the hour.

    python -m bench.regressions --only speed

Without the queries: bench/regressions/round.py measures whole rounds with the engine. Once a day a rule fits what is
usual anew, from four weeks of its series; every hour it goes on by one step. What is slowest is a first round, in which
all rules fit and read the last two weeks.
"""

import time
from typing import Any, Final

import numpy as np

from spanwise_collector.stats.arrays import Bools
from spanwise_collector.stats.detector import Detector, run, threshold
from spanwise_collector.stats.eprocess import e_bh, mixture
from spanwise_collector.stats.seasons import Steps
from spanwise_collector.stats.state import State
from spanwise_collector.stats.watch import BASELINE_DAYS, LAG_DAYS, Sums, Watch

RULES: Final = 200
SERIES: Final = 20
HOURS: Final = 90 * 24
READ_DAYS: Final = 14
WATCHES: Final = (
    Watch("log_mean", "up", 0.1, 50.0),
    Watch("rate", "up", 0.5, 0.01),
    Watch("ratio", "up", 0.15),
    Watch("count", "both", 0.3),
)
"""Rules take turns."""


def measure(rules: int = RULES) -> dict[str, Any]:
    """Seconds of one processor for a first round, for a round an hour later, and for the daily digest of all series.

    Args:
        rules: how many.
    """
    rng = np.random.default_rng(1)
    time_axis = Steps(29_760 * 24, HOURS, 3600)
    held = [_made(rng, time_axis, watch) for watch in WATCHES]
    seen = np.ones((SERIES, HOURS), dtype=np.bool_)
    began = time.process_time()
    states = [_first(WATCHES[i % len(WATCHES)], held[i % len(WATCHES)], time_axis, seen) for i in range(rules)]
    first_s = time.process_time() - began
    began = time.process_time()
    for i, (state, stored) in enumerate(states):
        watch, sums = WATCHES[i % len(WATCHES)], held[i % len(WATCHES)]
        baseline = type(stored).of_records(stored.records())
        tested = watch.tested(baseline)
        now = watch.residuals(sums[HOURS - 1 : HOURS], baseline, time_axis[HOURS - 1 : HOURS], tested)
        after, _ = run(State.of_records(state), now, tested, time_axis.first + HOURS - 1, _detector())
        after.records()
    later_s = time.process_time() - began
    began = time.process_time()
    logs = []
    for i, (_, baseline) in enumerate(states):
        watch, sums = WATCHES[i % len(WATCHES)], held[i % len(WATCHES)]
        day = slice(HOURS - 48, HOURS)
        tested = watch.tested(baseline)
        residuals = watch.residuals(sums[day], baseline, time_axis[day], tested)
        logs.append(mixture(residuals, tested, begin=24)[:, -1])
    reported = int(e_bh(np.concatenate(logs)).sum())
    return {
        "rules": rules,
        "series": rules * SERIES,
        "history_days": HOURS // 24,
        "first_round_s": round(first_s, 2),
        "round_s": round(later_s, 2),
        "digest_s": round(time.process_time() - began, 2),
        "digest_reported": reported,
    }


def _detector() -> Detector:
    return Detector(threshold(30.0, 1.0, SERIES), 1.0)


def _first(watch: Watch, sums: Sums, axis: Steps, seen: Bools) -> tuple[list[dict[str, object]], Any]:
    """Fits what is usual and reads the last two weeks, all but the last hour."""
    begin = HOURS - READ_DAYS * 24
    past = slice(HOURS - (BASELINE_DAYS + LAG_DAYS) * 24, HOURS - LAG_DAYS * 24)
    baseline = watch.fit(sums[past], axis[past], seen[:, past])
    tested = watch.tested(baseline)
    recent = slice(begin, HOURS - 1)
    residuals = watch.residuals(sums[recent], baseline, axis[recent], tested)
    state, _ = run(State.new(SERIES, tested.shape[1]), residuals, tested, axis.first + begin, _detector())
    return state.records(), baseline


def _made(rng: np.random.Generator, axis: Steps, watch: Watch) -> Sums:
    n = rng.poisson(80.0 * (1.0 + 0.5 * np.sin(axis.cells() % 24 / 24 * 2 * np.pi)), (SERIES, HOURS)).astype(np.float64)
    if watch.form == "rate":
        errors = rng.binomial(n.astype(np.int64), 0.02).astype(np.float64)
        return Sums(n, errors, errors)
    if watch.form == "ratio":
        return Sums(n, rng.gamma(n + 1e-9, 1.0), n)
    means = 7.5 + 0.6 / np.sqrt(np.maximum(n, 1.0)) * rng.standard_normal(n.shape)
    return Sums(n, n * means, n * means**2 + 0.36 * np.maximum(n - 1.0, 0.0))
