"""Requests that should be there and are not: by what is usual, or after a window without any."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

import numpy as np

from spanwise_collector.alerts.evaluate.bands import times_of
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
    Words,
    blank,
    nothing,
)
from spanwise_collector.alerts.evaluate.members import busiest
from spanwise_collector.alerts.evaluate.packing import pack_fields, packed, unpack_fields, unpacked
from spanwise_collector.alerts.evaluate.scope import names_of, signals_of
from spanwise_collector.alerts.evaluate.windowed import rolling
from spanwise_collector.alerts.sentences import clock, series_words
from spanwise_collector.alerts.signals import FIVE_MINUTES_S
from spanwise_collector.alerts.state import Restart, series_key
from spanwise_collector.stats.absence import silence
from spanwise_collector.stats.arrays import Floats
from spanwise_collector.stats.baseline import Baseline, fit_count
from spanwise_collector.stats.seasons import Steps
from spanwise_schemas.api_alerts import Band
from spanwise_schemas.rules import Absence, duration

CHANCE: Final = 1e-4
"""It fires only where seeing nothing is so improbable, the level's own variation included."""
MIN_DAYS: Final = 7.0
FIT_DAYS: Final = 28
HISTORY_S: Final = 12 * DAY_S
BAND_S: Final = 2 * DAY_S
_LEARNING: Final = "It is learning when requests are usual: a week of history is needed."


