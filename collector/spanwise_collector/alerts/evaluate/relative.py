"""A signal over a window, against the same hours of past weeks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np

from spanwise_collector.alerts.evaluate.bands import numbers, times_of
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
)
from spanwise_collector.alerts.evaluate.measures import Measure, measure_of
from spanwise_collector.alerts.evaluate.members import Key, busiest, others
from spanwise_collector.alerts.evaluate.scope import names_of, source_of
from spanwise_collector.alerts.evaluate.windowed import rolling
from spanwise_collector.alerts.sentences import be, interval, shown, subject
from spanwise_collector.alerts.signals import Block
from spanwise_collector.alerts.state import Restart, series_key
from spanwise_collector.stats.arrays import Floats, ratio
from spanwise_collector.stats.relative import same_hours
from spanwise_collector.stats.transforms import arcsine, rate_of
from spanwise_collector.stats.watch import Sums
from spanwise_schemas.api_alerts import Band
from spanwise_schemas.rules import Relative, duration
from spanwise_schemas.signals import signal_named

WEEK_S: Final = 7 * DAY_S
HISTORY_S: Final = 30 * DAY_S
RECOVER: Final = 0.8


@dataclass(frozen=True, slots=True)
class _Compared:
    """Values beside those of past weeks, [series, ticks]."""

    sums: Sums
    value: Floats
    expected: Floats
    low: Floats
    high: Floats
    weeks: Floats


class RelativeEvaluator:
    """See `base.Evaluator`.

    Raises:
        RuleError: the signal cannot be read so, or the window is not made of whole hours.
    """

    step = HOUR_S
    history = HISTORY_S
    warmup = HOUR_S
    chunk, chunk_offset = DAY_S, 0

    def __init__(self, rule: Relative) -> None:
        window = duration(rule.window) // timedelta(seconds=1)
        if window % HOUR_S:
            raise RuleError("the window of a relative rule must be made of whole hours")
        self._rule = rule
        self._signal = signal_named(rule.signal)
        self._measure: Measure = measure_of(self._signal)
        self._source = source_of(rule, self._signal)
        self._window = window
        self._direction = rule.direction or self._signal.worse
        self.policy = Policy(rule.for_, rule.keep_firing, rule.no_data, patience=2 * window // HOUR_S)

    def needs(self, first: int, last: int, carried: Carried) -> Iterable[Need]:
        """See `base.Evaluator`."""
        yield self._need(first, last)

    def run(self, first: int, last: int, data: Data, carried: Carried, restarts: Sequence[Restart]) -> Outcome:
        """See `base.Evaluator`."""
        block, members = self._placed(data.block(self._need(first, last)), carried, first)
        found = self._compared(block)
        names = names_of(block)
        ticks = found.value.shape[1]
        low, high = found.value - found.high, found.value - found.low
        began = np.broadcast_to(first + HOUR_S * np.arange(ticks) - self._window, found.value.shape)

        def words(series: int, tick: int) -> Words:
            value, usual = float(found.value[series, tick]), float(found.expected[series, tick])
            unit = self._signal.unit
            return Words(
                f"{subject(self._signal, names[series])} {be(self._signal)} {shown(value, unit)} over "
                f"{self._rule.window} where {shown(usual, unit)} is usual at these hours ({value / usual - 1:+.0%}).",
                {
                    "Weeks compared with": f"{found.weeks[series, tick]:.0f}",
                    "Samples": f"{found.sums.n[series, tick]:,.0f}",
                    "Difference (95 %)": interval(float(low[series, tick]), float(high[series, tick]), unit),
                },
                value,
                usual,
            )

        def band(series: int, tick: int) -> Band | None:
            return self._band(data, members, series, first + tick * HOUR_S)

        return Outcome(
            keys=tuple(series_key(name) for name in names),
            names=names,
            first=first,
            step=HOUR_S,
            status=self._statuses(found),
            value=found.value,
            expected=found.expected,
            low=low,
            high=high,
            began=began,
            carried={"members": [list(key) for key in members], "day": first // DAY_S},
            words=words,
            band=band,
            note="" if (found.weeks > 0).any() else "There is no data of past weeks to compare with yet.",
        )

    def _need(self, first: int, last: int) -> Need:
        start = first - self._window - self._rule.weeks * WEEK_S
        return Need(self._source, self._measure.columns, start, last, HOUR_S)

    def _placed(self, block: Block, carried: Carried, first: int) -> tuple[Block, list[Key]]:
        if not block.by:
            return (block if block.keys else block.gathered([()], rest=False)), [()]
        members = [tuple(key) for key in carried.get("members", [])]
        if carried.get("day") != first // DAY_S:
            members = busiest(block, self._volume(block), self._rule.max_series)
        return block.gathered(members, rest=others(block, self._volume(block), members)), members

    def _volume(self, block: Block) -> Floats:
        return np.asarray(block.arrays[self._measure.n].sum(1))

    def _compared(self, block: Block) -> _Compared:
        hours, weeks = self._window // HOUR_S, self._rule.weeks
        raw = self._measure.sums(block)
        sums = Sums(rolling(raw.n, hours), rolling(raw.total, hours), rolling(raw.squares, hours))
        y, variance = self._scaled(sums, raw)
        lag = WEEK_S // HOUR_S
        ticks = y.shape[1] - weeks * lag
        now = slice(weeks * lag, None)
        past = [slice((weeks - week) * lag, (weeks - week) * lag + ticks) for week in range(1, weeks + 1)]
        usual = same_hours(
            np.stack([y[:, part].ravel() for part in past], 1),
            np.stack([variance[:, part].ravel() for part in past], 1),
            np.where(np.isfinite(variance[:, now]), variance[:, now], 0.0).ravel(),
        )

        def shaped(values: Floats) -> Floats:
            return self._in_unit(values).reshape(len(y), ticks)

        present = Sums(sums.n[:, now], sums.total[:, now], sums.squares[:, now])
        weeks_seen = usual.weeks.reshape(len(y), ticks)
        expected = np.where(weeks_seen > 0, shaped(usual.expected), np.nan)
        value = self._measure.value(present)
        return _Compared(present, value, expected, shaped(usual.low), shaped(usual.high), weeks_seen)

    def _scaled(self, sums: Sums, raw: Sums) -> tuple[Floats, Floats]:
        """Values on the scale on which their variance is known, and that variance; infinity without data."""
        n, seen = sums.n, sums.n > 0
        match self._measure.form:
            case "rate":
                values = arcsine(sums.total, n)
                return values.y, np.where(seen, 0.25 / (n + 0.5), np.inf)
            case "count":
                # No requests in an hour of a past week is a count too, once there was data at all.
                began = np.cumsum(n, 1) > 0
                return np.log(np.maximum(n, 0.5)), np.where(began, 1.0 / np.maximum(n, 0.5), np.inf)
            case "sum" | "ratio":
                top = sums.total if self._measure.form == "sum" else ratio(sums.total, n)
                good = seen & (top > 0)
                return np.log(np.where(good, top, 1.0)), np.where(good, 1.0 / np.maximum(n, 1.0), np.inf)
            case _:
                mean = ratio(sums.total, n)
                count = raw.n.sum(1)
                within = ratio(raw.squares.sum(1), count) - ratio(raw.total.sum(1), count) ** 2
                return mean, np.where(seen, np.maximum(within, 1e-12)[:, None] / np.maximum(n, 1.0), np.inf)

    def _in_unit(self, y: Floats) -> Floats:
        match self._measure.form:
            case "rate":
                return rate_of(np.clip(y, 0.0, np.pi / 2))
            case "mean":
                return y
            case _:
                return np.exp(np.clip(y, -700.0, 700.0))

    def _statuses(self, found: _Compared) -> Statuses:
        change = ratio(found.value, found.expected, np.nan) - 1.0
        off = {"up": change, "down": -change, "both": np.abs(change)}[self._direction]
        beyond = np.where(change > 0, found.value > found.high, found.value < found.low)
        limit = self._rule.change
        with np.errstate(invalid="ignore"):
            status = np.where(
                (off >= limit) & beyond, Status.BREACH, np.where(off < RECOVER * limit, Status.OK, Status.HOLD)
            ).astype(np.int8)
        enough = np.maximum(found.sums.n, found.expected) if self._measure.form == "count" else found.sums.n
        status[~(enough >= self._rule.min_samples)] = Status.HOLD
        if self._measure.is_mean:
            status[found.sums.n <= 0] = Status.NO_DATA
        status[found.weeks <= 0] = Status.OK
        return status

    def _band(self, data: Data, members: list[Key], series: int, end: int) -> Band | None:
        start = end - 3 * DAY_S
        block = data.block(self._need(start, end))
        if block.by:
            block = block.gathered(members, rest=others(block, self._volume(block), members))
        found = self._compared(block)
        if series >= len(found.value):
            return None
        return Band(
            times=times_of(start, HOUR_S, found.value.shape[1]),
            step_seconds=HOUR_S,
            values=numbers(found.value[series]),
            expected=numbers(found.expected[series]),
            low=numbers(found.low[series]),
            high=numbers(found.high[series]),
        )
