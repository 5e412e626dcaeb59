"""Which hour of which weekday a step lies in."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from spanwise_collector.stats.arrays import Floats, Ints

WEEKDAYS: Final = 7
HOURS: Final = 24
CELLS: Final = WEEKDAYS * HOURS
WEEKEND: Final = 5
"""Saturday; Monday is 0."""
_EPOCH_WEEKDAY: Final = 3


@dataclass(frozen=True, slots=True)
class Steps:
    """Equal steps of time, numbered since the epoch: step i covers [i, i + 1) * seconds.

    Attributes:
        first: number of the first.
        count: how many.
        seconds: length of one; divides an hour.
        utc_offset_s: of the wall clock that people keep, for hours and weekdays.
    """

    first: int
    count: int
    seconds: int
    utc_offset_s: int = 0

    @property
    def hours(self) -> float:
        """Length of a step in hours."""
        return self.seconds / 3600

    def cells(self) -> Ints:
        """Weekday * 24 + hour of each step."""
        return _cells(self._starts() // 3600)

    def between(self) -> tuple[Ints, Ints, Floats]:
        """Cells of the two hours between whose middles the middle of each step lies; how near it is to the second."""
        middles = (self._starts() + self.seconds / 2) / 3600 - 0.5
        before = np.floor(middles).astype(np.int64)
        return _cells(before), _cells(before + 1), middles - before

    def _starts(self) -> Ints:
        return np.arange(self.first, self.first + self.count) * self.seconds + self.utc_offset_s

    def __getitem__(self, when: slice) -> "Steps":
        """A stretch of these, by indices from 0."""
        start, stop, _ = when.indices(self.count)
        return Steps(self.first + start, stop - start, self.seconds, self.utc_offset_s)


def _cells(hours: Ints) -> Ints:
    return ((hours // HOURS + _EPOCH_WEEKDAY) % WEEKDAYS) * HOURS + hours % HOURS


def sum_by_cell(values: Floats, cells: Ints) -> Floats:
    """Sums over time of [series, time] per hour of the week: [series, 7, 24]."""
    picks = np.zeros((cells.size, CELLS))
    picks[np.arange(cells.size), cells] = 1.0
    return (values @ picks).reshape(-1, WEEKDAYS, HOURS)
