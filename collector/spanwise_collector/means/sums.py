"""Sums of weighted values: all that a mean and its variance need, so that the engine adds up and little travels."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from spanwise_collector.stats.arrays import Floats


@dataclass(frozen=True, slots=True)
class Sums:
    """Of values x with weights w, the inverse of the probability with which each was chosen.

    Attributes:
        n: how many values.
        w: sum of the weights.
        w2: of their squares.
        wx: of weight times value.
        w2x: of squared weight times value.
        w2xx: of squared weight times squared value.
        low: smallest value; 0 where there is none.
        high: largest.
        yes_no: whether all values are 0 or 1.
        dropped: values that were left out: not finite, or of a chance that is not known.
    """

    n: int
    w: float
    w2: float
    wx: float
    w2x: float
    w2xx: float
    low: float
    high: float
    yes_no: bool
    dropped: int = 0

    @classmethod
    def of(cls, values: ArrayLike, chances: ArrayLike | None = None) -> Self:
        """From values themselves.

        Args:
            values: [n]; what is not finite is left out and counted.
            chances: probability with which each was chosen, [n], in (0, 1]; outside, its value is left out and counted.
                None where all were.
        """
        x = np.asarray(values, dtype=np.float64)
        p = np.ones_like(x) if chances is None else np.asarray(chances, dtype=np.float64)
        usable = np.isfinite(x) & (p > 0) & (p <= 1)
        x, w = x[usable], 1 / p[usable]
        w2 = w * w
        return cls(
            n=int(x.size),
            w=float(w.sum()),
            w2=float(w2.sum()),
            wx=float((w * x).sum()),
            w2x=float((w2 * x).sum()),
            w2xx=float((w2 * x * x).sum()),
            low=float(x.min()) if x.size else 0.0,
            high=float(x.max()) if x.size else 0.0,
            yes_no=is_yes_no(x),
            dropped=int((~usable).sum()),
        )

    @classmethod
    def none(cls) -> Self:
        """Of no values."""
        return cls(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, yes_no=False)

    def __add__(self, other: "Sums") -> "Sums":
        if not self.n or not other.n:
            return replace(other if not self.n else self, dropped=self.dropped + other.dropped)
        return Sums(
            n=self.n + other.n,
            w=self.w + other.w,
            w2=self.w2 + other.w2,
            wx=self.wx + other.wx,
            w2x=self.w2x + other.w2x,
            w2xx=self.w2xx + other.w2xx,
            low=min(self.low, other.low),
            high=max(self.high, other.high),
            yes_no=self.yes_no and other.yes_no,
            dropped=self.dropped + other.dropped,
        )

    @property
    def mean(self) -> float:
        """Hajek's estimate of the mean of all from those that were chosen: sum(w x) / sum(w).

        Raises:
            ZeroDivisionError: there are no values.
        """
        return self.wx / self.w

    @property
    def effective(self) -> float:
        """Kish's effective sample size: so many values chosen with equal chances would say as much. 0 for none."""
        return self.w * self.w / self.w2 if self.n else 0.0

    @property
    def variance(self) -> float:
        """Sampling variance of the mean by linearisation, sum(w^2 (x - mean)^2) / sum(w)^2.

        Särndal, Swensson and Wretman, Model Assisted Survey Sampling, 5.7; without a finite population's correction,
        which would make it smaller: what is asked is how the application answers, not how it answered those.
        """
        mean = self.mean
        spread = self.w2xx - 2 * mean * self.w2x + mean * mean * self.w2
        return max(spread, 0.0) / (self.w * self.w)


def is_yes_no(values: Floats) -> bool:
    """Whether there are values and all are 0 or 1."""
    return bool(values.size) and bool(((values == 0) | (values == 1)).all())
