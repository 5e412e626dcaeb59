"""Watching a signal's series hour by hour for changes from what is usual, with a false-alarm budget.

Once a day what is usual is fitted to the four weeks before the last day, without the hours in which an alarm was on;
every hour the detector goes on from where it was. See `stats.watch` and `stats.detector` for the statistics.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from spanwise_collector.alerts.evaluate.bands import usual_band
from spanwise_collector.alerts.evaluate.base import (
    DAY_S,
    HOUR_S,
    Carried,
    Data,
    Need,
    Outcome,
    Policy,
    Status,
    Words,
    nothing,
)
from spanwise_collector.alerts.evaluate.fitting import Subject, fitted
from spanwise_collector.alerts.evaluate.held import Held, noted
from spanwise_collector.alerts.sentences import changed, interval
from spanwise_collector.alerts.state import Restart, series_key
from spanwise_collector.stats import detector as detectors
from spanwise_collector.stats.arrays import Bools, Floats
from spanwise_collector.stats.detector import Course, Detector
from spanwise_collector.stats.seasons import Steps
from spanwise_collector.stats.watch import BASELINE_DAYS, LAG_DAYS, Sums
from spanwise_schemas.api_alerts import Band
from spanwise_schemas.rules import Base, Budget

MIN_DAYS: Final = 7.0
"""Of history, before a series is judged."""
HISTORY_S: Final = 30 * DAY_S
BAND_S: Final = 7 * DAY_S
MAX_LOG: Final = 20.0
PATIENCE: Final = 24
"""Hours without data are usual at night where traffic is low."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Arrays of one run, for what is told of it."""

    sums: Sums
    course: Course
    expected: Floats
    steps: Steps


