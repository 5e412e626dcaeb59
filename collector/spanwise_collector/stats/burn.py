"""Burn rates of error budgets and of money over several windows (Google's SRE workbook, chapter 5, table 5-8)."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from spanwise_collector.stats.arrays import Bools, Floats, ratio


@dataclass(frozen=True, slots=True)
class BurnWindow:
    """A pair of windows: the long one must burn too fast, and the short one still does.

    Attributes:
        long_min: minutes.
        short_min: minutes.
        factor: burn rate that both must reach; at 1 the budget lasts exactly for its period.
        page: whether it should wake someone.
    """

    long_min: int
    short_min: int
    factor: float
    page: bool


WINDOWS: Final = (BurnWindow(60, 5, 14.4, True), BurnWindow(360, 30, 6.0, True), BurnWindow(4320, 360, 1.0, False))
MIN_ERRORS: Final = 5


@dataclass(frozen=True, slots=True)
class Burn:
    """Burn rates of each pair of windows, [windows, series, time].

    Attributes:
        long: rate over the long window that ends with the step.
        short: over the short one.
        fires: both reach the factor, and enough happened.
    """

    long: Floats
    short: Floats
    fires: Bools


def slo_burn(
    bad: Floats,
    total: Floats,
    step_min: int,
    objective: float,
    min_errors: float = MIN_ERRORS,
    windows: tuple[BurnWindow, ...] = WINDOWS,
) -> Burn:
    """How fast the error budget of an objective burns.

    Args:
        bad: events that break the objective, [series, time].
        total: all events.
        step_min: minutes of a step; divides every window.
        objective: share of events that must be good, in (0, 1).
        min_errors: bad events in the short window, below which nothing fires: a single failure is no trend.
        windows: the pairs.
    """

    def rate(minutes: int) -> Floats:
        steps = _steps(minutes, step_min)
        return ratio(trailing(bad, steps), trailing(total, steps)) / (1.0 - objective)

    long = np.stack([rate(window.long_min) for window in windows])
    short = np.stack([rate(window.short_min) for window in windows])
    errors = np.stack([trailing(bad, _steps(window.short_min, step_min)) for window in windows])
    return Burn(long, short, _both(long, short, windows) & (errors >= min_errors))


def money_burn(
    spend: Floats, step_min: int, budget: float, period_h: float, windows: tuple[BurnWindow, ...] = WINDOWS
) -> Burn:
    """How fast a budget of money burns: spend in the window over what the budget allows in so much time.

    Args:
        spend: per step, [series, time], in the budget's unit.
        step_min: minutes of a step; divides every window.
        budget: for the whole period.
        period_h: hours of the period.
        windows: the pairs.
    """

    def rate(minutes: int) -> Floats:
        return trailing(spend, _steps(minutes, step_min)) / (budget * minutes / 60.0 / period_h)

    long = np.stack([rate(window.long_min) for window in windows])
    short = np.stack([rate(window.short_min) for window in windows])
    return Burn(long, short, _both(long, short, windows))


def trailing(values: Floats, steps: int) -> Floats:
    """Sum over the last `steps` steps, fewer at the beginning: [series, time]."""
    total = np.concatenate([np.zeros((*values.shape[:-1], 1)), values.cumsum(-1)], -1)
    ends = np.arange(1, values.shape[-1] + 1)
    return np.asarray(total[..., ends] - total[..., np.maximum(ends - steps, 0)])


def _both(long: Floats, short: Floats, windows: tuple[BurnWindow, ...]) -> Bools:
    factor = np.array([window.factor for window in windows])[:, None, None]
    return np.asarray((long >= factor) & (short >= factor))


def _steps(minutes: int, step_min: int) -> int:
    if minutes % step_min:
        raise ValueError(f"steps of {step_min} minutes do not fill a window of {minutes} minutes")
    return minutes // step_min
