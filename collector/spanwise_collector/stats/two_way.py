"""Fits of level + hour x weekend + weekday to sums by hour of the week, for many series at once.

Effects are pulled to zero as far as their own scatter says that they are chance (an empirical Bayes ridge: the penalty
of a squared effect is one over the variance of effects, by the moments of DerSimonian and Laird). A rate with a hundred
events in four weeks keeps its level and gets no season; a latency with thousands gets its season as it is.
"""

from typing import Final

import numpy as np

from spanwise_collector.stats.arrays import Floats, ratio
from spanwise_collector.stats.seasons import WEEKDAYS, WEEKEND

LEVEL_ROUNDS: Final = 2
POISSON_ROUNDS: Final = 6
MAX_STEP: Final = 2.0
"""A round of the Poisson fit moves a cell by at most so much."""
MIN_VARIANCE: Final = 1e-6
_KIND: Final = (np.arange(WEEKDAYS) >= WEEKEND).astype(np.int64)
_PICKS: Final = np.eye(2)[_KIND]
_SAME: Final = (_KIND[:, None] == _KIND[None, :]).astype(np.float64)


def two_way(weight: Floats, total: Floats, ridges: tuple[Floats, Floats]) -> Floats:
    """Fitted values of the weighted least squares fit; hours are eliminated, so that 7 equations remain.

    Args:
        weight: sum of weights by cell, [series, 7, 24].
        total: sum of weight times value.
        ridges: penalties of squared effects of hours and of weekdays, each [series]; see `ridges`.
    """
    level = ratio(total.sum((1, 2)), weight.sum((1, 2)))
    for_hours, for_days = ridges
    hour_weight = _by_hour(weight) + for_hours[:, None, None]
    inverse = 1.0 / hour_weight[:, _KIND, :]
    cross = np.einsum("sdh,sdh,seh->sde", weight, inverse, weight, optimize=True) * _SAME
    matrix = np.eye(WEEKDAYS) * (weight.sum(2) + for_days[:, None])[:, None, :] - cross
    fitted = np.zeros_like(weight)
    for _ in range(LEVEL_ROUNDS):
        rest = total - weight * level[:, None, None]
        by_hour = _by_hour(rest)
        right = rest.sum(2) - (weight * inverse * by_hour[:, _KIND, :]).sum(2)
        days = np.linalg.solve(matrix, right[..., None])[..., 0]
        hours = (by_hour - _by_hour(weight * days[:, :, None])) / hour_weight
        fitted = hours[:, _KIND, :] + days[:, :, None]
        level = ratio((total - weight * fitted).sum((1, 2)), weight.sum((1, 2)))
    return np.asarray(level[:, None, None] + fitted)


def poisson_two_way(events: Floats, exposed: Floats) -> Floats:
    """Logarithm of events per exposure, by iterated weighted least squares.

    Args:
        events: by cell, [series, 7, 24]; divided by their over-dispersion, so that each is one unit of information.
        exposed: exposure by cell, divided alike.
    """
    level = ratio(events.sum((1, 2)) + 0.5, np.maximum(exposed.sum((1, 2)), 1e-9))
    table = np.broadcast_to(np.log(level)[:, None, None], events.shape)
    mean = exposed * np.exp(table)
    penalties = ridges(mean, events - mean)
    for _ in range(POISSON_ROUNDS):
        mean = exposed * np.exp(table)
        # The step is bounded and not the response of each cell, or the one event of a sparse cell would hardly count.
        fitted = two_way(mean, mean * table + events - mean, penalties)
        table = table + np.clip(fitted - table, -MAX_STEP, MAX_STEP)
    return table


def ridges(weight: Floats, rest: Floats) -> tuple[Floats, Floats]:
    """Penalties for hours x weekend and for weekdays, each [series].

    Args:
        weight: information by cell: one over the variance of what is averaged, summed, [series, 7, 24].
        rest: sum of weight times difference from the level.
    """
    hours = _effect_variance(_by_hour(weight).reshape(len(weight), -1), _by_hour(rest).reshape(len(weight), -1))
    days = _effect_variance(weight.sum(2), rest.sum(2))
    return 1.0 / hours, 1.0 / days


def _by_hour(table: Floats) -> Floats:
    return np.asarray(np.einsum("sdh,dk->skh", table, _PICKS))


def _effect_variance(weight: Floats, rest: Floats) -> Floats:
    effects = ratio(rest, weight)
    effects = effects - ratio((weight * effects).sum(1), weight.sum(1))[:, None]
    scatter = (weight * effects**2).sum(1) - ((weight > 0).sum(1) - 1.0)
    spare = weight.sum(1) - ratio((weight**2).sum(1), weight.sum(1))
    return np.maximum(ratio(scatter, spare), MIN_VARIANCE)
