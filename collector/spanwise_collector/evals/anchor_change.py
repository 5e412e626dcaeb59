"""Whether a judge has changed: the same items, judged again, against their first verdicts and against people. Pure.

A difference is per item: its mean of late less its first verdict. The interval is Student's, 95 %. It is never narrower
than 3/n, the 95 % bound on a share of which none was seen in n ("rule of three"; Hanley and Lippman-Hand 1983), so that
a handful of equal verdicts proves nothing.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from typing import Final, Literal

from spanwise_collector.stats.tables import normal_quantile, student_quantile

LEVEL: Final = 0.95
MIN_ITEMS: Final = 10
STEADY: Final = 0.1
"""A judge is called steady when the interval of its change holds 0 and reaches no further than this."""


@dataclass(frozen=True, slots=True)
class Run:
    """One verdict on an anchor.

    Attributes:
        anchor_id: of the item.
        slot: when it was due.
        human: people's label, 0 to 1.
        value: the judge's, 0 to 1.
    """

    anchor_id: str
    slot: datetime
    human: float
    value: float


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95 % interval, over n items."""

    value: float
    low: float
    high: float
    n: int


def change(runs: Sequence[Run], since: datetime) -> Interval | None:
    """How verdicts since a time differ from the first ones; None where no item has both."""
    first: dict[str, Run] = {}
    late: dict[str, list[float]] = defaultdict(list)
    for run in sorted(runs, key=lambda one: one.slot):
        first.setdefault(run.anchor_id, run)
        if run.slot >= since and first[run.anchor_id] is not run:
            late[run.anchor_id].append(run.value)
    return _mean([sum(values) / len(values) - first[anchor].value for anchor, values in late.items()])


def bias(runs: Sequence[Run], since: datetime) -> Interval | None:
    """How much the judge is above people since a time (below: negative), by item."""
    late: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        if run.slot >= since:
            late[run.anchor_id].append(run.value - run.human)
    return _mean([sum(values) / len(values) for values in late.values()])


def agreement(runs: Sequence[Run], since: datetime) -> Interval | None:
    """Share of items whose newest verdict since a time is people's, for labels and verdicts of yes and no; else None.

    The interval is Wilson's (1927).
    """
    newest: dict[str, Run] = {}
    for run in sorted(runs, key=lambda one: one.slot):
        if run.slot >= since:
            newest[run.anchor_id] = run
    found = list(newest.values())
    if not found or any(number not in (0.0, 1.0) for run in found for number in (run.human, run.value)):
        return None
    n = len(found)
    share = sum(run.human == run.value for run in found) / n
    z = normal_quantile((1 + LEVEL) / 2)
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half), n)


Finding = Literal["changed", "steady", "not_enough"]


def finding(moved: Interval | None) -> Finding:
    """What a change says of the judge."""
    if moved is None or moved.n < MIN_ITEMS:
        return "not_enough"
    if moved.low > 0 or moved.high < 0:
        return "changed"
    return "steady" if max(-moved.low, moved.high) <= STEADY else "not_enough"


def sentence(moved: Interval | None, n_items: int) -> str:
    """The finding for people."""
    match finding(moved):
        case "changed":
            assert moved is not None
            return (
                f"The judge has changed: on the same {moved.n} items its verdicts moved by {moved.value:+.2f} "
                f"({moved.low:+.2f} to {moved.high:+.2f}). Scores from before and since cannot be compared."
            )
        case "steady":
            assert moved is not None
            return (
                f"The judge stands still: on the same {moved.n} items its verdicts moved by {moved.value:+.2f} "
                f"({moved.low:+.2f} to {moved.high:+.2f}). A change of scores beyond that is the application's."
            )
        case _:
            have = 0 if moved is None else moved.n
            wanted = MIN_ITEMS if moved is None or moved.n < MIN_ITEMS else _needed(moved)
            return f"Not enough to tell: {have} of {n_items} items were judged again, about {wanted} are needed."


def _needed(moved: Interval) -> int:
    """Items with which the interval would be as narrow as `STEADY`; its width falls with the root of their number."""
    half = (moved.high - moved.low) / 2
    return max(MIN_ITEMS, round(moved.n * (half / STEADY) ** 2))


def _mean(values: Sequence[float]) -> Interval | None:
    n = len(values)
    if not n:
        return None
    mean = sum(values) / n
    if n == 1:
        return Interval(mean, -1.0, 1.0, 1)
    spread = sqrt(sum((value - mean) ** 2 for value in values) / (n - 1))
    half = max(student_quantile((1 + LEVEL) / 2, n - 1) * spread / sqrt(n), 3 / n)
    return Interval(mean, max(-1.0, mean - half), min(1.0, mean + half), n)
