"""Two treatments of the same items: interval, test, and how many items more it takes. Pure.

Everything is said of differences of one item, second minus first. Items of one group (a conversation, say) are not
independent and are drawn and flipped together. Formulas: Efron & Tibshirani, An Introduction to the Bootstrap (1993),
chapter 14 (BCa); Hesterberg, The American Statistician 69 (2015) 371-386 (wider tails for few items); Bonett & Price,
Journal of Educational and Behavioral Statistics 37 (2012) 479-488 (paired proportions); McNemar (1947), exact form.
Measured in `bench/evals/paired.py`.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from spanwise_collector.stats.tables import binomial_two_sided, normal_below, normal_quantile, student_quantile

DRAWS: Final = 10_000
LEVEL: Final = 0.95
POWER: Final = 0.8
MOST_NEEDED: Final = 10_000_000
"""No one has more items than this."""
EXACT_UP_TO: Final = 12
"""So many groups have few enough combinations of signs to try them all."""
_CELLS: Final = 4_000_000
"""Numbers that one step of the bootstrap holds in memory."""

Floats = NDArray[np.float64]
Method = Literal["mcnemar", "sign-flip"]


@dataclass(frozen=True, slots=True)
class PairedResult:
    """What two lists of values of the same items say.

    Attributes:
        n: items.
        groups: independent groups of them.
        mean_a: of the first.
        mean_b: of the second.
        difference: `mean_b - mean_a`.
        low: end of the 95 % interval of the difference.
        high: the other end.
        p_value: two-sided, that there is no difference.
        method: of the test.
        spread: standard deviation of the difference of one item, groups taken into account: the standard error
            is `spread / sqrt(n)`.
    """

    n: int
    groups: int
    mean_a: float
    mean_b: float
    difference: float
    low: float
    high: float
    p_value: float
    method: Method
    spread: float


def paired(
    a: Floats, b: Floats, groups: NDArray[np.int64] | None = None, *, rng: np.random.Generator, draws: int = DRAWS
) -> PairedResult:
    """Compare two values of each item.

    Args:
        a: values of the items under the first treatment, finite; of repeats the mean.
        b: under the second, in the same order.
        groups: a number per item; items of one number are not independent. None: all are.
        rng: for the bootstrap and the permutation.
        draws: of each.

    Raises:
        ValueError: there are no items, or the lists differ in length.
    """
    if len(a) != len(b) or len(a) == 0 or (groups is not None and len(groups) != len(a)):
        raise ValueError("two lists of equal length are needed, with at least one item")
    d = b - a
    sums, sizes = _by_group(d, groups)
    clustered = len(sums) < len(d)
    yes_no = not clustered and bool(np.isin(a, (0.0, 1.0)).all() and np.isin(b, (0.0, 1.0)).all())
    error = _standard_error(sums, sizes)
    if yes_no:
        gained, lost = int((d > 0).sum()), int((d < 0).sum())
        low, high = bonett_price(gained, lost, len(d))
        p_value, method = mcnemar(gained, lost), "mcnemar"
        error = max(error, (high - low) / (2 * normal_quantile(0.5 + LEVEL / 2)))
    else:
        if np.ptp(sums / sizes) < 1e-12:
            low, high = _all_the_same(float(d.mean()), len(sums), np.concatenate((a, b)))
            error = max(error, (high - low) / 4)
        else:
            low, high = bca(sums, sizes, rng=rng, draws=draws)
        p_value, method = sign_flip(sums, rng=rng, draws=draws), "sign-flip"
    return PairedResult(
        n=len(d),
        groups=len(sums),
        mean_a=float(a.mean()),
        mean_b=float(b.mean()),
        difference=float(d.mean()),
        low=low,
        high=high,
        p_value=p_value,
        method="mcnemar" if method == "mcnemar" else "sign-flip",
        spread=error * math.sqrt(len(d)),
    )


def bca(sums: Floats, sizes: Floats, *, rng: np.random.Generator, draws: int = DRAWS) -> tuple[float, float]:
    """The 95 % interval of a mean: bias-corrected and accelerated bootstrap over groups.

    The tails are those of Student's t, widened for the bootstrap's own narrowness, so that few items are not taken for
    many.

    Args:
        sums: of the values of each group, not all means equal.
        sizes: how many values a group has.
        rng: for the draws.
        draws: how many.
    """
    m = len(sums)
    estimate = float(sums.sum() / sizes.sum())
    found = np.empty(draws)
    step = max(1, _CELLS // m)
    for start in range(0, draws, step):
        count = min(step, draws - start)
        picked = rng.integers(0, m, size=(count, m))
        found[start : start + count] = sums[picked].sum(1) / sizes[picked].sum(1)
    below = (float((found < estimate).sum()) + 0.5 * float((found == estimate).sum())) / draws
    bias = normal_quantile(min(max(below, 1 / draws), 1 - 1 / draws))
    left_out = (sums.sum() - sums) / (sizes.sum() - sizes)
    away = left_out.mean() - left_out
    scale = float((away**2).sum()) ** 1.5
    bend = float((away**3).sum()) / (6 * scale) if scale > 0 else 0.0
    reach = math.sqrt(m / (m - 1)) * student_quantile(0.5 + LEVEL / 2, m - 1)
    ends = []
    for z in (bias - reach, bias + reach):
        bent = 1 - bend * z
        share = normal_below(bias + z / bent) if bent > 0 else float(z > 0)
        ends.append(float(np.quantile(found, share)))
    return min(ends), max(ends)


def bonett_price(gained: int, lost: int, n: int) -> tuple[float, float]:
    """The 95 % interval of the difference of two paired proportions, adjusted Wald: never of length zero.

    Args:
        gained: items that the second has and the first has not.
        lost: the other way round.
        n: items.
    """
    up, down = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    reach = normal_quantile(0.5 + LEVEL / 2) * math.sqrt((up + down - (up - down) ** 2) / (n + 2))
    return max(-1.0, up - down - reach), min(1.0, up - down + reach)


def mcnemar(gained: int, lost: int) -> float:
    """Two-sided p-value that neither side is better, exact: the items that differ are a fair coin's."""
    return binomial_two_sided(lost, gained + lost, 0.5)


