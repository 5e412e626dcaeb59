"""Slow requests: those beyond what 95 % of the weeks before stayed below, relative to what is typical at the hour.

A fault in one of twenty requests hardly moves a mean; it moves this share. What slows all of them moves the mean and
not this share. See `stats.tail`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from spanwise_collector.alerts.evaluate.base import DAY_S, HOUR_S, Data
from spanwise_collector.alerts.evaluate.packing import pack_fields, packed, unpack_fields, unpacked
from spanwise_collector.alerts.signals import SignalSource
from spanwise_collector.alerts.state import REST
from spanwise_collector.stats.arrays import Bools, Floats
from spanwise_collector.stats.baseline import Baseline
from spanwise_collector.stats.filter import levels
from spanwise_collector.stats.seasons import Steps
from spanwise_collector.stats.tail import distance, slower
from spanwise_collector.stats.watch import Sums, Watch

WARM_HOURS: Final = 48
"""Before the first hour that counts, for the level of the hour."""
AHEAD_S: Final = 31 * DAY_S
_LATENCY: Final = Watch("log_mean", "up", 0.1, 50.0)
_SEPARATOR: Final = "\x1f"


@dataclass(frozen=True, slots=True)
class Slow:
    """What tells a slow request.

    Attributes:
        baseline: of the mean logarithm of the latency.
        cut: how far above what is typical, as a logarithm, slow begins, [series].
    """

    baseline: Baseline
    cut: Floats

    def record(self) -> dict[str, object]:
        """For JSON."""
        return {"baseline": pack_fields(self.baseline), "cut": packed(self.cut)}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Self:
        """What `record` gave."""
        return cls(Baseline(**unpack_fields(record["baseline"])), unpacked(record["cut"]))


@dataclass(frozen=True, slots=True)
class Histograms:
    """Latencies of requests by hour.

    Attributes:
        latency: mean logarithms.
        counts: by bin, [series, time, bins].
        first_bin: number of the first bin.
    """

    latency: Sums
    counts: Floats
    first_bin: int

    def __getitem__(self, when: slice) -> "Histograms":
        """A stretch of time."""
        return Histograms(self.latency[when], self.counts[:, when], self.first_bin)


def read_histograms(
    data: Data, source: SignalSource, members: Sequence[tuple[str, ...]], start: int, end: int, *, rest: bool
) -> Histograms:
    """Hours of each member, and of all others together where `rest`.

    Args:
        data: where to read.
        source: whose requests.
        members: keys of the series.
        start: seconds since the epoch, a full hour.
        end: likewise.
        rest: whether the others are wanted.
    """
    name = ("latencies", source, tuple(members), rest)
    held = data.kept.get(name)
    if held is None or not held[0] <= start <= end <= held[1]:
        # Where days of history follow each other, the next ones are read along; what is in the future is empty.
        ahead = end + AHEAD_S
        held = data.kept[name] = (start, ahead, _read(data, source, members, start, ahead, rest=rest))
    found: Histograms = held[2]
    return found[slice((start - held[0]) // HOUR_S, (end - held[0]) // HOUR_S)]


def _read(
    data: Data, source: SignalSource, members: Sequence[tuple[str, ...]], start: int, end: int, *, rest: bool
) -> Histograms:
    table, keys, time, _, parameters = source.rows(("requests",), HOUR_S)
    between = f", '{_SEPARATOR}', "
    joined = f"concat({between.join(f'toString({key})' for key in keys)}, '')" if keys else "''"
    names = [_SEPARATOR.join(key) for key in members]
    rows = data.rows(
        "SELECT series, groupArray(at), groupArray(n), groupArray(s1), groupArray(s2), groupArray(mapKeys(h)), "
        "groupArray(mapValues(h)) FROM "
        f"(SELECT if({joined} IN {{members:Array(String)}}, {joined}, '{REST}') AS series, "
        f"intDiv({time} - {{start:UInt32}}, {HOUR_S}) AS at, toFloat64(sum(n)) AS n, sum(lat_s1) AS s1, "
        f"sum(lat_s2) AS s2, sumMap(lat_h) AS h FROM {table} AND is_root GROUP BY series, at) GROUP BY series",
        {**parameters, "members": names, "start": start, "end": end},
    )
    places = {name: row for row, name in enumerate([*names, *([REST] if rest else [])])}
    shape = (len(places), (end - start) // HOUR_S)
    kept = [row for row in rows if row[0] in places]
    bins = [np.concatenate([np.asarray(one, dtype=np.int64) for one in row[5]]) for row in kept]
    first = min((int(found.min()) for found in bins if found.size), default=0)
    last = max((int(found.max()) for found in bins if found.size), default=0)
    sums = Sums(np.zeros(shape), np.zeros(shape), np.zeros(shape))
    counts = np.zeros((*shape, last - first + 1))
    for row, found in zip(kept, bins, strict=True):
        place, at = places[row[0]], np.asarray(row[1], dtype=np.int64)
        sums.n[place, at], sums.total[place, at], sums.squares[place, at] = row[2], row[3], row[4]
        hours = np.repeat(at, [len(one) for one in row[5]])
        counts[place, hours, found - first] = np.concatenate([np.asarray(one, dtype=np.float64) for one in row[6]])
    return Histograms(sums, counts, first)


def learned(found: Histograms, steps: Steps, usable: Bools) -> Slow:
    """What tells a slow request, from the hours that say what is usual.

    Args:
        found: those hours.
        steps: their times.
        usable: see `Watch.fit`.
    """
    baseline = _LATENCY.fit(found.latency, steps, usable)
    return Slow(baseline, distance(found.counts, _typical(found, steps, baseline), first_bin=found.first_bin))


def shares(found: Histograms, steps: Steps, slow: Slow) -> Sums:
    """How many of the requests of each hour are slow; the first hours are rough, see `WARM_HOURS`."""
    cutoff = _typical(found, steps, slow.baseline) + slow.cut[:, None]
    n = found.latency.n
    return Sums(n, np.minimum(slower(found.counts, cutoff, found.first_bin), n), n)


def _typical(found: Histograms, steps: Steps, baseline: Baseline) -> Floats:
    residuals = _LATENCY.residuals(found.latency, baseline, steps, _LATENCY.tested(baseline))
    return baseline.expected(steps) + levels(residuals, baseline)
