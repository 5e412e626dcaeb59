"""A value over a rolling window, against a fixed limit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from spanwise_collector.alerts.evaluate.bands import limit_band
from spanwise_collector.alerts.evaluate.base import (
    DAY_S,
    HOUR_S,
    Carried,
    Data,
    Need,
    Outcome,
    Policy,
    RuleError,
    Status,
    Statuses,
    Words,
    blank,
)
from spanwise_collector.alerts.evaluate.measures import Measure
from spanwise_collector.alerts.evaluate.members import Key, busiest, is_rest, others
from spanwise_collector.alerts.evaluate.scope import names_of
from spanwise_collector.alerts.sentences import shown
from spanwise_collector.alerts.signals import FIVE_MINUTES_S, Block, Source
from spanwise_collector.alerts.state import Restart, series_key
from spanwise_collector.stats.arrays import Floats
from spanwise_collector.stats.watch import Sums
from spanwise_schemas.api_alerts import Band
from spanwise_schemas.signals import Unit

LONGEST_OF_MINUTES: Final = 2 * DAY_S
"""Longer windows are evaluated hourly, from the hourly roll-up."""
HISTORY_S: Final = 13 * DAY_S
"""The five-minute roll-up is kept for two weeks."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Where a value breaches and where it is well again.

    Attributes:
        value: in the signal's unit.
        recover: likewise.
        above: whether high is bad.
    """

    value: float
    recover: float
    above: bool

    def status(self, values: Floats) -> Statuses:
        """Of values; NaN is HOLD."""
        sign = 1.0 if self.above else -1.0
        with np.errstate(invalid="ignore"):
            breach = sign * (values - self.value) > 0
            fine = sign * (values - self.recover) <= 0
        return np.where(breach, Status.BREACH, np.where(fine, Status.OK, Status.HOLD)).astype(np.int8)


@dataclass(frozen=True, slots=True)
class Watched:
    """What is compared with the limit.

    Attributes:
        source: where it is read.
        measure: how it is counted.
        unit: of its values.
        window: seconds.
        limit: see `Limit`.
        min_samples: of a mean; fewer say nothing.
        most: series with a place of their own.
        pools: whether the others are watched as one.
        sentence: of a series by its names and value.
    """

    source: Source
    measure: Measure
    unit: Unit
    window: int
    limit: Limit
    min_samples: int
    most: int
    pools: bool
    sentence: Callable[[Mapping[str, str], float], str]


def rolling(values: Floats, window: int) -> Floats:
    """Sums over the last `window` steps, of the steps from number `window - 1` on: [series, time - window + 1]."""
    sums = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, 1)], 1)
    return np.asarray(sums[:, window:] - sums[:, :-window])


class WindowEvaluator:
    """See `base.Evaluator`.

    Args:
        watched: what and against which limit.
        for_: breaches in a row before it fires.
        keep_firing: well ticks in a row before it ends.
        policy: with what the rule says of missing data.

    Raises:
        RuleError: the window is not made of whole steps.
    """

    def __init__(self, watched: Watched, policy: Policy) -> None:
        self._watched = watched
        self.step = FIVE_MINUTES_S if watched.window <= LONGEST_OF_MINUTES else HOUR_S
        if watched.window % self.step:
            raise RuleError(f"the window must be made of whole steps of {self.step // 60} minutes")
        self.history = HISTORY_S - watched.window if self.step == FIVE_MINUTES_S else 60 * DAY_S
        # Less than a window is little, which says nothing where little is bad.
        self.warmup = self.step if watched.limit.above else watched.window
        self.chunk, self.chunk_offset = DAY_S, 0
        steps = watched.window // self.step
        self.policy = Policy(
            policy.for_, policy.keep_firing, policy.no_data, patience=2 * steps, give_up=7 * DAY_S // self.step
        )

    def needs(self, first: int, last: int, carried: Carried) -> Iterable[Need]:
        """See `base.Evaluator`."""
        yield self._need(first, last)

    def run(self, first: int, last: int, data: Data, carried: Carried, restarts: Sequence[Restart]) -> Outcome:
        """See `base.Evaluator`."""
        watched = self._watched
        warm = {tuple(key): int(left) for key, left in carried.get("warm", [])}
        block = self._seated(data.block(self._need(first, last)), warm)
        sums = self._summed(block)
        values = watched.measure.value(sums)
        status = watched.limit.status(values)
        if watched.measure.is_mean:
            status[sums.n < watched.min_samples] = Status.HOLD
            status[sums.n <= 0] = Status.NO_DATA
        names = names_of(block)
        began = np.broadcast_to(first + self.step * np.arange(values.shape[1]) - watched.window, values.shape)

        def words(series: int, tick: int) -> Words:
            value = float(values[series, tick])
            evidence = {
                "Limit": shown(watched.limit.value, watched.unit),
                "Ends at": shown(watched.limit.recover, watched.unit),
            }
            if watched.measure.is_mean:
                evidence["Samples"] = f"{sums.n[series, tick]:,.0f}"
            return Words(watched.sentence(names[series], value), evidence, value)

        def band(series: int, tick: int) -> Band | None:
            return self._band(data, block.keys, series, first + tick * self.step)

        return Outcome(
            keys=tuple(series_key(name) for name in names),
            names=names,
            first=first,
            step=self.step,
            status=status,
            value=values,
            expected=blank(*values.shape),
            low=blank(*values.shape),
            high=blank(*values.shape),
            began=began,
            carried={"warm": self._warm(block.keys, status, warm)},
            words=words,
            band=band,
        )

    def _need(self, first: int, last: int) -> Need:
        watched = self._watched
        return Need(watched.source, watched.measure.columns, first - watched.window, last, self.step)

    def _seated(self, block: Block, warm: Mapping[Key, int]) -> Block:
        """The series that were not well of late keep their places; the others go to the busiest."""
        if not block.by:
            return block if block.keys else block.gathered([()], rest=False)
        kept = [key for key in warm if not is_rest(key)]
        volume = block.arrays[self._watched.measure.n].sum(1)
        free = [key for key in busiest(block, volume, len(block.keys)) if key not in warm]
        seated = [*kept, *free[: max(self._watched.most - len(kept), 0)]]
        return block.gathered(seated, rest=self._watched.pools and others(block, volume, seated))

    def _warm(self, keys: Sequence[Key], status: Statuses, before: Mapping[Key, int]) -> list[tuple[list[str], int]]:
        """Series that are not well, or were so recently that their alert may not be over yet, with the ticks left."""
        lasting = self.policy.keep_firing + self.policy.patience + 1
        found = []
        for row, key in enumerate(keys):
            bad = np.flatnonzero((status[row] == Status.BREACH) | (status[row] == Status.HOLD))
            passed = status.shape[1] - 1 - int(bad[-1]) if bad.size else status.shape[1]
            left = (lasting if bad.size else before.get(key, 0)) - passed
            if left > 0:
                found.append((list(key), left))
        return found

    def _summed(self, block: Block) -> Sums:
        steps = self._watched.window // self.step
        sums = self._watched.measure.sums(block)
        return Sums(rolling(sums.n, steps), rolling(sums.total, steps), rolling(sums.squares, steps))

    def _band(self, data: Data, keys: Sequence[Key], series: int, end: int) -> Band | None:
        start = end - (DAY_S if self.step == FIVE_MINUTES_S else 14 * DAY_S)
        block = data.block(self._need(start, end))
        block = block.gathered([keys[series]], rest=False) if block.by else block
        if not block.keys or is_rest(block.keys[0]):
            return None
        values = self._watched.measure.value(self._summed(block))[0]
        return limit_band(start, self.step, values, self._watched.limit.value)
