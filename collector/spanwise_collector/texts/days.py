"""How much a project's days differ, and windows put together from its own days.

Days are not alike: each has its own mix of what is asked. A window of one day must be compared with how much single
days stray, which is more than drawing texts at random would show. Each group of texts takes its share from a day drawn
for that group alone, so that a dozen days make many different ones; what of a day's deviation is mere counting noise is
taken off first, since the window's own drawing brings that back.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MIN_TEXTS_OF_DAY: Final = 30
_LOWEST: Final = 0.05
"""No group falls to nothing: a share is at least this part of the usual one."""

_TINY: Final = 1e-9

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DaySpread:
    """Deviations of days from the whole, relative, without counting noise.

    Attributes:
        broad: of each day and broad group [days, groups].
        fine: of each day and fine group, beyond what its broad groups do [days, fine groups].
    """

    broad: Doubles
    fine: Doubles


def day_spread(broad: Integers, fine: Integers, days: Integers) -> DaySpread | None:
    """How the days of a sample differ; None with fewer than two days of enough texts.

    Args:
        broad: group of each text, as numbers from 0 on.
        fine: another, finer grouping; need not be nested.
        days: day of each text, as numbers from 0 on.
    """
    of_day = np.bincount(days)
    usable = np.flatnonzero(of_day >= MIN_TEXTS_OF_DAY)
    if len(usable) < 2:
        return None
    kept = np.isin(days, usable)
    day = np.searchsorted(usable, days[kept])
    noise_of_days = float((1.0 / of_day[usable]).mean())
    broad_share, broad_moved = _deviations(broad[kept], day, int(broad.max()) + 1)
    fine_share, fine_moved = _deviations(fine[kept], day, int(fine.max()) + 1)
    table = np.zeros((len(fine_share), len(broad_share)))
    np.add.at(table, (fine[kept], broad[kept]), 1.0)
    within = table / np.maximum(table.sum(axis=1, keepdims=True), 1.0)
    floor = 1.0 / kept.sum()
    broad_noise = (1.0 / np.maximum(broad_share, floor) - 1.0) * noise_of_days
    fine_noise = (1.0 / np.maximum(fine_share, floor) - (within**2 / np.maximum(broad_share, floor)).sum(axis=1)) * (
        noise_of_days
    )
    days_of_sample = len(usable)
    ratio = _variance(broad_moved) / np.maximum(broad_noise, _TINY)
    common = excess(
        _variance(fine_moved - broad_moved @ within.T) / np.maximum(fine_noise, _TINY), days_of_sample, shared=True
    )
    return DaySpread(
        _scaled(broad_moved, broad_noise * excess(ratio, days_of_sample)),
        _scaled(fine_moved - broad_moved @ within.T, fine_noise * common),
    )


def excess(ratio: Doubles, days: int, *, shared: bool = False) -> Doubles:
    """By how much days vary beyond counting noise, as a multiple of it, never below 0.

    Empirical Bayes: the ratios of all groups are shrunk towards their mean by as much as their own scatter is what a
    variance of so few days has anyway (2 / (days - 1) of its square). None falls below that mean, since of many groups
    the one that looks calm by chance would be the first to raise an alarm. The last factor is the variance of Student's
    t: a spread that is known from a few days is less sure than it looks.

    Args:
        ratio: variance between days over that of counting noise, of each group; 1 where days do not differ.
        days: how many; with fewer than 2 there is none.
        shared: all groups have one ratio.
    """
    if days < 2:
        return np.zeros_like(ratio)
    common = max(1.0, float(ratio.mean()))
    noise = 2.0 * common**2 / (days - 1)
    between = 0.0 if shared else max(0.0, float(((ratio - common) ** 2).mean()) - noise)
    own = between / (between + noise)
    unsure = (days - 1) / max(days - 3, 1)
    found: Doubles = (np.maximum(common + own * (ratio - common), common) - 1.0) * unsure
    return found


def day_ratio(sums: Doubles, sizes: Integers, variance: Doubles) -> Doubles:
    """The ratio of `excess` for averages of any columns: variance between days over that within them.

    Args:
        sums: of each day's texts [days, columns].
        sizes: how many texts each day has, none of them 0 [days].
        variance: of each column between texts [columns].

    Returns:
        [columns]; ones with fewer than two days.
    """
    if len(sizes) < 2:
        return np.ones(sums.shape[1])
    mean = sums.sum(axis=0) / sizes.sum()
    between = ((sums / sizes[:, np.newaxis] - mean) ** 2 * sizes[:, np.newaxis]).sum(axis=0) / (len(sizes) - 1)
    found: Doubles = np.divide(between, variance, out=np.ones_like(variance), where=variance > 0)
    return found


def _variance(moved: Doubles) -> Doubles:
    found: Doubles = (moved**2).sum(axis=0) / (len(moved) - 1)
    return found


def _scaled(moved: Doubles, spread: Doubles) -> Doubles:
    """Deviations scaled to a variance.

    The last factor is for the mean that the days themselves were measured from, and for a new day's distance from it.
    """
    days = len(moved)
    seen = _variance(moved)
    scale = np.sqrt(np.divide(spread, seen, out=np.zeros_like(seen), where=seen > 0))
    found: Doubles = moved * scale * np.sqrt((days + 1) / (days - 1))
    return found


def _deviations(group: Integers, day: Integers, groups: int) -> tuple[Doubles, Doubles]:
    """Shares of the groups over all days, and each day's relative deviation from them."""
    counts = np.zeros((int(day.max()) + 1, groups))
    np.add.at(counts, (day, group), 1.0)
    share = counts.sum(axis=0) / counts.sum()
    of_day = counts / counts.sum(axis=1, keepdims=True)
    return share, np.where(share > 0, of_day / np.where(share > 0, share, 1.0) - 1.0, 0.0)


def window_weights(
    spread: DaySpread | None,
    broad: Integers,
    fine: Integers,
    windows: int,
    span_days: int,
    rng: np.random.Generator,
) -> Doubles:
    """With what weight each text of the sample is drawn in each of many windows [windows, texts]; rows add up to 1.

    Args:
        spread: how the days differ; None where nothing is known of it.
        broad: group of each text.
        fine: fine group of each text.
        windows: how many.
        span_days: how many days a window covers; their deviations average out.
        rng: draws the days.
    """
    if spread is None:
        return np.full((windows, len(broad)), 1.0 / len(broad))
    moved = _drawn(spread.broad, windows, span_days, rng)[:, broad]
    moved += _drawn(spread.fine, windows, span_days, rng)[:, fine]
    weights = np.maximum(1.0 + moved, _LOWEST)
    normalised: Doubles = weights / weights.sum(axis=1, keepdims=True)
    return normalised


def _drawn(deviations: Doubles, windows: int, span_days: int, rng: np.random.Generator) -> Doubles:
    """Each group's deviation in each window: the mean of days drawn for it alone."""
    days, groups = deviations.shape
    found = np.zeros((windows, groups))
    for _ in range(span_days):
        found += deviations[rng.integers(days, size=(windows, groups)), np.arange(groups)]
    return found / span_days
