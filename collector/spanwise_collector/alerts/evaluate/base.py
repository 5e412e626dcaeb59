"""The form of an evaluator: from sums to what each series of a rule looks like at each tick.

A tick is a time, a multiple of the rule's step; the evaluation of a tick sees data from before it only. So history,
back-tests and the running service take the same path, and two evaluators that look at the same data say the same.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from spanwise_collector.alerts.signals import Block, Source
from spanwise_collector.alerts.state import Restart
from spanwise_collector.stats.arrays import Floats, Ints
from spanwise_schemas.api_alerts import Band
from spanwise_schemas.rules import NoData
from spanwise_schemas.signals import Unit

Carried = Mapping[str, Any]
"""What an evaluator remembers from one tick to the next; JSON."""
HOUR_S: Final = 3600
DAY_S: Final = 86_400


class Status(IntEnum):
    """What a series looks like at a tick.

    HOLD is neither: not bad enough to fire, not good enough to end what fires, or too little to say.
    """

    OK = 0
    HOLD = 1
    BREACH = 2
    NO_DATA = 3


Statuses = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Policy:
    """How the lifecycle takes a rule's verdicts.

    Attributes:
        for_: breaches in a row before it fires.
        keep_firing: ticks in a row that are well before it ends.
        no_data: what a series without data does.
        patience: ticks without data that pass in silence: two windows.
        give_up: ticks without data after which what fired ends.
    """

    for_: int = 1
    keep_firing: int = 1
    no_data: NoData = "keep"
    patience: int = 2
    give_up: int = 7 * 24


@dataclass(frozen=True, slots=True)
class Words:
    """What people are told of a series at a tick.

    Attributes:
        sentence: what is wrong, with numbers.
        evidence: label to words.
        value: in the signal's unit, over the time since it began where that says more than the last step.
        expected: what is usual, likewise.
    """

    sentence: str
    evidence: Mapping[str, str] = field(default_factory=dict)
    value: float | None = None
    expected: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Verdicts on series over ticks; arrays are [series, ticks], not-a-number where nothing is known.

    Attributes:
        keys: of the series, as `state.series_key` writes them.
        names: of the series, dimension to value.
        first: the first tick, seconds since the epoch.
        step: seconds between ticks.
        status: see `Status`.
        value: in the signal's unit.
        expected: what is usual, or NaN.
        low: lower end of the 95 % interval of the difference from what is expected.
        high: upper end.
        began: when the change began, seconds since the epoch; read where the status is BREACH.
        carried: what to remember.
        words: of a series (its number) at a tick (its number): asked for where people are told.
        band: the same for a chart; None where there is none.
        signals: of each series, where they differ from the rule's.
        units: of each series, likewise.
        note: what limits it, such as too little history; empty where nothing does.
    """

    keys: tuple[str, ...]
    names: tuple[Mapping[str, str], ...]
    first: int
    step: int
    status: Statuses
    value: Floats
    expected: Floats
    low: Floats
    high: Floats
    began: Ints
    carried: Carried
    words: Callable[[int, int], Words]
    band: Callable[[int, int], Band | None]
    signals: tuple[str, ...] = ()
    units: tuple[Unit, ...] = ()
    note: str = ""

    def tick(self, number: int) -> int:
        """Time of a tick, seconds since the epoch."""
        return self.first + number * self.step


@dataclass(frozen=True, slots=True)
class Need:
    """What a run will read: the engine reads what several rules need together."""

    source: Source
    columns: frozenset[str]
    start: int
    end: int
    step: int


class Data(Protocol):
    """Where evaluators read.

    Attributes:
        kept: what a reader of its own has read, under a name of its own; as long as the round.
    """

    kept: dict[Hashable, Any]

    def block(self, need: Need) -> Block:
        """The sums that are needed, of exactly the need's steps; columns that others need may be there too.

        Raises:
            StoreError: see `Reader.query`.
        """
        ...

    def rows(self, sql: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Rows of another question.

        Raises:
            StoreError: see `Reader.query`.
        """
        ...


class Evaluator(Protocol):
    """One rule's verdicts.

    Attributes:
        step: seconds between ticks.
        history: seconds that the first sight of the rule looks back.
        warmup: seconds of data before the first tick.
        chunk: ticks of a run lie in one stretch of so many seconds (what is usual holds for one).
        chunk_offset: where such stretches begin.
        policy: for the lifecycle.
    """

    step: int
    history: int
    warmup: int
    chunk: int
    chunk_offset: int
    policy: Policy

    def needs(self, first: int, last: int, carried: Carried) -> Iterable[Need]:
        """What `run` will read for these ticks."""
        ...

    def run(self, first: int, last: int, data: Data, carried: Carried, restarts: Sequence[Restart]) -> Outcome:
        """Verdicts on the ticks from `first` to `last`.

        Args:
            first: seconds since the epoch, a multiple of the step.
            last: likewise, in the same chunk.
            data: where to read.
            carried: from the run before; empty at first.
            restarts: that concern the rule, oldest first.

        Raises:
            RuleError: the rule cannot be evaluated as it is written.
            StoreError: as the store says.
        """
        ...


class RuleError(ValueError):
    """A rule asks for what is not there; the message is for its author."""


def nothing(first: int, last: int, step: int, carried: Carried, note: str) -> Outcome:
    """What there is to say where there are no series."""
    none = blank(0, (last - first) // step + 1)

    def words(series: int, tick: int) -> Words:
        raise IndexError("there are no series")

    return Outcome(
        keys=(),
        names=(),
        first=first,
        step=step,
        status=np.zeros(none.shape, dtype=np.int8),
        value=none,
        expected=none,
        low=none,
        high=none,
        began=np.zeros(none.shape, dtype=np.int64),
        carried=carried,
        words=words,
        band=lambda series, tick: None,
        note=note,
    )


def blank(series: int, ticks: int) -> Floats:
    """[series, ticks] of which nothing is known."""
    return np.full((series, ticks), np.nan)
