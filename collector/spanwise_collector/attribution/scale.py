"""From the scale of a test to the signal's unit: logarithms become sizes, sums of shares become shares."""

from dataclasses import dataclass
from math import exp, isfinite

from spanwise_collector.attribution.measures import Measure
from spanwise_collector.attribution.model import DimensionSplit, SliceEffect, Total
from spanwise_schemas.api_changes import DimensionContributions, ValueContribution


@dataclass(frozen=True, slots=True)
class Scale:
    """How numbers are shown.

    Contributions of a logarithm are shown in the unit in proportion: they add up to the difference there too.
    """

    measure: Measure
    total: Total

    def value(self, found: float | None) -> float | None:
        """A rate, mean or sum."""
        if found is None:
            return None
        if self.measure.logarithm:
            return exp(found)
        return found / max(self.total.n_after, 1.0) if self.measure.shares else found

    def part(self, found: float) -> float:
        """A part of the total's difference."""
        if self.measure.shares:
            return found / max(self.total.n_after, 1.0)
        if not self.measure.logarithm or self.total.before is None or self.total.after is None:
            return found
        moved = self.total.difference
        factor = (exp(self.total.after) - exp(self.total.before)) / moved if moved else exp(self.total.before)
        return found * factor

    def difference(self, before: float | None, after: float | None, found: float) -> float:
        """A difference between two values of a slice, or an end of its interval."""
        if not self.measure.logarithm:
            return self.part(found)
        usual = before if before is not None else (after or 0.0) - found
        return exp(usual) * (exp(found) - 1.0)

    def interval(self, effect: SliceEffect | Total) -> tuple[float | None, float | None]:
        """Of the difference after less before."""
        before, after = (
            (effect.value_before, effect.value_after)
            if isinstance(effect, SliceEffect)
            else (effect.before, effect.after)
        )
        if isinstance(effect, Total) and (before is None or after is None or self.measure.shares):
            return None, None
        ends = tuple(self.difference(before, after, end) for end in (effect.low, effect.high))
        return (ends[0], ends[1]) if all(isfinite(end) for end in ends) else (None, None)

    def dimension(self, split: DimensionSplit, most: int) -> DimensionContributions:
        """A dimension's parts; those beyond `most` are one."""
        values = [
            ValueContribution(
                value=one.value,
                n_before=round(one.n_before),
                n_after=round(one.n_after),
                before=self.value(one.value_before),
                after=self.value(one.value_after),
                mix=self.part(one.mix),
                rate=self.part(one.rate),
                low=min(self.part(one.low), self.part(one.high)),
                high=max(self.part(one.low), self.part(one.high)),
            )
            for one in split.values
        ]
        shown, rest = values[:most], values[most:]
        if rest:
            shown.append(
                ValueContribution(
                    value=f"({len(rest)} more)",
                    n_before=sum(one.n_before for one in rest),
                    n_after=sum(one.n_after for one in rest),
                    before=None,
                    after=None,
                    mix=sum(one.mix for one in rest),
                    rate=sum(one.rate for one in rest),
                )
            )
        return DimensionContributions(
            dimension=split.dimension, mix=self.part(split.mix), rate=self.part(split.rate), values=shown
        )
