"""How far a judge says what people say: percent agreement and Cohen's kappa with an interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from spanwise_collector.means.intervals import quantile, wilson
from spanwise_collector.means.sums import is_yes_no
from spanwise_collector.stats.arrays import Bools, Floats

NEAR: Final = 0.1
"""Graded scores agree when they differ by at most this share of the range of all that were given."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of two raters over the same targets.

    Attributes:
        n: targets that both rated.
        agreed: share of them on which they agree; None without targets.
        kappa: Cohen's; None where it is not defined: fewer than two targets, or both said one and the same of all.
        low: lower end of its 95 % interval; None where it is not known.
        high: upper end.
    """

    n: int
    agreed: float | None
    kappa: float | None
    low: float | None
    high: float | None


def of_labels(a: Sequence[str], b: Sequence[str]) -> Agreement:
    """Of words; Cohen's kappa (1960) with the variance of Fleiss, Cohen and Everitt (1969)."""
    words = sorted({*a, *b})
    code = {word: number for number, word in enumerate(words)}
    return _categories(np.array([code[one] for one in a], int), np.array([code[one] for one in b], int))


def of_values(a: Floats, b: Floats) -> Agreement:
    """Of numbers; pairs that are not finite are left out.

    Yes and no have Cohen's kappa. Graded scores have the kappa with squared weights (Cohen 1968), which for numbers is
    2 cov(a, b) / (var a + var b + (mean a - mean b)^2), Lin's concordance (1989), and for yes and no is the same as
    Cohen's.
    """
    usable = np.isfinite(a) & np.isfinite(b)
    a, b = a[usable], b[usable]
    if is_yes_no(a) and is_yes_no(b):
        return _categories(a.astype(int), b.astype(int))
    return _graded(a, b)


def _categories(a: np.ndarray, b: np.ndarray) -> Agreement:
    n = int(a.size)
    same = a == b
    if n < 2:
        return Agreement(n, float(same.mean()) if n else None, None, None, None)
    width = int(max(a.max(), b.max())) + 1
    shares_a, shares_b = (np.bincount(one, minlength=width) / n for one in (a, b))
    agreed, chance = float(same.mean()), float(shares_a @ shares_b)
    if chance > 1 - 1e-12:
        return Agreement(n, agreed, None, None, None)
    kappa = (agreed - chance) / (1 - chance)
    influence = (same - agreed) / (1 - chance)
    influence = influence - (shares_b[a] + shares_a[b] - 2 * chance) * (1 - agreed) / (1 - chance) ** 2
    if same.all() or not same.any():
        # Nothing was seen to vary: the interval of the agreement alone, its chance part held as it is.
        low, high = ((one - chance) / (1 - chance) for one in wilson(agreed, n))
        return Agreement(n, agreed, kappa, max(low, -1.0), high)
    return _with_interval(n, agreed, kappa, influence)


def _graded(a: Floats, b: Floats) -> Agreement:
    n = int(a.size)
    if n < 2:
        return Agreement(n, float(_near(a, b).mean()) if n else None, None, None, None)
    agreed = float(_near(a, b).mean())
    apart = a.mean() - b.mean()
    da, db = a - a.mean(), b - b.mean()
    shared, bottom = float((da * db).mean()), float((da**2 + db**2).mean() + apart**2)
    if bottom <= 1e-12:
        return Agreement(n, agreed, None, None, None)
    kappa = 2 * shared / bottom
    of_bottom = da**2 + db**2 + apart**2 + 2 * apart * (da - db) - bottom
    influence = (2 * (da * db - shared) - kappa * of_bottom) / bottom
    return _with_interval(n, agreed, kappa, influence)


def _near(a: Floats, b: Floats) -> Bools:
    both = np.concatenate((a, b))
    return np.asarray(np.abs(a - b) <= NEAR * (both.max() - both.min()) + 1e-12)


def _with_interval(n: int, agreed: float, kappa: float, influence: Floats) -> Agreement:
    """The interval on Fisher's scale, artanh(kappa), where it is nearly symmetric."""
    error = float(np.sqrt(np.sum(influence**2) / n / (n - 1)))
    if abs(kappa) >= 1 - 1e-9 or error <= 0:
        return Agreement(n, agreed, kappa, None, None)
    half = quantile(n - 1) * error / (1 - kappa * kappa)
    low, high = np.tanh(np.arctanh(kappa) - half), np.tanh(np.arctanh(kappa) + half)
    return Agreement(n, agreed, kappa, float(low), float(high))
