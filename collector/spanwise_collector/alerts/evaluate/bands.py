"""Numbers over time beside what is usual, for charts."""

from datetime import UTC, datetime
from typing import Final

import numpy as np

from spanwise_collector.alerts.evaluate.measures import Measure
from spanwise_collector.stats.arrays import Floats, ratio
from spanwise_collector.stats.baseline import Baseline
from spanwise_collector.stats.seasons import Steps
from spanwise_collector.stats.watch import Sums
from spanwise_schemas.api_alerts import Band

NORMAL_95: Final = 1.96
JOINED: Final = (1, 2, 4, 6, 12, 24)
"""Steps that a rate's chart may join."""
MIN_COUNTED: Final = 2.0


def times_of(start: int, step: int, count: int) -> list[datetime]:
    """Starts of steps."""
    return [datetime.fromtimestamp(start + number * step, UTC) for number in range(count)]


def numbers(values: Floats) -> list[float | None]:
    """For JSON: None where nothing is known."""
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in values]


def limit_band(start: int, step: int, values: Floats, limit: float) -> Band:
    """Values at ticks from `start` on, every `step` seconds, beside a limit."""
    return Band(times=times_of(start, step, values.size), step_seconds=step, values=numbers(values), threshold=limit)


def usual_band(measure: Measure, sums: Sums, series: int, baseline: Baseline, row: int, steps: Steps) -> Band:
    """Values beside what is usual at their hour, with where 95 % of the hours lie.

    Args:
        measure: of the signal.
        sums: of all series.
        series: which of them.
        baseline: what is usual.
        row: the series' row there.
        steps: the times.
    """
    if measure.form == "rate":
        return _rate_band(sums, series, baseline, row, steps)
    values = measure.value(sums)[series]
    n = sums.n[series]
    table = baseline.table[row].reshape(-1)[steps.cells()]
    usual = measure.usual(table)
    if measure.form == "count":
        half_width = NORMAL_95 * np.sqrt(usual + baseline.tau2[row] * usual**2)
        low, high = np.maximum(usual - half_width, 0.0), usual + half_width
    else:
        sampling = ratio(np.full_like(n, baseline.within[row]), n, np.nan)
        half = NORMAL_95 * np.sqrt(sampling + baseline.tau2[row])
        low, high = measure.usual(table - half), measure.usual(table + half)
    return Band(
        times=times_of(steps.first * steps.seconds, steps.seconds, steps.count),
        step_seconds=steps.seconds,
        values=numbers(values),
        expected=numbers(usual),
        low=numbers(low),
        high=numbers(high),
    )


def _rate_band(sums: Sums, series: int, baseline: Baseline, row: int, steps: Steps) -> Band:
    """A rate, in steps so long that some of what is counted is usual in each, or a chart would be all spikes."""
    usual = np.minimum(np.exp(np.minimum(baseline.table[row].reshape(-1)[steps.cells()], 0.0)), 1.0)
    n, k = sums.n[series], sums.total[series]
    counted = float(np.mean(n * usual)) if n.size else 0.0
    size = next((size for size in JOINED if counted * size >= MIN_COUNTED), JOINED[-1])
    # The last step ends with the data: what an alert is about stands there.
    count, first = divmod(n.size, size)

    def joined(values: Floats) -> Floats:
        return np.asarray(values[first : first + count * size].reshape(count, size).sum(1))

    n, k, expected = joined(n), joined(k), joined(n * usual)
    share = ratio(expected, n, np.nan)
    half = NORMAL_95 * np.sqrt(ratio(share * (1.0 - share), n, np.nan) + baseline.tau2[row] * share**2)
    seconds = steps.seconds * size
    return Band(
        times=times_of((steps.first + first) * steps.seconds, seconds, count),
        step_seconds=seconds,
        values=numbers(ratio(k, n, np.nan)),
        expected=numbers(share),
        low=numbers(np.maximum(share - half, 0.0)),
        high=numbers(np.minimum(share + half, 1.0)),
    )
