"""Requests summed by step of time, as a roll-up table would have them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.traffic.columns import Columns
from bench.traffic.draws import Floats

BIN_LOG: Final = float(np.log(1.05))
BINS: Final = 330
"""Of 5 % each, from 1 up."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Per step, [time].

    Attributes:
        n: values.
        total: their sum.
        squares: the sum of their squares.
    """

    n: Floats
    total: Floats
    squares: Floats


class Grid:
    """Assigns the requests of a stream to steps.

    Args:
        made: the requests.
        days: length of the stream.
        step_h: length of a step in hours.
    """

    def __init__(self, made: Columns, days: int, step_h: float) -> None:
        self.count = round(days * 24 / step_h)
        self._step: NDArray[np.int64] = np.minimum((made.hours / step_h).astype(np.int64), self.count - 1)

    def events(self, flags: NDArray[np.bool_] | None = None) -> Floats:
        """How many requests each step had, or how many of those that are flagged."""
        steps = self._step if flags is None else self._step[flags]
        return np.bincount(steps, minlength=self.count).astype(np.float64)

    def sums(self, values: Floats) -> Sums:
        """Of values; those that are NaN do not count."""
        known = ~np.isnan(values)
        steps, values = self._step[known], values[known]
        return Sums(
            np.bincount(steps, minlength=self.count).astype(np.float64),
            np.bincount(steps, values, minlength=self.count).astype(np.float64),
            np.bincount(steps, values * values, minlength=self.count).astype(np.float64),
        )

    def histograms(self, values: Floats) -> Floats:
        """Counts by step and bin: bin i has values in [1.05^i, 1.05^(i + 1)); [time, bins]."""
        bins = np.clip((np.log(np.maximum(values, 1.0)) / BIN_LOG).astype(np.int64), 0, BINS - 1)
        flat = np.bincount(self._step * BINS + bins, minlength=self.count * BINS)
        return flat.reshape(self.count, BINS).astype(np.float64)
