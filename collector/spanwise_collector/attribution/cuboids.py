"""Sums of all slices of one, two and three dimensions, in one table of cells.

A cuboid is one combination of dimensions; its cells are its slices. Only cells with enough events to say anything are
kept, so that the table is small whatever the number of values.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from spanwise_collector.attribution.evidence import (
    EXPECTED,
    MIN_EVENTS,
    N_AFTER,
    N_BEFORE,
    OF_AFTER,
    ROWS,
    USED,
    Evidence,
)
from spanwise_collector.attribution.leaves import Leaves
from spanwise_collector.attribution.model import Slice
from spanwise_collector.stats.arrays import Floats, Ints

MAX_DEPTH: Final = 3
MAX_WIDTH: Final = 20
"""Values of a dimension that slices of three dimensions are made of: the most frequent."""
_ROUNDING: Final = 1e-12


@dataclass(frozen=True, slots=True)
class _Column:
    """A dimension: the values that are kept, the place of each leaf's among them, and leaves whose value is not."""

    codes: Ints
    places: Ints
    left_out: Ints


@dataclass(frozen=True, slots=True)
class _Cuboid:
    """One combination of dimensions: which cells of the table are its, and in which of them each leaf lies.

    `cells` are their numbers within the cuboid, `keys` a place among `cells` for each leaf, their number for none.
    """

    dims: tuple[int, ...]
    columns: tuple[_Column, ...]
    start: int
    cells: Ints
    keys: Ints


class Cuboids:
    """The table.

    Attributes:
        sums: [row, cell]; see `evidence`.
        cuboids: number of the cuboid of each cell.
        penalties: of each cell: the logarithm of how many slices its cuboid has, and one per dimension.
    """

    def __init__(self, leaves: Leaves, evidence: Evidence) -> None:
        self._leaves = leaves
        self._evidence = evidence
        # Most leaves are of the longer window alone; they add nothing to sums of the other.
        self._after = np.flatnonzero(evidence.sums[N_AFTER])
        self._parts: list[_Cuboid] = []
        tables: list[Floats] = []
        penalties: list[Floats] = []
        start = 0
        for columns, dims in _combined(leaves, evidence):
            part, table, slices = self._part(dims, columns, start)
            self._parts.append(part)
            tables.append(table)
            penalties.append(np.full(part.cells.size, np.log(max(slices, 1)) + len(dims)))
            start += part.cells.size
        self.sums: Floats = np.concatenate(tables, axis=1) if tables else np.zeros((ROWS, 0))
        self.penalties: Floats = np.concatenate(penalties) if penalties else np.zeros(0)
        sizes = [part.cells.size for part in self._parts]
        self.cuboids: Ints = np.repeat(np.arange(len(sizes)), sizes)

    def slice_of(self, cell: int) -> Slice:
        """The slice that a cell stands for."""
        part = self._parts[int(self.cuboids[cell])]
        places = np.unravel_index(
            int(part.cells[cell - part.start]), tuple(column.codes.size for column in part.columns)
        )
        codes = [int(column.codes[place]) for column, place in zip(part.columns, places, strict=True)]
        return self._leaves.slice_of(part.dims, codes)

    def penalty_of(self, one: Slice) -> float:
        """The penalty of a slice's cuboid; 0 where no slice of it is in the table."""
        dims = tuple(self._leaves.dimensions.index(name) for name, _ in one.dims)
        for part in self._parts:
            if part.dims == dims and part.cells.size:
                return float(self.penalties[part.start])
        return 0.0

    def expect(self, expected: Floats) -> None:
        """Replace what was expected, given by leaf."""
        for part in self._parts:
            self.sums[EXPECTED, part.start : part.start + part.cells.size] = _sum(part, expected)

    def leave_out(self, members: Ints) -> None:
        """Take some leaves out of all sums."""
        for part in self._parts:
            cells = slice(part.start, part.start + part.cells.size)
            keys = part.keys[members]
            for row in USED[self._evidence.kind]:
                gone = np.bincount(keys, self._evidence.sums[row, members], part.cells.size + 1)[:-1]
                # What is left of nothing is nothing, and not the error of a difference.
                left = self.sums[row, cells] - gone
                self.sums[row, cells] = np.where(np.abs(left) > _ROUNDING * np.abs(gone), left, 0.0)

    def _part(self, dims: tuple[int, ...], columns: tuple[_Column, ...], start: int) -> tuple[_Cuboid, Floats, int]:
        """A cuboid, its sums, and how many slices it has."""
        sums, kind = self._evidence.sums, self._evidence.kind
        keys = columns[0].places.copy()
        for column in columns[1:]:
            keys *= column.codes.size
            keys += column.places
        size = int(np.prod([column.codes.size for column in columns]))
        for column in columns:
            keys[column.left_out] = size
        events = np.bincount(keys[self._after], sums[N_AFTER, self._after], size + 1)[:-1]
        slices = int(np.count_nonzero(events))
        if kind == "sum":
            events = events + np.bincount(keys, sums[N_BEFORE], size + 1)[:-1]
        cells = np.flatnonzero(events >= MIN_EVENTS)
        renamed = np.full(size + 1, cells.size, dtype=np.int64)
        renamed[cells] = np.arange(cells.size)
        part = _Cuboid(dims, columns, start, cells, renamed[keys])
        table = np.zeros((ROWS, cells.size))
        after = part.keys[self._after]
        for row in USED[kind]:
            if row in OF_AFTER and not (kind == "sum" and row != N_AFTER):
                table[row] = np.bincount(after, sums[row, self._after], cells.size + 1)[:-1]
            else:
                table[row] = _sum(part, sums[row])
        return part, table, slices


def _sum(part: _Cuboid, by_leaf: Floats) -> Floats:
    return np.bincount(part.keys, by_leaf, part.cells.size + 1)[:-1].astype(np.float64)


def _combined(leaves: Leaves, evidence: Evidence) -> Iterator[tuple[tuple[_Column, ...], tuple[int, ...]]]:
    events = evidence.sums[N_AFTER] + evidence.sums[N_BEFORE]
    for depth in range(1, min(MAX_DEPTH, len(leaves.dimensions)) + 1):
        width = MAX_WIDTH if depth == MAX_DEPTH else None
        columns = [_column(leaves, dim, events, width) for dim in range(len(leaves.dimensions))]
        for dims in combinations(range(len(columns)), depth):
            yield tuple(columns[dim] for dim in dims), dims


def _column(leaves: Leaves, dim: int, events: Floats, width: int | None) -> _Column:
    size, codes = leaves.sizes[dim], leaves.codes[:, dim]
    if width is None or size <= width:
        return _Column(np.arange(size), np.ascontiguousarray(codes), np.zeros(0, dtype=np.int64))
    kept = np.argsort(-np.bincount(codes, events, size), kind="stable")[:width]
    renamed = np.full(size, -1, dtype=np.int64)
    renamed[kept] = np.arange(width)
    places = renamed[codes]
    left_out = np.flatnonzero(places < 0)
    places[left_out] = 0
    return _Column(kept, places, left_out)
