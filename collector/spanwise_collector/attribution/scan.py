"""Scan over slices: which values, of up to three dimensions together, explain best that a number moved.

Each slice is judged by its log-likelihood ratio (see `evidence`), less the logarithm of how many slices its combination
of dimensions has (any of them could have stood out by chance) and one per dimension. Two slices of the same dimensions
may be one cause (two models of a provider): pairs compete with single slices, less 15 %.

Likelihood alone prefers the part of a cause that was hit hardest and leaves the rest of it unexplained, as causes hit
their parts unequally. So the best slice is widened: as long as the rest of a wider slice, which has one dimension less,
moved too, by at least a tenth as much and surely, the wider one is the cause.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from spanwise_collector.attribution.cuboids import Cuboids
from spanwise_collector.attribution.evidence import (
    AFTER,
    EXPECTED,
    N_AFTER,
    Evidence,
    Kind,
    effect_of,
    in_own_unit,
    judge,
)
from spanwise_collector.attribution.leaves import Leaves
from spanwise_collector.attribution.model import Slice
from spanwise_collector.stats.arrays import Bools, Floats, Ints

Direction = Literal["up", "down", "both"]
MAX_SLICES: Final = 5
MIN_GAIN: Final = 5.0
"""Below it a slice is not named: where nothing moved, one is in about one scan of twenty."""
ALIKE: Final = 0.05
"""The traffic moved as one where no slice stands apart from it with more than this share of its gain."""
SURE: Final = 3.0
"""Standard deviations by which the rest of a wider slice must have moved."""
SAME: Final = 0.02
"""A wider slice that has so little more is the same in fewer words."""
MAX_RANKED: Final = 50
_PER_CUBOID: Final = 4


@dataclass(frozen=True, slots=True)
class Tuning:
    """Weights of the ranking, checked by cross-validation in bench/regressions/attribution.py.

    Attributes:
        pair_factor: for two slices as one cause.
        affected: the rest of a wider slice moved too where it moved by this share of what the slice did.
    """

    pair_factor: float = 0.85
    affected: float = 0.1


DEFAULT: Final = Tuning()


@dataclass(frozen=True, slots=True)
class Cause:
    """One or two slices that moved.

    Attributes:
        slices: two have the same dimensions, and the first is the stronger.
        excess: sum of values beyond what was expected, of each.
        gains: log-likelihood ratio less penalties, of each.
        rank: by which causes are ordered.
    """

    slices: tuple[Slice, ...]
    excess: tuple[float, ...]
    gains: tuple[float, ...]
    rank: float


class Scan:
    """A scan of two windows; it can go on without what has been explained.

    Attributes:
        whole: all of the traffic as a cause, where it moved as one; then the others are those that moved apart from it.
    """

    def __init__(
        self,
        leaves: Leaves,
        kind: Kind,
        *,
        direction: Direction = "both",
        exposure: float = 1.0,
        tuning: Tuning = DEFAULT,
    ) -> None:
        """Sum up all cuboids.

        Args:
            leaves: both windows.
            kind: what the number is.
            direction: which way slices must have moved.
            exposure: see `Evidence.of`.
            tuning: of the ranking.
        """
        self._leaves = leaves
        self._kind: Kind = kind
        self._direction: Direction = direction
        self._tuning = tuning
        self._evidence = Evidence.of(leaves, kind, exposure)
        self._cuboids = Cuboids(leaves, self._evidence)
        self.whole = self._moved_as_one()

    def ranked(self) -> list[Cause]:
        """Causes, the best first; they may overlap, as readings of the same change."""
        found = self._ranked(self._direction)
        if self.whole:
            return [self.whole, *found]
        return [self._widened(found[0]), *found] if found else []

    def causes(self, most: int = MAX_SLICES) -> list[Cause]:
        """Distinct causes: the best, then the best of what it leaves unexplained, and so on. Leaves them explained.

        Args:
            most: slices in all causes together, about.
        """
        causes = [self.whole] if self.whole else []
        named = {one for cause in causes for one in cause.slices}
        while len(named) < most:
            found = self._ranked(self._direction)
            if not found:
                break
            best = self._widened(found[0])
            if not named.isdisjoint(best.slices):
                break
            causes.append(best)
            named.update(best.slices)
            for one in best.slices:
                self._explain(one)
            # From here on the rest is compared with itself: that all of it moved a little is no further cause.
            self._explain(Slice())
        return causes

    def _moved_as_one(self) -> Cause | None:
        sums = self._evidence.sums.sum(1, keepdims=True)
        excess, gains = judge(self._evidence, sums)
        alone = max((max(cause.gains) for cause in self._ranked(self._direction)), default=MIN_GAIN)
        if gains[0] < alone or not _goes(excess, self._direction)[0]:
            return None
        expected = self._evidence.sums[EXPECTED].copy()
        self._explain(Slice())
        apart = max((max(cause.gains) for cause in self._ranked("both")), default=0.0)
        if apart < ALIKE * gains[0]:
            own = in_own_unit(self._evidence, sums, excess)
            return Cause((Slice(),), (float(own[0]),), (float(gains[0]),), float(gains[0]))
        self._expect(expected)
        return None

    def _ranked(self, direction: Direction, most: int = MAX_RANKED) -> list[Cause]:
        table = self._cuboids
        excess, gains = judge(self._evidence, table.sums)
        gains = np.where(_goes(excess, direction), gains - table.penalties, -np.inf)
        best = _best_of_each(table.cuboids, gains)
        pairs = _pairs_within(table.cuboids[best], best)
        sums = table.sums[:, pairs].sum(-1)
        both, together = judge(self._evidence, sums)
        together = together - table.penalties[pairs].sum(-1)
        cause = (together > MIN_GAIN) & _goes(both, direction)
        pairs, together = pairs[cause], together[cause]
        ranks = np.concatenate((gains[best], self._tuning.pair_factor * together))
        cells = [(cell,) for cell in best.tolist()] + [tuple(pair) for pair in pairs.tolist()]
        order = np.argsort(-ranks, kind="stable")[:most]
        own = in_own_unit(self._evidence, table.sums, excess)
        return [self._cause(cells[place], own, gains, float(ranks[place])) for place in order]

    def _widened(self, cause: Cause) -> Cause:
        """The cause with its slices widened to all that moved with them."""
        slices = tuple(dict.fromkeys(self._widest(one) for one in cause.slices))
        if slices == cause.slices:
            return cause
        judged = [self._judged(one) for one in slices]
        return Cause(slices, tuple(excess for excess, _ in judged), tuple(gain for _, gain in judged), cause.rank)

    def _widest(self, one: Slice) -> Slice:
        while len(one.dims) > 1:
            members = self._leaves.members(one)
            best: tuple[float, Slice] | None = None
            for place in range(len(one.dims)):
                wider = Slice(one.dims[:place] + one.dims[place + 1 :])
                alike = self._alike(members, self._leaves.members(wider))
                if alike >= self._tuning.affected and (best is None or alike > best[0]):
                    best = alike, wider
            if best is None:
                return one
            one = best[1]
        return one

    def _alike(self, members: Bools, wider: Bools) -> float:
        """How far the rest of a wider slice moved, over how far a slice did, both beyond the traffic around them.

        0 where it is not sure that the rest moved at all beyond it.
        """
        rest, events = wider & ~members, self._evidence.sums[N_AFTER]
        if events[rest].sum() < SAME * events[members].sum():
            return np.inf
        moved, variance = self._effect(rest)
        around, of_around = self._effect(~wider)
        beyond = moved - around
        effect = self._effect(members)[0] - around
        surely = beyond**2 > SURE**2 * (variance + of_around)
        return beyond / effect if surely and effect else 0.0

    def _effect(self, members: Bools) -> tuple[float, float]:
        """How far some leaves moved together, and the variance of that."""
        effect, variance = effect_of(self._evidence, self._evidence.sums[:, members].sum(1, keepdims=True))
        return float(effect[0]), float(variance[0])

    def _judged(self, one: Slice) -> tuple[float, float]:
        """Excess and gain of a slice."""
        sums = self._evidence.sums[:, self._leaves.members(one)].sum(1, keepdims=True)
        excess, gain = judge(self._evidence, sums)
        return float(in_own_unit(self._evidence, sums, excess)[0]), float(gain[0]) - self._cuboids.penalty_of(one)

    def _cause(self, cells: tuple[int, ...], excess: Floats, gains: Floats, rank: float) -> Cause:
        return Cause(
            tuple(self._cuboids.slice_of(cell) for cell in cells),
            tuple(float(excess[cell]) for cell in cells),
            tuple(float(gains[cell]) for cell in cells),
            rank,
        )

    def _explain(self, one: Slice) -> None:
        """Go on with what a slice leaves: with other traffic, or with how slices differ from the whole."""
        sums = self._evidence.sums
        if not one.is_whole:
            members = np.flatnonzero(self._leaves.members(one))
            self._cuboids.leave_out(members)
            sums[:, members] = 0.0
        elif self._kind in ("rate", "sum"):
            self._expect(sums[EXPECTED] * sums[AFTER].sum() / max(float(sums[EXPECTED].sum()), 1e-300))
        else:
            moved = (sums[AFTER] - sums[EXPECTED]).sum() / max(float(sums[N_AFTER].sum()), 1.0)
            self._expect(sums[EXPECTED] + sums[N_AFTER] * moved)

    def _expect(self, expected: Floats) -> None:
        self._evidence.sums[EXPECTED] = expected
        self._cuboids.expect(expected)


def _best_of_each(cuboids: Ints, gains: Floats) -> Ints:
    """The best cells of each cuboid, of those with gain enough."""
    named = np.flatnonzero(gains > MIN_GAIN)
    named = named[np.lexsort((-gains[named], cuboids[named]))]
    place = np.arange(named.size) - np.searchsorted(cuboids[named], cuboids[named])
    return named[place < _PER_CUBOID]


def _pairs_within(cuboids: Ints, cells: Ints) -> Ints:
    """Pairs [pair, 2] of cells of the same cuboid, which stand side by side, the better one first."""
    pairs = [np.zeros((0, 2), dtype=np.int64)]
    for apart in range(1, _PER_CUBOID):
        same = cuboids[apart:] == cuboids[:-apart]
        pairs.append(np.column_stack((cells[:-apart][same], cells[apart:][same])))
    return np.concatenate(pairs)


def _goes(excess: Floats, direction: Direction) -> Bools:
    """Where it goes the wanted way."""
    sign = {"up": 1.0, "down": -1.0, "both": 0.0}[direction]
    return np.asarray(excess * sign > 0 if sign else excess != 0, dtype=np.bool_)