class AbsenceEvaluator:
    """See `base.Evaluator`.

    Raises:
        RuleError: the window is not made of whole steps, or longer than two days.
    """

    step = FIVE_MINUTES_S
    history = HISTORY_S
    warmup = FIVE_MINUTES_S
    chunk, chunk_offset = DAY_S, 0
    policy = Policy()

    def __init__(self, rule: Absence) -> None:
        self._window = duration(rule.window) // timedelta(seconds=1)
        if self._window % FIVE_MINUTES_S or self._window > 2 * DAY_S:
            raise RuleError("the window of an absence rule must be made of whole five minutes, at most two days")
        self._rule = rule
        self._source = signals_of(rule)

    def needs(self, first: int, last: int, carried: Carried) -> Iterable[Need]:
        """See `base.Evaluator`."""
        yield self._need(first - self._window, last)
        if carried.get("day") != first // DAY_S:
            yield self._past(first)

    def run(self, first: int, last: int, data: Data, carried: Carried, restarts: Sequence[Restart]) -> Outcome:
        """See `base.Evaluator`."""
        if carried.get("day") != first // DAY_S:
            carried = self._fitted(first, data, carried)
        members = [tuple(key) for key in carried["members"]]
        if not members:
            return nothing(first, last, FIVE_MINUTES_S, carried, _LEARNING)
        baseline = Baseline(**unpack_fields(carried["baseline"]))
        block = data.block(self._need(first - self._window, last)).gathered(members, rest=False)
        steps = self._window // FIVE_MINUTES_S
        n = rolling(block.arrays["requests"], steps)
        expected, chance = self._expected(baseline, first, n.shape[1])
        if self._rule.heartbeat:
            missing = n <= 0
        else:
            known = baseline.days[:, None] >= MIN_DAYS
            missing = (n <= 0) & known & (expected >= self._rule.min_expected) & (chance <= CHANCE)
        status = np.where(missing, Status.BREACH, np.where(n > 0, Status.OK, Status.HOLD)).astype(np.int8)
        last_seen, seen = self._last_seen(block.arrays["requests"], unpacked(carried["seen"]), first, n.shape[1])
        names = names_of(block)

        def words(series: int, tick: int) -> Words:
            named = series_words(names[series])
            since = clock(float(last_seen[series, tick]))
            usual = f", where {expected[series, tick]:,.0f} are usual" if np.isfinite(expected[series, tick]) else ""
            return Words(
                f"No requests{f' of {named}' if named else ''} since {since}{usual} in {self._rule.window}.",
                {"Window": self._rule.window, "Chance of none": f"{chance[series, tick]:.2g}"}
                if not self._rule.heartbeat
                else {"Window": self._rule.window},
                0.0,
                float(expected[series, tick]),
            )

        def band(series: int, tick: int) -> Band | None:
            end = first + tick * FIVE_MINUTES_S
            held = data.block(self._need(end - BAND_S, end)).gathered(members, rest=False)
            values = held.arrays["requests"][series]
            usual = np.exp(baseline.expected(Steps((end - BAND_S) // FIVE_MINUTES_S, values.size, FIVE_MINUTES_S)))
            return Band(
                times=times_of(end - BAND_S, FIVE_MINUTES_S, values.size),
                step_seconds=FIVE_MINUTES_S,
                values=[float(value) for value in values],
                expected=[float(f"{value:.4g}") for value in usual[series] * FIVE_MINUTES_S / HOUR_S],
            )

        return Outcome(
            keys=tuple(series_key(name) for name in names),
            names=names,
            first=first,
            step=FIVE_MINUTES_S,
            status=status,
            value=n,
            expected=expected,
            low=blank(*n.shape),
            high=blank(*n.shape),
            began=last_seen.astype(np.int64),
            carried={**carried, "seen": packed(seen)},
            words=words,
            band=band,
            note="" if self._rule.heartbeat or (baseline.days >= MIN_DAYS).any() else _LEARNING,
        )

    def _need(self, start: int, end: int) -> Need:
        return Need(self._source, frozenset({"requests"}), start, end, FIVE_MINUTES_S)

    def _past(self, first: int) -> Need:
        day = first // DAY_S * DAY_S
        return Need(self._source, frozenset({"requests"}), day - FIT_DAYS * DAY_S, day, HOUR_S)

    def _fitted(self, first: int, data: Data, carried: Carried) -> Carried:
        """What is usual this day; series that had requests in four weeks are watched."""
        block = data.block(self._past(first))
        volume = block.arrays["requests"].sum(1)
        members = busiest(block, volume, self._rule.max_series) if block.by else [()] if volume.sum() > 0 else []
        if not members:
            return {"day": first // DAY_S, "members": []}
        n = block.gathered(members, rest=False).arrays["requests"]
        known = np.asarray(np.cumsum(n, 1) > 0)
        steps = Steps(block.start // HOUR_S, block.count, HOUR_S)
        baseline = fit_count(n, np.ones_like(n), steps, known, "count")
        before = {tuple(key): seen for key, seen in zip(carried.get("members", []), self._seen(carried), strict=True)}
        start = block.start
        hours = np.where(n > 0, np.arange(1, block.count + 1), 0).max(1, initial=0)
        seen = np.array(
            [max(before.get(key, 0), start + int(hour) * HOUR_S) for key, hour in zip(members, hours, strict=True)],
            dtype=np.int64,
        )
        return {
            "day": first // DAY_S,
            "members": [list(key) for key in members],
            "baseline": pack_fields(baseline),
            "seen": packed(seen),
        }

    def _seen(self, carried: Carried) -> list[int]:
        return [int(seen) for seen in unpacked(carried["seen"])] if "seen" in carried else []

    def _expected(self, baseline: Baseline, first: int, ticks: int) -> tuple[Floats, Floats]:
        steps = self._window // FIVE_MINUTES_S
        found = [
            silence(baseline, Steps(first // FIVE_MINUTES_S + tick - steps, steps, FIVE_MINUTES_S))
            for tick in range(ticks)
        ]
        return np.stack([one.expected for one in found], 1), np.stack([one.chance for one in found], 1)

    def _last_seen(self, n: Floats, seen: np.ndarray, first: int, ticks: int) -> tuple[np.ndarray, np.ndarray]:
        """When the last requests before each tick came, and before the last one."""
        ends = first - self._window + FIVE_MINUTES_S * np.arange(1, n.shape[1] + 1)
        latest = np.maximum.accumulate(np.where(n > 0, ends, 0), axis=1)
        at = np.maximum(latest[:, n.shape[1] - ticks :], seen[:, None])
        return at, at[:, -1] if at.size else seen
