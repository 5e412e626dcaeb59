"""From intervals and p-values to one of four words. Pure."""

import math
from dataclasses import dataclass
from typing import Final, Literal

Word = Literal["better", "worse", "no_difference", "inconclusive"]
LEVEL: Final = 0.05
FEWEST: Final = 5
"""Of fewer independent items nothing is claimed."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a comparison found of one metric.

    Attributes:
        difference: second minus first.
        low: end of its 95 % interval.
        high: the other end.
        p_value: adjusted for the number of metrics.
        n: independent items.
        needed: items in all that would decide; None where that cannot be told.
        margin: a smaller difference does not matter.
        higher_is_better: which way is good.
    """

    difference: float
    low: float
    high: float
    p_value: float
    n: int
    needed: int | None
    margin: float
    higher_is_better: bool = True


def verdict(found: Evidence) -> tuple[Word, int | None]:
    """The word, and for `inconclusive` about how many more items decide.

    - `no_difference`: the whole interval is within the margin, whichever side of zero it is.
    - `better`, `worse`: the adjusted p-value is at most 0.05 and the interval is on one side of zero.
    - `inconclusive`: neither.
    """
    enough = found.n >= FEWEST
    if enough and found.margin > 0 and -found.margin < found.low and found.high < found.margin:
        return "no_difference", None
    apart = found.low > 0 or found.high < 0
    if enough and apart and found.p_value <= LEVEL:
        return ("better" if (found.difference > 0) == found.higher_is_better else "worse"), None
    if found.needed is None:
        return "inconclusive", None
    return "inconclusive", rounded_up(max(1, FEWEST - found.n, found.needed - found.n))


def rounded_up(count: int) -> int:
    """A count to two digits, upwards: more would be pretended."""
    step: int = 10 ** max(0, len(str(count)) - 2)
    return math.ceil(count / step) * step
