"""False alarms and delays of the detector, and of fixed rules, on simulated traffic.

Streams differ by seed; nothing is tuned on the seeds that are reported. `numeric_peers` runs packages of others on the
same streams.
"""

from typing import Any, Final

import numpy as np
from scipy import stats

from bench.regressions.fixed_rules import RULES, Hourly, hourly, onsets
from bench.regressions.series import BUDGET_DAYS, WATCHES, judge, sums
from bench.regressions.streams import (
    BASELINE_DAYS,
    CASES,
    DAYS,
    STEP_H,
    VOLUMES,
    begins,
    injected,
    known,
    plan,
    steps,
)
from bench.traffic import columns, draw
from spanwise_collector.stats.watch import Sums

STREAMS: Final = {200: 40, 2_000: 40, 20_000: 24}
"""By requests a day."""
QUICK_STREAMS: Final = 4
WEEKS: Final = (DAYS - BASELINE_DAYS) / 7
WITHIN_H: Final = 168.0
RULED: Final = ("latency", "error_rate", "score")
RULED_CASES: Final = frozenset(
    {"latency +15 %", "latency +30 %", "latency +100 %", "latency x4 in 5 %", "errors x2", "errors x4", "score -0.05"}
)


def measure(seed: int = 2, quick: bool = False) -> dict[str, Any]:
    """All figures: false alarms per series-week, and median delay and share found within seven days of each case.

    Args:
        seed: of the streams; 1 and those from 100 on were looked at in development, the others are for reports.
        quick: fewer streams.
    """
    counts = dict.fromkeys(VOLUMES, QUICK_STREAMS) if quick else STREAMS
    by_volume = [_volume(seed, counts[per_day], per_day) for per_day in VOLUMES]
    alarms = sum(one["false_alarms"] for one in by_volume)
    weeks = sum(one["series_weeks"] for one in by_volume)
    return {
        "seed": seed,
        "streams": sum(counts.values()),
        "step_hours": STEP_H,
        "budget_per_series_week": round(7 / BUDGET_DAYS, 4),
        "series_weeks": weeks,
        "false_alarms": alarms,
        "false_alarms_per_series_week": round(alarms / weeks, 4),
        "upper_95": round(float(stats.chi2.ppf(0.95, 2 * alarms + 2)) / 2 / weeks, 4),
        "volumes": {str(per_day): one for per_day, one in zip(VOLUMES, by_volume, strict=True)},
    }


def _volume(seed: int, count: int, per_day: int) -> dict[str, Any]:
    plans = [plan(seed, number, per_day) for number in range(count)]
    time = steps(plans[0])
    seen = np.stack([known(stream) for stream in plans])
    quiet: dict[str, list[list[Sums]]] = {name: [] for name in WATCHES}
    changed: dict[str, list[list[Sums]]] = {case.name: [] for case in CASES}
    rules_quiet: dict[str, list[Hourly]] = {signal: [] for signal in RULED}
    rules_changed: dict[str, list[Hourly]] = {name: [] for name in RULED_CASES}
    starts = [begins(seed, number) for number in range(count)]
    for number, stream in enumerate(plans):
        draws = draw(stream)
        made = columns(draws)
        for name, streams in quiet.items():
            streams.append(sums(name, made, DAYS, time))
        for signal, hourlies in rules_quiet.items():
            hourlies.append(hourly(signal, made, DAYS))
        for case in CASES:
            bad = columns(draws, [injected(case, starts[number])])
            changed[case.name].append(sums(case.signal, bad, DAYS, time))
            if case.name in RULED_CASES:
                rules_changed[case.name].append(hourly(case.signal, bad, DAYS))
    false = {name: judge(name, streams, time, seen).hours for name, streams in quiet.items()}
    judged = [name for name in WATCHES if name != "requests"]
    return {
        "series_weeks": count * WEEKS * len(judged),
        "false_alarms": sum(len(hours) for name in judged for hours in false[name]),
        "per_series_week": {name: per_week(false[name]) for name in WATCHES},
        "by_nuisance": _by_nuisance(plans, {name: false[name] for name in judged}),
        "cases": {
            case.name: delays(judge(case.signal, changed[case.name], time, seen).hours, starts) for case in CASES
        },
        "fixed_rules": _fixed_rules(rules_quiet, rules_changed, starts),
    }


def _fixed_rules(
    quiet: dict[str, list[Hourly]], changed: dict[str, list[Hourly]], starts: list[float]
) -> dict[str, Any]:
    signals = {case.name: case.signal for case in CASES}
    found: dict[str, Any] = {}
    for rule, (_, _, only) in RULES.items():
        found[rule] = {
            "per_series_week": {
                signal: per_week([onsets(rule, one) for one in streams])
                for signal, streams in quiet.items()
                if not only or signal in only
            },
            "cases": {
                name: delays([onsets(rule, one) for one in streams], starts)
                for name, streams in sorted(changed.items())
                if not only or signals[name] in only
            },
        }
    return found


def per_week(hours: list[list[float]]) -> float:
    """Alarms per series and week, of alarm hours by stream."""
    return round(sum(map(len, hours)) / (len(hours) * WEEKS), 3)


def _by_nuisance(plans: list[Any], false: dict[str, list[list[float]]]) -> dict[str, float]:
    """False alarms per series-week of streams by the nuisance of their last two weeks."""
    found: dict[str, list[int]] = {}
    for number, stream in enumerate(plans):
        late = [one.kind for one in stream.nuisances if one.day >= BASELINE_DAYS]
        counts = found.setdefault(late[0] if late else "none", [])
        counts += [len(hours[number]) for hours in false.values()]
    return {kind: round(sum(counts) / (len(counts) * WEEKS), 3) for kind, counts in sorted(found.items())}


def delays(hours: list[list[float]], starts: list[float]) -> dict[str, float | None]:
    """Median hours from the beginning to the first alarm after it; null where fewer than half were found in a week."""
    delays = np.array(
        [
            min((hour - start for hour in found if hour > start), default=np.inf)
            for found, start in zip(hours, starts, strict=True)
        ]
    )
    delays = np.where(delays <= WITHIN_H, delays, np.inf)
    median = float(np.median(delays))
    return {
        "median_h": round(median, 1) if np.isfinite(median) else None,
        "found_in_7_days": round(float(np.isfinite(delays).mean()), 3),
    }
