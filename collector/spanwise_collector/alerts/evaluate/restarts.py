"""Changes that people called expected: from when on a series is measured against itself anew."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from spanwise_collector.alerts.evaluate.base import DAY_S, HOUR_S
from spanwise_collector.alerts.state import RULE_SERIES, Restart
from spanwise_collector.stats.arrays import Bools
from spanwise_collector.stats.baseline import Baseline
from spanwise_collector.stats.seasons import Steps
from spanwise_collector.stats.watch import Sums

FRESH_DAYS: Final = 15
"""For so long after a restart the old course of the week on the new level is usual, then the new data alone."""
Since = Callable[[Sums, np.ndarray, int], tuple[float, float]]
"""Value and what was expected of a series over all steps; see `fitting.Subject.since`."""


def hour_of(restart: Restart) -> int:
    """The first full hour after a restart."""
    return -(-int(restart.restart_at.timestamp()) // HOUR_S)


def is_news(known: Mapping[str, int], restarts: Sequence[Restart]) -> bool:
    """Whether there is a restart that was not taken in yet."""
    return any(known.get(one.series, -1) < hour_of(one) for one in restarts)


def began_anew(known: Mapping[str, int], key: str) -> int | None:
    """The hour from which on a series is measured anew; None where it never was restarted."""
    hour = max(known.get(key, -1), known.get(RULE_SERIES, -1))
    return hour if hour >= 0 else None


def is_fresh(known: Mapping[str, int], key: str, now: int) -> bool:
    """Whether a series was restarted so lately that the new data alone say too little.

    Args:
        known: restarts by series.
        key: of the series.
        now: seconds since the epoch.
    """
    hour = began_anew(known, key)
    return hour is not None and now - hour * HOUR_S < FRESH_DAYS * DAY_S


def without_other_times(
    usable: Bools, keys: Sequence[str], known: Mapping[str, int], first_hour: int, now: int
) -> Bools:
    """Hours that say what is usual, without those on the other side of a restart."""
    found = usable.copy()
    for row, key in enumerate(keys):
        if (hour := began_anew(known, key)) is not None:
            place = max(hour - first_hour, 0)
            part = slice(place, None) if is_fresh(known, key, now) else slice(0, place)
            found[row, part] = False
    return found


def on_new_levels(
    baseline: Baseline,
    sums: Sums,
    steps: Steps,
    since: Since,
    keys: Sequence[str],
    known: Mapping[str, int],
    now: int,
    *,
    is_mean: bool,
) -> Baseline:
    """The old course of the week on the level of the data since the restart, of series that were restarted lately.

    Args:
        baseline: from before the restart.
        sums: hours until now.
        steps: their times.
        since: see `Since`.
        keys: of the series.
        known: restarts by series.
        now: seconds since the epoch.
        is_mean: whether the baseline's table is in the unit of the values, not their logarithm.
    """
    table = baseline.table.copy()
    expected = baseline.expected(steps)
    for row, key in enumerate(keys):
        hour = began_anew(known, key)
        if hour is None or not is_fresh(known, key, now):
            continue
        part = slice(max(hour - steps.first, 0), None)
        if not sums.n[row, part].sum():
            continue
        value, usual = since(sums[part], expected[:, part], row)
        if is_mean:
            table[row] += value - usual
        elif value > 0 and usual > 0:
            table[row] += np.log(value / usual)
    return Baseline(baseline.kind, table, baseline.tau2, baseline.phi, baseline.within, baseline.days)
