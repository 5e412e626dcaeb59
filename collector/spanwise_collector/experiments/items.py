"""Results as numbers by item: what comparisons are made of. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spanwise_schemas.api_experiments import DURATION, ERRORS

ResultValues = tuple[str, str, bool, float, dict[str, float]]
"""Item, group, whether it is an error, milliseconds, scores."""
BUILT_IN: Final = (ERRORS, DURATION)


@dataclass(slots=True)
class ItemValues:
    """One item: values of its repeats by metric."""

    group: str = ""
    values: dict[str, list[float]] = field(default_factory=dict)

    def mean(self, metric: str) -> float | None:
        """Over the repeats that have the metric; None where none has."""
        found = self.values.get(metric)
        return sum(found) / len(found) if found else None


def by_item(results: Iterable[ResultValues]) -> dict[str, ItemValues]:
    """Results by item. A run that failed has no scores and no duration, only the metric `errors`."""
    items: dict[str, ItemValues] = {}
    for item_id, group, failed, took, scores in results:
        item = items.setdefault(item_id, ItemValues(group))
        item.values.setdefault(ERRORS, []).append(float(failed))
        if not failed:
            item.values.setdefault(DURATION, []).append(took)
            for name, value in scores.items():
                item.values.setdefault(name, []).append(value)
    return items


def score_names(*sides: dict[str, ItemValues]) -> list[str]:
    """Names of the scores that any side has."""
    found = {name for side in sides for item in side.values() for name in item.values}
    return sorted(found - set(BUILT_IN))


@dataclass(frozen=True, slots=True)
class Pairs:
    """Values of one metric on both sides, of the items that have it on both.

    Attributes:
        a: of the first.
        b: of the second.
        groups: a number per item; None where every item stands for itself.
        only_a: items that have it on the first side only.
        only_b: items that have it on the second side only.
    """

    a: NDArray[np.float64]
    b: NDArray[np.float64]
    groups: NDArray[np.int64] | None
    only_a: int
    only_b: int


def pairs(a: dict[str, ItemValues], b: dict[str, ItemValues], metric: str) -> Pairs:
    """Items side by side, in the order of their ids."""
    left = {key: value for key, item in a.items() if (value := item.mean(metric)) is not None}
    right = {key: value for key, item in b.items() if (value := item.mean(metric)) is not None}
    common = sorted(left.keys() & right.keys())
    return Pairs(
        np.array([left[key] for key in common], dtype=np.float64),
        np.array([right[key] for key in common], dtype=np.float64),
        group_numbers([a[key].group or b[key].group for key in common]),
        len(left) - len(common),
        len(right) - len(common),
    )


def group_numbers(groups: Sequence[str]) -> NDArray[np.int64] | None:
    """A number per item, equal for items of one group; an item without a group stands for itself."""
    if not any(groups):
        return None
    known: dict[tuple[str, int], int] = {}
    numbers = [known.setdefault((group, -1 if group else at), len(known)) for at, group in enumerate(groups)]
    return np.array(numbers, dtype=np.int64)
