"""What a month will have cost: a seasonal-naive bootstrap of whole weeks."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from spanwise_collector.stats.arrays import Floats, Ints

SAMPLES: Final = 2_000
WEEK: Final = 7
MIN_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class MonthEnd:
    """Forecast of each series, in the unit of the spend, [series].

    Attributes:
        expected: median.
        low: lower end of the 80 % interval.
        high: upper end.
        over: probability that the budget is exceeded.
    """

    expected: Floats
    low: Floats
    high: Floats
    over: Floats


def month_end(
    spent: Floats,
    past: Floats,
    days_left: int,
    today_left: float,
    budget: Floats,
    rng: np.random.Generator,
    samples: int = SAMPLES,
) -> MonthEnd:
    """Spend at the end of the month.

    Each week ahead is one of the past weeks, drawn at random, times a factor for the growth from week to week that the
    past has shown; days keep their weekday.

    Args:
        spent: in this month until now, [series].
        past: of whole days, oldest first, the last being yesterday, [series, days]; four weeks are used.
        days_left: whole days of the month after today.
        today_left: share of today's spend that is still to come, in [0, 1].
        budget: of the month, [series].
        rng: decides the draws.
        samples: how many months are drawn.

    Raises:
        ValueError: less than a week of past.
    """
    if past.shape[1] < MIN_DAYS:
        raise ValueError("a forecast needs the spend of at least seven days")
    weeks = min(past.shape[1] // WEEK, 4)
    by_week = past[:, past.shape[1] - weeks * WEEK :].reshape(-1, weeks, WEEK)
    ahead = np.arange(days_left + 1)
    week, day = ahead // WEEK, ahead % WEEK
    chosen: Ints = rng.integers(0, weeks, (samples, int(week.max()) + 1))
    drawn = by_week[:, chosen[:, week], day]
    growth = _growth(by_week.sum(2))
    walk = rng.standard_normal((samples, int(week.max()) + 1)).cumsum(1)[:, week]
    drawn = drawn * np.exp(growth[:, None, None] * walk)
    weight = np.where(ahead == 0, today_left, 1.0)
    total = spent[:, None] + (drawn * weight).sum(2)
    low, expected, high = np.quantile(total, (0.1, 0.5, 0.9), axis=1)
    return MonthEnd(expected, low, high, (total > budget[:, None]).mean(1))


def _growth(totals: Floats) -> Floats:
    """Standard deviation of the change of the logarithm from week to week."""
    if totals.shape[1] < 2:
        return np.full(len(totals), 0.1)
    logs = np.log(np.maximum(totals, 1e-12))
    return np.asarray(np.sqrt(np.mean(np.diff(logs, axis=1) ** 2, axis=1)))
