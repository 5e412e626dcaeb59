"""What watching keeps from one tick to the next: what is usual, the detector, when alarms were on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np

from spanwise_collector.alerts.evaluate.packing import pack_fields, packed, unpack_fields, unpacked
from spanwise_collector.alerts.evaluate.slow import Slow
from spanwise_collector.stats.arrays import Bools, Floats
from spanwise_collector.stats.baseline import Baseline
from spanwise_collector.stats.state import State

Key = tuple[str, ...]
_OPEN: Final = -1


@dataclass(frozen=True, slots=True)
class Seats:
    """The series that are watched, in order.

    Attributes:
        members: that have a place of their own.
        rest: whether the others are watched as one, which comes last.
        slow: what tells a slow request, where that is what is watched.
    """

    members: Sequence[Key]
    rest: bool
    slow: Slow | None = None


@dataclass(slots=True)
class Held:
    """Rows of the arrays belong to the seats.

    Attributes:
        chunk: number of the stretch of time that the baseline is for.
        seats: the series.
        baseline: what is usual.
        state: of the detector.
        alarms: by series as text: hours [first, last + 1), the last -1 while the alarm is on.
        restarts: by series as text: the hour from which on it is measured anew; `RULE_SERIES` for all of them.
    """

    chunk: int
    seats: Seats
    baseline: Baseline
    state: State
    alarms: dict[str, list[list[int]]] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)

    def record(self) -> dict[str, object]:
        """For JSON."""
        return {
            "chunk": self.chunk,
            "members": [list(key) for key in self.seats.members],
            "rest": self.seats.rest,
            "slow": self.seats.slow.record() if self.seats.slow else None,
            "baseline": pack_fields(self.baseline),
            "state": pack_fields(self.state),
            "alarms": self.alarms,
            "restarts": self.restarts,
        }

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Self | None:
        """What `record` gave; None of another one."""
        if "members" not in record:
            return None
        return cls(
            chunk=record["chunk"],
            seats=Seats(
                [tuple(key) for key in record["members"]],
                record["rest"],
                Slow.of_record(record["slow"]) if record["slow"] else None,
            ),
            baseline=Baseline(**unpack_fields(record["baseline"])),
            state=State(**unpack_fields(record["state"])),
            alarms={key: [list(one) for one in found] for key, found in record["alarms"].items()},
            restarts=dict(record["restarts"]),
        )


def as_stored(baseline: Baseline) -> Baseline:
    """A baseline as it is after storing, in single precision, so that going on from memory or from the store is one."""

    def stored(values: Floats) -> Floats:
        return unpacked(packed(values, "<f4"))

    return Baseline(
        baseline.kind,
        stored(baseline.table),
        stored(baseline.tau2),
        stored(baseline.phi),
        stored(baseline.within),
        stored(baseline.days),
    )


def moved_state(state: State | None, before: Sequence[str], now: Sequence[str], sizes: int) -> State:
    """The detector's rows for another list of series: those that were there go on, the others are new."""
    fresh = State.new(len(now), sizes)
    if state is None:
        return fresh
    place = {key: number for number, key in enumerate(before)}
    rows = [(new, place[key]) for new, key in enumerate(now) if key in place]
    if rows:
        new, old = (np.array(part) for part in zip(*rows, strict=True))
        for name in State.__dataclass_fields__:
            getattr(fresh, name)[new] = getattr(state, name)[old]
    return fresh


def usable(known: Bools, keys: Sequence[str], first_hour: int, alarms: Mapping[str, Sequence[Sequence[int]]]) -> Bools:
    """Hours that say what is usual: recorded, and no alarm on.

    Args:
        known: whether the hour was recorded, [series, hours].
        keys: series as text.
        first_hour: number of the first hour.
        alarms: see `Held`.
    """
    found = known.copy()
    for row, key in enumerate(keys):
        for start, end in alarms.get(key, ()):
            last = known.shape[1] if end == _OPEN else end - first_hour
            found[row, max(start - first_hour, 0) : max(last, 0)] = False
    return found


def noted(
    alarms: Mapping[str, Sequence[Sequence[int]]], key: str, start: int | None, end: int | None, oldest: int
) -> list[list[int]]:
    """A series' alarms with one begun or ended, without those before the hour `oldest`."""
    found = [list(one) for one in alarms.get(key, ()) if one[1] == _OPEN or one[1] > oldest]
    if end is not None:
        found = [[one[0], end] if one[1] == _OPEN else one for one in found]
    if start is not None:
        found.append([start, _OPEN])
    return found