class WatchEvaluator:
    """See `base.Evaluator`.

    Args:
        subject: what is watched.
        budget: false alarms of the whole rule; shared among its series.
        min_support: events since a change began that an alarm needs; see `stats.residuals.Residuals.support`.
        rule: its id spreads the daily fits of many rules over the day.
    """

    step = HOUR_S
    history = HISTORY_S
    warmup = HOUR_S
    chunk = DAY_S

    def __init__(self, subject: Subject, budget: Budget, min_support: float, rule: Base) -> None:
        self._subject = subject
        self._budget = budget
        self._min_support = min_support
        self.chunk_offset = sum(rule.id.encode()) % 24 * HOUR_S
        self.policy = Policy(no_data=rule.no_data, patience=PATIENCE)

    def needs(self, first: int, last: int, carried: Carried) -> Iterable[Need]:
        """See `base.Evaluator`."""
        start = first - HOUR_S
        if self._chunk(first) not in (carried.get("chunk"), carried.get("empty")):
            start = self._chunk_start(first) - (BASELINE_DAYS + LAG_DAYS) * DAY_S
        yield self._subject.need(start, last)

    def run(self, first: int, last: int, data: Data, carried: Carried, restarts: Sequence[Restart]) -> Outcome:
        """See `base.Evaluator`."""
        subject = self._subject
        before = Held.of_record(carried)
        if carried.get("empty") == self._chunk(first):
            return nothing(first, last, HOUR_S, carried, _learning(np.zeros(0)))
        held = fitted(subject, before, self._chunk(first), self._chunk_start(first), first - HOUR_S, data, restarts)
        if held is None:
            return nothing(first, last, HOUR_S, {"empty": self._chunk(first)}, _learning(np.zeros(0)))
        names = subject.seat_names(held.seats)
        sums = subject.measured(data, held.seats, first - HOUR_S, last)
        steps = Steps((first - HOUR_S) // HOUR_S, sums.n.shape[1], HOUR_S)
        learned = held.baseline.days >= MIN_DAYS
        tested = subject.watch.tested(held.baseline)
        known = np.broadcast_to(learned[:, None], sums.n.shape)
        residuals = subject.watch.residuals(sums, held.baseline, steps, tested).only(known)
        detector = self._detector(int(learned.sum()))
        held.state, course = detectors.run(held.state, residuals, tested, steps.first, detector)
        keys = [series_key(name) for name in names]
        self._note_alarms(held, keys, course, steps)
        expected = subject.measure.usual(held.baseline.expected(steps))
        expected[~learned] = np.nan
        run = _Run(sums, course, expected, steps)
        low, high = self._differences(expected, course)

        def words(series: int, tick: int) -> Words:
            return self._words(data, held, run, series, tick, detector)

        def band(series: int, tick: int) -> Band | None:
            return self._band(data, held, series, first + tick * HOUR_S)

        return Outcome(
            keys=tuple(keys),
            names=names,
            first=first,
            step=HOUR_S,
            status=_statuses(course, sums, learned, is_mean=subject.measure.is_mean),
            value=subject.measure.value(sums),
            expected=expected,
            low=low,
            high=high,
            began=course.start * HOUR_S,
            carried=held.record(),
            words=words,
            band=band,
            note=_learning(held.baseline.days),
        )

    def _chunk(self, tick: int) -> int:
        return (tick - self.chunk_offset) // DAY_S

    def _chunk_start(self, tick: int) -> int:
        """Start of the hour that the chunk's first tick looks at."""
        return self._chunk(tick) * DAY_S + self.chunk_offset - HOUR_S

    def _detector(self, series: int) -> Detector:
        days = self._budget.days / self._budget.alarms
        return Detector(detectors.threshold(days, 1.0, max(series, 1)), 1.0, min_support=self._min_support)

    def _note_alarms(self, held: Held, keys: Sequence[str], course: Course, steps: Steps) -> None:
        oldest = steps.first - (BASELINE_DAYS + LAG_DAYS + 1) * 24
        is_open = np.array([any(one[1] < 0 for one in held.alarms.get(key, ())) for key in keys])
        for row in map(int, np.flatnonzero(course.fired.any(1) | is_open)):
            key, on = keys[row], bool(is_open[row])
            for place in range(steps.count):
                hour = steps.first + place
                if course.fired[row, place]:
                    held.alarms[key] = noted(held.alarms, key, int(course.start[row, place]), None, oldest)
                elif on and not course.firing[row, place]:
                    held.alarms[key] = noted(held.alarms, key, None, hour + 1, oldest)
                on = bool(course.firing[row, place])

    def _differences(self, expected: Floats, course: Course) -> tuple[Floats, Floats]:
        if self._subject.measure.form == "mean":
            return course.low, course.high
        return expected * _factor(course.low), expected * _factor(course.high)

    def _words(self, data: Data, held: Held, run: _Run, series: int, tick: int, detector: Detector) -> Words:
        subject, course = self._subject, run.course
        began = int(course.start[series, tick])
        end = run.steps.first + tick + 1
        sums = subject.measured(data, held.seats, began * HOUR_S, end * HOUR_S)
        steps = Steps(began, end - began, HOUR_S)
        value, expected = subject.since(sums, held.baseline.expected(steps), series)
        names, signal = subject.seat_names(held.seats)[series], subject.signal
        low, high = self._differences(np.array([[expected]]), _at(course, series, tick))
        evidence = {
            "Samples since then": f"{sums.n[series].sum():,.0f}",
            "Difference (95 %)": interval(float(low[0, 0]), float(high[0, 0]), signal.unit),
            "Days of history": f"{held.baseline.days[series]:.0f}",
            "E-value": f"{np.exp(min(course.log_evidence[series, tick], 700.0)):,.0f}; an alarm needs "
            f"{detector.threshold:,.0f}",
        }
        return Words(changed(signal, names, value, expected, began * HOUR_S), evidence, value, expected)

    def _band(self, data: Data, held: Held, series: int, end: int) -> Band | None:
        subject = self._subject
        sums = subject.measured(data, held.seats, end - BAND_S, end)
        steps = Steps((end - BAND_S) // HOUR_S, sums.n.shape[1], HOUR_S)
        return usual_band(subject.measure, sums, series, held.baseline, series, steps)


def _factor(logarithm: Floats) -> Floats:
    return np.asarray(np.expm1(np.clip(logarithm, -MAX_LOG, MAX_LOG)))


def _at(course: Course, series: int, tick: int) -> Course:
    rows, ticks = slice(series, series + 1), slice(tick, tick + 1)
    return Course(*(getattr(course, name)[rows, ticks] for name in Course.__dataclass_fields__))


def _statuses(course: Course, sums: Sums, learned: Bools, *, is_mean: bool) -> np.ndarray:
    status = np.where(course.firing, Status.BREACH, Status.OK).astype(np.int8)
    if is_mean:
        status[sums.n <= 0] = Status.NO_DATA
    status[~learned] = Status.OK
    return status


def _learning(days: Floats) -> str:
    if days.size and days.max() >= MIN_DAYS:
        return ""
    held = f"{days.max():.0f}" if days.size else "0"
    return f"It is learning what is usual: {MIN_DAYS:.0f} days of history are needed, {held} are there."
