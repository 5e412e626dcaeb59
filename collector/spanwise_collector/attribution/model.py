"""Results of attribution."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slice:
    """Part of the traffic: all that has these values. Without any it is the whole.

    Attributes:
        dims: dimension and value, in the order of the dimensions.
    """

    dims: tuple[tuple[str, str], ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the traffic."""
        return not self.dims


@dataclass(frozen=True, slots=True)
class SliceEffect:
    """What a slice did to the total.

    Attributes:
        slice: which.
        n_before: events in the window before.
        n_after: events in the window after.
        value_before: rate, mean, or sum scaled to the length of the window after; None without events.
        value_after: the same after.
        contribution: part of the total's difference: what would be gone had the slice stayed as it was expected to be.
            Overlaps with slices named before it are left out.
        share_of_change: contribution over the total's difference; NaN where that is 0.
        low: lower end of the 95 % interval of value_after - value_before (expected value where there were no events).
        high: upper end.
        score: log-likelihood ratio less penalties.
    """

    slice: Slice
    n_before: float
    n_after: float
    value_before: float | None
    value_after: float | None
    contribution: float
    share_of_change: float
    low: float
    high: float
    score: float


@dataclass(frozen=True, slots=True)
class ValueSplit:
    """What one value of a dimension adds to the total's difference.

    Attributes:
        value: of the dimension.
        n_before: events before.
        n_after: events after.
        value_before: rate, mean, or scaled sum before; None without events.
        value_after: the same after.
        mix: because it is more or less frequent.
        rate: because it is different in itself.
        low: lower end of the 95 % interval of mix + rate.
        high: upper end.
    """

    value: str
    n_before: float
    n_after: float
    value_before: float | None
    value_after: float | None
    mix: float
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class DimensionSplit:
    """The total's difference by the values of a dimension, the largest parts first; they add up to it."""

    dimension: str
    values: tuple[ValueSplit, ...]

    @property
    def mix(self) -> float:
        """Because values are more or less frequent."""
        return sum(value.mix for value in self.values)

    @property
    def rate(self) -> float:
        """Because values are different in themselves."""
        return sum(value.rate for value in self.values)


@dataclass(frozen=True, slots=True)
class Total:
    """The number itself in both windows.

    Attributes:
        n_before: events before.
        n_after: events after.
        before: rate, mean, or sum scaled to the length of the window after; None without events.
        after: the same after.
        difference: after - before; 0 where either is None.
        low: lower end of its 95 % interval.
        high: upper end.
    """

    n_before: float
    n_after: float
    before: float | None
    after: float | None
    difference: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Attribution:
    """Why a number moved.

    Attributes:
        total: what moved.
        slices: distinct causes, the best first: each is what the ones before it leave unexplained.
        ranking: slices that explain it, the best first; these may overlap, as other readings of the same change.
        dimensions: the difference split by each dimension that has more than one value.
    """

    total: Total
    slices: tuple[SliceEffect, ...]
    ranking: tuple[Slice, ...]
    dimensions: tuple[DimensionSplit, ...]
