"""A kind of failure that is new, or suddenly more frequent.

New is judged every five minutes: not seen in the month before, and often enough within an hour. A spike is judged every
hour, by the detector that watches all counts, within the rule's false-alarm budget; its verdict holds until the next.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
    Status,
    Statuses,
    Words,
    blank,
)
from spanwise_collector.alerts.evaluate.fitting import Subject
from spanwise_collector.alerts.evaluate.measures import Measure
from spanwise_collector.alerts.evaluate.members import Key, is_rest
from spanwise_collector.alerts.evaluate.sources import FailureSource
from spanwise_collector.alerts.evaluate.watching import WatchEvaluator
from spanwise_collector.alerts.evaluate.windowed import rolling
from spanwise_collector.alerts.sentences import clock
from spanwise_collector.alerts.signals import FIVE_MINUTES_S
from spanwise_collector.alerts.state import Restart, series_key, series_of
from spanwise_collector.stats.arrays import Floats, Ints
from spanwise_collector.stats.watch import Watch
from spanwise_schemas.api_alerts import Band
from spanwise_schemas.rules import FailureRule
from spanwise_schemas.signals import Signal, Unit

UNSEEN_S: Final = 30 * DAY_S
NEW_S: Final = DAY_S
"""An issue is new for so long after it was first seen."""
KEEP: Final = 12
"""Ticks without one before the alert of a new issue ends: an hour."""
DOUBLED: Final = 1.0
_SPIKES: Final = Signal("failures", "Failures", "count", "calls", "count", "up", DOUBLED, 0.0, "Of one kind, an hour.")
_PER_HOUR: Final = HOUR_S // FIVE_MINUTES_S


@dataclass(slots=True)
class _Rows:
    """Verdicts on some series, [series, ticks]."""

    names: list[Mapping[str, str]]
    status: Statuses
    value: Floats
    expected: Floats
    low: Floats
    high: Floats
    began: Ints
    hours: Ints | None = None
    spikes: Outcome | None = None
    lit: list[str] = field(default_factory=list)


class FailureEvaluator:
    """See `base.Evaluator`."""

    step = FIVE_MINUTES_S
    history = 14 * DAY_S
    warmup = HOUR_S
    chunk = DAY_S

    def __init__(self, rule: FailureRule) -> None:
        self._rule = rule
        self._source = FailureSource(rule.project, rule.classes, rule.where)
        watch = Watch("count", "up", DOUBLED, float(rule.min_count))
        subject = Subject(_SPIKES, Measure("count", "n"), watch, self._source, rule.max_series)
        self._watch = WatchEvaluator(subject, rule.budget, float(rule.min_count), rule)
        self.chunk_offset = self._watch.chunk_offset
        self.policy = Policy(1, KEEP, rule.no_data, patience=2 * _PER_HOUR, give_up=7 * DAY_S // FIVE_MINUTES_S)

    def needs(self, first: int, last: int, carried: Carried) -> Iterable[Need]:
        """See `base.Evaluator`."""
        yield self._need(first, last)
        hours = _hours(first, last)
        if self._rule.spiking and hours:
            yield from self._watch.needs(*hours, carried.get("watch", {}))

    def run(self, first: int, last: int, data: Data, carried: Carried, restarts: Sequence[Restart]) -> Outcome:
        """See `base.Evaluator`."""
        ticks = (last - first) // FIVE_MINUTES_S + 1
        new = self._new(first, last, ticks, data)
        spiking = self._spiking(first, last, ticks, data, carried, restarts)
        names = [*new.names, *spiking.names]
        split = len(new.names)

        def words(series: int, tick: int) -> Words:
            if series < split:
                return self._new_words(data, new, series, tick)
            return self._spike_words(data, spiking, series - split, tick)

        def band(series: int, tick: int) -> Band | None:
            if series < split:
                counts = np.nan_to_num(new.value[series, : tick + 1])
                return limit_band(first, FIVE_MINUTES_S, counts, float(self._rule.min_count))
            if spiking.spikes is None or spiking.hours is None or spiking.hours[tick] < 0:
                return None
            return spiking.spikes.band(series - split, int(spiking.hours[tick]))

        # An issue may be new and spike later: those are two alerts.
        count: Unit = "count"
        keys = [series_key(one) for one in new.names] + [_spike_key(one) for one in spiking.names]
        return Outcome(
            keys=tuple(keys),
            names=tuple(names),
            first=first,
            step=FIVE_MINUTES_S,
            status=np.concatenate([new.status, spiking.status]),
            value=np.concatenate([new.value, spiking.value]),
            expected=np.concatenate([new.expected, spiking.expected]),
            low=np.concatenate([new.low, spiking.low]),
            high=np.concatenate([new.high, spiking.high]),
            began=np.concatenate([new.began, spiking.began]),
            carried={
                "watch": dict(spiking.spikes.carried) if spiking.spikes else carried.get("watch", {}),
                "lit": spiking.lit,
            },
            words=words,
            band=band,
            signals=("",) * len(names),
            units=(count,) * len(names),
        )

    def _need(self, first: int, last: int) -> Need:
        return Need(self._source, frozenset({"n"}), first - HOUR_S, last, FIVE_MINUTES_S)

    def _new(self, first: int, last: int, ticks: int, data: Data) -> _Rows:
        block = data.block(self._need(first, last))
        held = block.arrays["n"].sum(1) > 0
        kept = [row for row, key in enumerate(block.keys) if held[row] and not is_rest(key) and self._rule.new]
        keys = [block.keys[row] for row in kept]
        counts = rolling(block.arrays["n"][kept], _PER_HOUR)[:, :ticks] if kept else np.zeros((0, ticks))
        seen = self._first_seen(first, last, data) if kept else {}
        first_seen = np.array([seen.get(key, 0) for key in keys], dtype=np.int64).reshape(-1, 1)
        at = first + FIVE_MINUTES_S * np.arange(ticks)
        is_new = (first_seen > 0) & (at[None, :] - first_seen <= NEW_S)
        status = np.full(counts.shape, Status.OK, dtype=np.int8)
        status[is_new & (counts > 0)] = Status.HOLD
        status[is_new & (counts >= self._rule.min_count)] = Status.BREACH
        nothing = blank(*counts.shape)
        names: list[Mapping[str, str]] = [{"issue": key[0], "class": key[1]} for key in keys]
        return _Rows(names, status, counts, nothing, nothing, nothing, np.broadcast_to(first_seen, counts.shape))

    def _first_seen(self, first: int, last: int, data: Data) -> dict[Key, int]:
        """Of the issues of late: when they were seen first in a month and a day."""
        table, keys, time, _, parameters = self._source.rows(("n",), FIVE_MINUTES_S)
        rows = data.rows(
            f"SELECT {keys[0]} AS issue, {keys[1]} AS class, min({time}) FROM {table} GROUP BY issue, class "
            f"HAVING max({time}) >= {{recent:UInt32}}",
            {**parameters, "start": first - UNSEEN_S, "end": last, "recent": first - HOUR_S},
        )
        return {(issue, kind): int(seen) for issue, kind, seen in rows}

    def _spiking(
        self, first: int, last: int, ticks: int, data: Data, carried: Carried, restarts: Sequence[Restart]
    ) -> _Rows:
        """Verdicts of the hours, each until the next; before the first of them what held before."""
        lit = [str(key) for key in carried.get("lit", [])]
        hours = _hours(first, last)
        if not self._rule.spiking or hours is None:
            status = np.full((len(lit), ticks), Status.BREACH, dtype=np.int8)
            nothing = blank(len(lit), ticks)
            names: list[Mapping[str, str]] = [_names_of(key) for key in lit]
            return _Rows(
                names, status, nothing, nothing, nothing, nothing, np.zeros(nothing.shape, dtype=np.int64), lit=lit
            )
        spikes = self._watch.run(*hours, data, carried.get("watch", {}), restarts)
        place = (first + FIVE_MINUTES_S * np.arange(ticks) - hours[0]) // HOUR_S
        place = np.maximum(place, -1)

        def spread(values: Floats) -> Floats:
            return np.where(place >= 0, values[:, place], np.nan)

        before = np.array([_spike_key(one) in lit for one in spikes.names], dtype=np.bool_)[:, None]
        status = np.where(place >= 0, spikes.status[:, place], np.where(before, Status.BREACH, Status.OK))
        return _Rows(
            list(spikes.names),
            status.astype(np.int8),
            spread(spikes.value),
            spread(spikes.expected),
            spread(spikes.low),
            spread(spikes.high),
            np.where(place >= 0, spikes.began[:, place], 0),
            hours=place,
            spikes=spikes,
            lit=[_spike_key(one) for row, one in enumerate(spikes.names) if status[row, -1] == Status.BREACH],
        )

    def _new_words(self, data: Data, new: _Rows, series: int, tick: int) -> Words:
        count = float(new.value[series, tick])
        names = new.names[series]
        since = clock(float(new.began[series, tick]))
        return Words(
            f"New failure: {self._title(data, names)}: {count:,.0f} times in an hour, first seen {since}.",
            {"Class": names["class"], "In the last hour": f"{count:,.0f}"},
            count,
        )

    def _spike_words(self, data: Data, spiking: _Rows, series: int, tick: int) -> Words:
        names = spiking.names[series]
        title = self._title(data, names)
        if spiking.spikes is None or spiking.hours is None or spiking.hours[tick] < 0:
            return Words(f"More failures than usual: {title}.")
        inner = spiking.spikes.words(series, int(spiking.hours[tick]))
        since = clock(float(spiking.began[series, tick]))
        return Words(
            f"More failures than usual: {title}: {inner.value or 0:,.0f} an hour where {inner.expected or 0:.2g} are "
            f"usual, since {since}.",
            {"Class": names["class"], **inner.evidence},
            inner.value,
            inner.expected,
        )

    def _title(self, data: Data, names: Mapping[str, str]) -> str:
        """What the issue is called."""
        if is_rest((names["issue"],)):
            return "all other kinds together"
        rows = data.rows(
            "SELECT argMax(title, time) FROM failures WHERE project_id = {project:String} AND (fingerprint = "
            "{issue:UInt64} OR fingerprint IN (SELECT fingerprint FROM failure_groups FINAL WHERE "
            "project_id = {project:String} AND group_id = {issue:UInt64}))",
            {"project": self._rule.project, "issue": int(names["issue"], 16)},
        )
        return str(rows[0][0]) if rows and rows[0][0] else names["class"]


def _hours(first: int, last: int) -> tuple[int, int] | None:
    """The first and last whole hour among the ticks; None where there is none."""
    start, end = -(-first // HOUR_S) * HOUR_S, last // HOUR_S * HOUR_S
    return (start, end) if start <= end else None


def _spike_key(names: Mapping[str, str]) -> str:
    return series_key({**names, "spike": "yes"})


def _names_of(key: str) -> dict[str, str]:
    return {name: value for name, value in series_of(key).items() if name != "spike"}