def sign_flip(sums: Floats, *, rng: np.random.Generator, draws: int = DRAWS) -> float:
    """Two-sided p-value that differences are as often up as down: signs of whole groups are flipped at random.

    Args:
        sums: of the differences of each group. Up to 12 groups all flips are tried.
        rng: for the draws.
        draws: how many flips are tried of more groups.
    """
    moved = sums[np.abs(sums) > 1e-12]
    m = len(moved)
    if not m:
        return 1.0
    limit = abs(float(moved.sum())) * (1 - 1e-9)
    if m <= EXACT_UP_TO:
        signs = 1.0 - 2.0 * ((np.arange(2**m)[:, None] >> np.arange(m)) & 1)
        return float((np.abs(signs @ moved) >= limit).mean())
    beyond = 0
    step = max(1, _CELLS // m)
    for start in range(0, draws, step):
        count = min(step, draws - start)
        signs = 1.0 - 2.0 * rng.integers(0, 2, size=(count, m))
        beyond += int((np.abs(signs @ moved) >= limit).sum())
    return (beyond + 1) / (draws + 1)


def items_needed(difference: float, spread: float, margin: float) -> int | None:
    """About how many items decide a comparison with power 80 %, if things go on as they are.

    Whichever takes fewer: to show that there is a difference, or that none matters.

    Args:
        difference: as measured.
        spread: standard deviation of one item's difference.
        margin: a smaller difference does not matter; 0: every one does.

    Returns:
        Items in all; None where no number would do that anyone has.
    """
    distance = max(abs(difference), margin - abs(difference))
    if distance <= 0 or not math.isfinite(spread):
        return None
    reach = normal_quantile(0.5 + LEVEL / 2) + normal_quantile(POWER)
    root = reach * spread / distance
    return max(2, math.ceil(root**2)) if root < MOST_NEEDED**0.5 else None


def _by_group(d: Floats, groups: NDArray[np.int64] | None) -> tuple[Floats, Floats]:
    if groups is None:
        return d, np.ones(len(d))
    _, place = np.unique(groups, return_inverse=True)
    return np.bincount(place, weights=d).astype(np.float64), np.bincount(place).astype(np.float64)


def _standard_error(sums: Floats, sizes: Floats) -> float:
    m, n = len(sums), float(sizes.sum())
    if m < 2:
        return math.inf
    rest = sums - sizes * (float(sums.sum()) / n)
    return math.sqrt(m / (m - 1) * float((rest**2).sum())) / n


def _all_the_same(difference: float, m: int, values: Floats) -> tuple[float, float]:
    """Where all differences are equal, drawing from them says nothing: up to a share of items may differ unseen.

    Of `m` independent ones without an exception at most `1 - 0.025**(1/m)` of all are exceptions, at 97.5 %. Each moves
    by no more than the range of the values, which is taken to be at least 1 where they lie between 0 and 1.
    """
    inside = bool((values >= 0).all() and (values <= 1).all())
    reach = 1.0 if inside else max(float(np.ptp(values)), float(np.abs(values).max()))
    unseen = (1 - ((1 - LEVEL) / 2) ** (1 / m)) * reach
    return difference - unseen, difference + unseen
