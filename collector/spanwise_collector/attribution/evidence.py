"""How surely a slice moved, and by how much: log-likelihood ratios from sums over its leaves.

All sums add up over leaves, so those of any slice, and of slices together, come from the same arrays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from spanwise_collector.attribution.expected import expected_amounts, expected_means, expected_rates, leaf_variances
from spanwise_collector.attribution.leaves import Leaves, Moments
from spanwise_collector.stats.arrays import Floats, ratio

Kind = Literal["rate", "mean", "amount", "sum"]
"""rate: bad events of all events. mean: of values, logarithms or scores. amount: mean of amounts, whose spread grows
with their size. sum: of values, or of events, over the window."""

ROWS: Final = 10
N_AFTER, AFTER, EXPECTED, N_BEFORE, BEFORE, BEFORE_EXPECTED, VARIANCE, BEFORE_VARIANCE, SQUARES, MONEY = range(ROWS)
"""Rows of `Evidence.sums`: events, sums of values, variances of sums as they were before, squared distances from what
was expected, and of amounts, whose values are relative to what was expected, the excess in their own unit. What a kind
has no use for is 0."""
USED: Final[dict[Kind, tuple[int, ...]]] = {
    "rate": (N_AFTER, AFTER, EXPECTED, N_BEFORE, BEFORE, BEFORE_EXPECTED),
    "mean": tuple(range(MONEY)),
    "amount": tuple(range(ROWS)),
    "sum": (N_AFTER, AFTER, EXPECTED, N_BEFORE, VARIANCE),
}
OF_AFTER: Final = frozenset({N_AFTER, AFTER, EXPECTED, VARIANCE, SQUARES, MONEY})
"""Rows that are 0 in leaves without events in the window after; of sums only the first is."""
MIN_EVENTS: Final = 10
"""A slice with fewer events in both windows together, or in the one after where rates are asked for, says nothing."""
MIN_BAD: Final = 5.0
"""The same of bad events, seen or expected."""
SPREAD: Final = 0.05
"""Relative standard deviation of sums from one window to the next beyond what chance does to independent events."""
PRIOR_BAD: Final = 5.0
"""Bad events that confidence in the model of main effects is worth: a slice's rate is within about 45 % of it."""
PRIOR_EVENTS: Final = 300.0
"""The same for means, in events."""
NEW: Final = 0.1
"""A slice with less than this share of the traffic before that it has after is new."""
_FEW: Final = 10.0
"""Events that the usual variance is worth beside that of the slice itself."""
_TINY: Final = 1e-300
_EXPECTED: Final[dict[Kind, Callable[[Leaves], Floats]]] = {
    "rate": expected_rates,
    "mean": expected_means,
    "amount": expected_amounts,
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a scan adds up.

    Attributes:
        kind: what the number is.
        sums: [row, leaf]; see the names of the rows.
        shrunk: events before over events after, of all.
    """

    kind: Kind
    sums: Floats
    shrunk: float

    @classmethod
    def of(cls, leaves: Leaves, kind: Kind, exposure: float = 1.0) -> "Evidence":
        """Evidence of two windows.

        Args:
            leaves: both windows.
            kind: what the number is.
            exposure: for sums: what the window after would hold, over what the one before held, had nothing changed.
        """
        then, now = leaves.before, leaves.after
        sums = np.zeros((ROWS, then.n.size))
        shrunk = float(then.n.sum()) / max(float(now.n.sum()), 1.0)
        sums[N_AFTER], sums[AFTER], sums[N_BEFORE], sums[BEFORE] = now.n, now.total, then.n, then.total
        if kind == "sum":
            sums[EXPECTED] = exposure * then.total
            sums[VARIANCE] = now.squares + exposure**2 * then.squares
            return cls(kind, sums, shrunk)
        expected = _EXPECTED[kind](leaves)
        if kind == "amount":
            # A price that doubles does so for cheap and dear requests alike: each counts by what is usual for it.
            sums[MONEY] = now.total - now.n * expected
            then = Moments(then.n, then.total / expected, then.squares / expected**2)
            now = Moments(now.n, now.total / expected, now.squares / expected**2)
            sums[AFTER], sums[BEFORE], expected = now.total, then.total, np.ones(expected.size)
        sums[EXPECTED], sums[BEFORE_EXPECTED] = now.n * expected, then.n * expected
        if kind != "rate":
            variances = leaf_variances(then, expected)
            sums[VARIANCE], sums[BEFORE_VARIANCE] = now.n * variances, then.n * variances
            sums[SQUARES] = np.maximum(now.squares - 2.0 * expected * now.total + now.n * expected**2, 0.0)
        return cls(kind, sums, shrunk)


def in_own_unit(evidence: Evidence, sums: Floats, excess: Floats) -> Floats:
    """The excess of slices in the unit of the values; that of `judge` is relative for amounts."""
    return sums[MONEY] if evidence.kind == "amount" else excess


def effect_of(evidence: Evidence, sums: Floats) -> tuple[Floats, Floats]:
    """How far slices moved per event, of sums relative to their size, and the variance of that.

    Unlike `judge` it takes the reference for known: it compares parts of the traffic with each other.
    """
    excess = sums[AFTER] - sums[EXPECTED]
    if evidence.kind == "sum":
        size = np.maximum(sums[AFTER] + sums[EXPECTED], _TINY)
        return excess / size, (sums[VARIANCE] + (SPREAD * sums[EXPECTED]) ** 2) / size**2
    n = sums[N_AFTER]
    if evidence.kind == "rate":
        rate = ratio(sums[AFTER] + 1.0, n + 2.0)
        return ratio(excess, n), ratio(rate * (1.0 - rate), n, np.inf)
    return ratio(excess, n), ratio(sums[VARIANCE], n**2, np.inf)


def judge(evidence: Evidence, sums: Floats) -> tuple[Floats, Floats]:
    """How far slices are from what was expected, and how surely.

    Args:
        evidence: of both windows.
        sums: [row, ...], of slices.

    Returns:
        Excess (sum of values after, less what was expected), and log-likelihood ratio of a change against none;
        -infinity where too few events say anything.
    """
    if evidence.kind == "sum":
        excess = sums[AFTER] - sums[EXPECTED]
        gain = excess**2 / np.maximum(2.0 * (sums[VARIANCE] + (SPREAD * sums[EXPECTED]) ** 2), _TINY)
        return excess, np.where(sums[N_AFTER] + sums[N_BEFORE] >= MIN_EVENTS, gain, -np.inf)
    # Traffic that is new has no past: it is compared with what is usual for the rest, as if it had always been there.
    alike = evidence.shrunk * sums[N_AFTER]
    new = np.where(sums[N_BEFORE] < NEW * alike, alike - sums[N_BEFORE], 0.0)
    enough = sums[N_AFTER] >= MIN_EVENTS
    if evidence.kind == "rate":
        excess, gain = _judge_rates(sums, new)
        enough &= np.maximum(sums[AFTER], sums[EXPECTED]) >= MIN_BAD
    else:
        excess, gain = _judge_means(sums, new)
    return excess, np.where(enough, gain, -np.inf)


def _judge_rates(sums: Floats, new: Floats) -> tuple[Floats, Floats]:
    """Two binomial samples: now, and the reference with as many trials as give its rate at the mix of now."""
    n, bad = sums[N_AFTER], sums[AFTER]
    usual = ratio(sums[EXPECTED], n)
    bad_before = sums[BEFORE] + PRIOR_BAD + new * usual
    n_before = np.maximum(ratio(sums[BEFORE_EXPECTED] + PRIOR_BAD, usual) + new, bad_before)
    reference, pooled = ratio(bad_before, n_before), ratio(bad + bad_before, n + n_before)
    gain = _log_likelihood(bad, n, ratio(bad, n)) + _log_likelihood(bad_before, n_before, reference)
    gain -= _log_likelihood(bad, n, pooled) + _log_likelihood(bad_before, n_before, pooled)
    return bad - n * reference, gain


def _log_likelihood(bad: Floats, n: Floats, rate: Floats) -> Floats:
    return bad * np.log(np.maximum(rate, _TINY)) + (n - bad) * np.log(np.maximum(1.0 - rate, _TINY))


def _judge_means(sums: Floats, new: Floats) -> tuple[Floats, Floats]:
    """Squared difference over its variance, the reference's own included; as for a variance that is not known.

    With a variance s^2 that is known the gain would be g = n (mu1 - mu0)^2 / (2 s^2), which a few outliers of a small
    slice make large; n/2 ln(1 + 2 g / n) is the same for many events and grows slowly for few.
    """
    n = sums[N_AFTER]
    usual_variance = ratio(sums[VARIANCE], n)
    # Around the slice's own mean, so that its shift is no spread.
    spread = np.maximum(sums[SQUARES] - ratio((sums[AFTER] - sums[EXPECTED]) ** 2, n), 0.0)
    variance = n * (spread + _FEW * usual_variance) / (n + _FEW)
    weight = sums[N_BEFORE] + PRIOR_EVENTS + new
    shift = (sums[BEFORE] - sums[BEFORE_EXPECTED]) / weight
    shift_variance = (sums[BEFORE_VARIANCE] + (PRIOR_EVENTS + new) * usual_variance) / weight**2
    excess = sums[AFTER] - sums[EXPECTED] - n * shift
    squared = excess**2 / np.maximum(variance + n**2 * shift_variance, _TINY)
    return excess, n / 2.0 * np.log1p(ratio(squared, n))
