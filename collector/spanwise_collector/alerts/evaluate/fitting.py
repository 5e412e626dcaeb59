"""What is usual for the series of a rule: which they are, and their baselines for the next day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spanwise_collector.alerts.evaluate.base import DAY_S, HOUR_S, Data, Need
from spanwise_collector.alerts.evaluate.held import Held, Key, Seats, as_stored, moved_state, usable
from spanwise_collector.alerts.evaluate.measures import Measure
from spanwise_collector.alerts.evaluate.members import busiest, others
from spanwise_collector.alerts.evaluate.restarts import hour_of, is_fresh, is_news, on_new_levels, without_other_times
from spanwise_collector.alerts.evaluate.slow import WARM_HOURS, learned, read_histograms, shares
from spanwise_collector.alerts.signals import Block, SignalSource, Source
from spanwise_collector.alerts.state import REST, RULE_SERIES, Restart, series_key
from spanwise_collector.stats.arrays import Floats
from spanwise_collector.stats.seasons import Steps
from spanwise_collector.stats.watch import BASELINE_DAYS, LAG_DAYS, Sums, Watch
from spanwise_schemas.signals import Signal


@dataclass(frozen=True, slots=True)
class Subject:
    """What a rule watches.

    Attributes:
        signal: which.
        measure: how it is counted.
        watch: how its changes count.
        source: where it is read.
        most: series with a place of their own.
    """

    signal: Signal
    measure: Measure
    watch: Watch
    source: Source
    most: int

    @property
    def is_slow(self) -> bool:
        """Whether it is the share of slow requests, which is read in another way."""
        return self.signal.name == "slow_share"

    def need(self, start: int, end: int) -> Need:
        """Hours of the signal; of the share of slow requests the requests."""
        return Need(self.source, self.columns, start, end, HOUR_S)

    @property
    def columns(self) -> frozenset[str]:
        """What is read."""
        if self.is_slow:
            return frozenset({self.measure.n})
        return frozenset({"n"}) if self.signal.form == "shares" else self.measure.columns

    def measured(self, data: Data, seats: Seats, start: int, end: int) -> Sums:
        """Hours of the series that have a place.

        Args:
            data: where to read.
            seats: the series.
            start: seconds since the epoch, a full hour.
            end: likewise.
        """
        if seats.slow is None:
            return self.sums(self.placed(data.block(self.need(start, end)), seats.members, rest=seats.rest))
        assert isinstance(self.source, SignalSource)
        early = start - WARM_HOURS * HOUR_S
        found = read_histograms(data, self.source, seats.members, early, end, rest=seats.rest)
        steps = Steps(early // HOUR_S, (end - early) // HOUR_S, HOUR_S)
        return shares(found, steps, seats.slow)[slice(WARM_HOURS, None)]

    def seat_names(self, seats: Seats) -> tuple[Mapping[str, str], ...]:
        """Dimension to value of each series that has a place."""
        by = self.source.by
        rest = [(REST,) * len(by)] if seats.rest else []
        return tuple(dict(zip(by, key, strict=True)) for key in (*seats.members, *rest))

    def placed(self, block: Block, members: Sequence[Key], *, rest: bool) -> Block:
        """A row for each member, then the rest."""
        if not block.by:
            return block if block.keys else block.gathered([()], rest=False)
        found = block.gathered(members, rest=rest)
        if self.signal.form == "shares":
            totals: dict[Key, Floats] = {}
            for row, key in enumerate(block.keys):
                totals[key[:-1]] = totals.get(key[:-1], np.zeros(block.count)) + block.arrays["n"][row]
            nothing = np.zeros(block.count)
            everything = np.array([totals.get(key[:-1], nothing) for key in found.keys])
            found.arrays["all"] = everything.reshape(len(found.keys), block.count)
        return found

    def names(self, block: Block) -> tuple[Mapping[str, str], ...]:
        """Dimension to value of each row."""
        return tuple(dict(zip(block.by, key, strict=True)) for key in block.keys)

    def sums(self, block: Block) -> Sums:
        """What the statistics take."""
        return self.measure.sums(block)

    def since(self, sums: Sums, table: Floats, series: int) -> tuple[float, float]:
        """Value and what was expected of one series over all steps; of counts and sums: for each."""
        n = sums.n[series]
        hours = max(n.size, 1)
        match self.measure.form:
            case "count":
                return float(n.sum() / hours), float(np.exp(table[series]).mean())
            case "sum":
                return float(sums.total[series].sum() / hours), float(np.exp(table[series]).mean())
            case "rate":
                return _over(sums.total[series].sum(), n.sum()), _over((n * np.exp(table[series])).sum(), n.sum())
            case "mean":
                return _over(sums.total[series].sum(), n.sum()), _over((n * table[series]).sum(), n.sum())
            case "ratio":
                return _over(sums.total[series].sum(), n.sum()), _over((n * np.exp(table[series])).sum(), n.sum())
            case "log_mean":
                value = np.exp(_over(sums.total[series].sum(), n.sum()))
                return float(value), float(np.exp(_over((n * table[series]).sum(), n.sum())))


def _over(top: float, bottom: float) -> float:
    return float(top / bottom) if bottom > 0 else float("nan")


def fitted(
    subject: Subject,
    before: Held | None,
    chunk: int,
    chunk_start: int,
    first: int,
    data: Data,
    restarts: Sequence[Restart],
) -> Held | None:
    """What is held for a chunk: as it was where it is the same chunk, else fitted anew.

    Args:
        subject: what is watched.
        before: what was held; None at first.
        chunk: number of the stretch that the next hours lie in.
        chunk_start: its start, seconds since the epoch; the fit sees data from before it only.
        first: start of the next hour; a restart that was decided before is taken in.
        data: where to read.
        restarts: of the rule.

    Returns:
        None where there are no series.
    """
    decided = [one for one in restarts if one.decided_at.timestamp() <= first + HOUR_S]
    if before is not None and before.chunk == chunk and not is_news(before.restarts, decided):
        return before
    end = chunk_start - LAG_DAYS * DAY_S
    start = end - BASELINE_DAYS * DAY_S
    seats = _seated(subject, data.block(subject.need(start, end)))
    keys = [series_key(name) for name in subject.seat_names(seats)]
    if not keys:
        return None
    old = [series_key(name) for name in subject.seat_names(before.seats)] if before else []
    alarms = {key: [list(one) for one in found] for key, found in before.alarms.items()} if before else {}
    anew, restarted = _taken_in(decided, keys, alarms, before.restarts if before else {})
    steps = Steps(start // HOUR_S, (end - start) // HOUR_S, HOUR_S)
    if subject.is_slow:
        seats, sums = _slow(subject, data, seats, steps)
    else:
        sums = subject.measured(data, seats, start, end)
    # From the first hour with data on: before, the series was not there.
    known = usable(np.asarray(np.cumsum(sums.n > 0, axis=1) > 0), keys, steps.first, alarms)
    baseline = subject.watch.fit(sums, steps, without_other_times(known, keys, anew, steps.first, first))
    if any(is_fresh(anew, key, first) for key in keys):
        until = max(end, first)
        baseline = on_new_levels(
            baseline,
            subject.measured(data, seats, start, until),
            Steps(steps.first, (until - start) // HOUR_S, HOUR_S),
            subject.since,
            keys,
            anew,
            first,
            is_mean=subject.measure.form == "mean",
        )
    baseline = as_stored(baseline)
    going_on = [key if key not in restarted else "" for key in old]
    sizes = subject.watch.tested(baseline).shape[1]
    state = moved_state(before.state if before else None, going_on, keys, sizes)
    return Held(chunk, seats, baseline, state, alarms, anew)


def _seated(subject: Subject, block: Block) -> Seats:
    if not block.by:
        return Seats([()] if block.keys else [], rest=False)
    column = "n" if subject.signal.form == "shares" else subject.measure.n
    volume = block.arrays[column].sum(1)
    members = busiest(block, volume, subject.most)
    return Seats(members, rest=subject.signal.form != "shares" and others(block, volume, members))


def _taken_in(
    decided: Sequence[Restart], keys: Sequence[str], alarms: dict[str, list[list[int]]], known: Mapping[str, int]
) -> tuple[dict[str, int], set[str]]:
    """Restarts by series with the new ones, and the series that they concern; their alarms since then are forgotten."""
    anew, restarted = dict(known), set()
    for one in decided:
        hour = hour_of(one)
        if anew.get(one.series, -1) >= hour:
            continue
        anew[one.series] = hour
        for key in keys if one.series == RULE_SERIES else {one.series}.intersection(keys):
            alarms[key] = [alarm for alarm in alarms.get(key, []) if 0 <= alarm[1] <= hour]
            restarted.add(key)
    return anew, restarted


def _slow(subject: Subject, data: Data, seats: Seats, steps: Steps) -> tuple[Seats, Sums]:
    """Seats that know what is slow, and the share of it in the same hours."""
    assert isinstance(subject.source, SignalSource)
    start = steps.first * HOUR_S
    end = start + steps.count * HOUR_S
    found = read_histograms(data, subject.source, seats.members, start, end, rest=seats.rest)
    slow = learned(found, steps, np.asarray(np.cumsum(found.latency.n > 0, axis=1) > 0))
    return Seats(seats.members, seats.rest, slow), shares(found, steps, slow)
