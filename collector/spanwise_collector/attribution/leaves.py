"""Counts of two windows at the finest level of all dimensions together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from spanwise_collector.attribution.model import Slice
from spanwise_collector.stats.arrays import Bools, Floats, Ints

MAX_VALUES: Final = 50
"""Values of a dimension that are looked at; the rest is one value, `OTHER`."""
OTHER: Final = "(other)"
_MOVED: Final = 10
"""Of these so many are those that moved most, however rare."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over the events of each leaf. For rates `total` counts the bad events and `squares` equals it.

    Attributes:
        n: events.
        total: sum of their values.
        squares: sum of the squared values.
    """

    n: Floats
    total: Floats
    squares: Floats

    def by(self, codes: Ints, size: int) -> "Moments":
        """The sums by a code from 0 to size - 1."""
        n, total, squares = (
            np.bincount(codes, part, size).astype(np.float64) for part in (self.n, self.total, self.squares)
        )
        return Moments(n, total, squares)

    def within(self, members: Bools) -> tuple[float, float, float]:
        """Events, sum and squared sum of some leaves together."""
        return float(self.n[members].sum()), float(self.total[members].sum()), float(self.squares[members].sum())


@dataclass(frozen=True, slots=True)
class Leaves:
    """Two windows by all dimensions together.

    Attributes:
        dimensions: names.
        values: of each dimension, what its codes mean.
        codes: [leaf, dimension].
        before: of the reference window, by leaf.
        after: of the window in question, by leaf.
    """

    dimensions: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    codes: Ints
    before: Moments
    after: Moments

    @classmethod
    def of(
        cls,
        columns: Sequence[tuple[str, Sequence[str]]],
        before: Moments,
        after: Moments,
        exposure: float = 1.0,
    ) -> "Leaves":
        """Leaves from columns of text.

        Of a dimension with more than `MAX_VALUES` values the most frequent are kept, and a few that moved most. Rows
        with the same values are one leaf.

        Args:
            columns: dimension, and its value in each row.
            before: of the reference window, by row.
            after: of the window in question, by row.
            exposure: length of the window after over that of the one before; only picks the values that moved most.
        """
        names, values, codes = [], [], []
        for name, column in columns:
            found, code = np.unique(np.asarray(list(column), dtype=np.str_), return_inverse=True)
            kept, code = _capped(found.tolist(), code.reshape(-1).astype(np.int64), before, after, exposure)
            names.append(name)
            values.append(tuple(kept))
            codes.append(code)
        if not codes or not before.n.size:
            return cls(
                tuple(names), tuple(values), np.zeros((before.n.size, len(codes)), dtype=np.int64), before, after
            )
        keys = np.ravel_multi_index(tuple(codes), tuple(len(found) for found in values))
        _, first, leaf = np.unique(keys, return_index=True, return_inverse=True)
        table, leaf = np.column_stack(codes)[first], leaf.reshape(-1).astype(np.int64)
        return cls(tuple(names), tuple(values), table, before.by(leaf, first.size), after.by(leaf, first.size))

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many values each dimension has."""
        return tuple(len(values) for values in self.values)

    def members(self, wanted: Slice) -> Bools:
        """Which leaves lie in a slice.

        Raises:
            ValueError: it has a dimension or a value that is not here.
        """
        chosen = np.ones(self.before.n.size, dtype=np.bool_)
        for dimension, value in wanted.dims:
            place = self.dimensions.index(dimension)
            chosen &= self.codes[:, place] == self.values[place].index(value)
        return chosen

    def slice_of(self, dims: Sequence[int], codes: Sequence[int]) -> Slice:
        """The slice with given values of given dimensions, by number."""
        return Slice(
            tuple((self.dimensions[dim], self.values[dim][code]) for dim, code in zip(dims, codes, strict=True))
        )


def _capped(found: list[str], codes: Ints, before: Moments, after: Moments, exposure: float) -> tuple[list[str], Ints]:
    """Values kept, and the codes with all others as one."""
    if len(found) <= MAX_VALUES:
        return found, codes
    then, now = before.by(codes, len(found)), after.by(codes, len(found))
    events = then.n + now.n
    frequent = np.argsort(-events, kind="stable")
    moved = np.lexsort((-events, -np.abs(now.total - exposure * then.total)))
    kept = dict.fromkeys(frequent[: MAX_VALUES - _MOVED].tolist())
    for value in (*moved.tolist(), *frequent.tolist()):
        if len(kept) == MAX_VALUES - 1:
            break
        kept[value] = None
    renamed = np.full(len(found), len(kept), dtype=np.int64)
    renamed[list(kept)] = np.arange(len(kept))
    return [*(found[value] for value in kept), OTHER], renamed[codes]
