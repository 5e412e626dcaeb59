"""After a new prompt version, model or release first appears: is anything worse than of the others?

The new version is measured against what the versions before it, and those beside it, are at the same hours. From its
first hour on an e-process per signal looks for a change to the worse; it may be looked at every hour and exceeds
1/alpha by chance with probability alpha at most. See `stats.eprocess`.
"""

from collections.abc import Iterable, Mapping, Sequence
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
    RuleError,
    Status,
    Words,
    blank,
)
from spanwise_collector.alerts.evaluate.fitting import Subject
from spanwise_collector.alerts.evaluate.measures import measure_of
from spanwise_collector.alerts.sentences import be, clock, interval, shown, subject
from spanwise_collector.alerts.signals import Block, SignalSource, where_sql
from spanwise_collector.alerts.state import Restart, series_key
from spanwise_collector.stats.arrays import Floats
from spanwise_collector.stats.baseline import Baseline
from spanwise_collector.stats.eprocess import mixture
from spanwise_collector.stats.seasons import Steps
from spanwise_collector.stats.watch import Sums, Watch
from spanwise_schemas.api_alerts import Band
from spanwise_schemas.rules import ReleaseWatch
from spanwise_schemas.signals import Dimension, Unit, signal_named

PAST_DAYS: Final = 28
OLDEST_DAYS: Final = 60
"""A version that was not seen for so long is new when it comes back."""
SETTLED_S: Final = DAY_S
"""Others must have been there so long before a version counts as new beside them."""
AFTER_S: Final = DAY_S
"""For so long after the watch its alerts are ended."""
MAX_VERSIONS: Final = 10
_OF_CALLS: Final = {"error_rate": "call_error_rate", "latency": "call_latency", "cost_per_request": "cost_per_call"}
"""A prompt and a model belong to calls, not to requests."""


@dataclass(frozen=True, slots=True)
class _Version:
    """A version that is watched.

    Attributes:
        dimension: prompt, model or release.
        value: which.
        seen: start of its first hour, seconds since the epoch.
    """

    dimension: Dimension
    value: str
    seen: int


@dataclass(frozen=True, slots=True)
class _Watched:
    """A version and a signal over the hours since it was first seen."""

    version: _Version
    subject: Subject
    own: Sums
    baseline: Baseline
    steps: Steps
    log_e: Floats
    value: Floats
    usual: Floats
    alpha: float


class ReleaseWatchEvaluator:
    """See `base.Evaluator`.

    Raises:
        RuleError: a signal cannot be watched so.
    """

    step = HOUR_S
    history = 30 * DAY_S
    warmup = HOUR_S
    chunk, chunk_offset = DAY_S, 0

    def __init__(self, rule: ReleaseWatch) -> None:
        for name in rule.signals:
            if signal_named(name).population == "scores" or name == "slow_share":
                raise RuleError(f"a release watch cannot watch {name} yet")
            measure_of(signal_named(name))
        self._rule = rule
        self.policy = Policy(1, 1, rule.no_data, patience=48)

    def needs(self, first: int, last: int, carried: Carried) -> Iterable[Need]:
        """See `base.Evaluator`; which versions are new is not known before."""
        return ()

    def run(self, first: int, last: int, data: Data, carried: Carried, restarts: Sequence[Restart]) -> Outcome:
        """See `base.Evaluator`."""
        watched = [
            one
            for version in self._versions(data, first, last)
            for name in self._signals(version.dimension)
            if (one := self._watch(version, name, data, last)) is not None
        ]
        ticks = (last - first) // HOUR_S + 1
        shape = (len(watched), ticks)
        status = np.full(shape, Status.OK, dtype=np.int8)
        value, expected, low, high = (blank(*shape) for _ in range(4))
        for row, one in enumerate(watched):
            for tick in range(ticks):
                place = (first + tick * HOUR_S - one.version.seen) // HOUR_S - 1
                if 0 <= place < min(one.log_e.size, self._rule.hours):
                    status[row, tick] = self._status(one, place)
                    value[row, tick], expected[row, tick] = one.value[place], one.usual[place]

        def words(series: int, tick: int) -> Words:
            return self._words(watched[series], first + tick * HOUR_S)

        def band(series: int, tick: int) -> Band | None:
            one = watched[series]
            return usual_band(one.subject.measure, one.own, 0, one.baseline, 0, one.steps)

        names: list[Mapping[str, str]] = [{one.version.dimension: one.version.value} for one in watched]
        units: list[Unit] = [one.subject.signal.unit for one in watched]
        return Outcome(
            keys=tuple(
                series_key({**name, "signal": one.subject.signal.name})
                for name, one in zip(names, watched, strict=True)
            ),
            names=tuple(names),
            first=first,
            step=HOUR_S,
            status=status,
            value=value,
            expected=expected,
            low=low,
            high=high,
            began=np.broadcast_to(np.array([one.version.seen for one in watched], dtype=np.int64)[:, None], shape),
            carried={},
            words=words,
            band=band,
            signals=tuple(one.subject.signal.name for one in watched),
            units=tuple(units),
        )

    def _signals(self, dimension: Dimension) -> list[str]:
        names = self._rule.signals
        if dimension in ("prompt", "model"):
            names = tuple(_OF_CALLS.get(name, name) for name in names)
        return list(dict.fromkeys(names))

    def _versions(self, data: Data, first: int, last: int) -> list[_Version]:
        found: list[_Version] = []
        for dimension in self._rule.watch:
            condition, parameters = where_sql(self._rule.where)
            rows = data.rows(
                f"SELECT toString({dimension}) AS version, toUnixTimestamp(min(time)), sum(n) FROM signals_1h WHERE "
                "project_id = {project:String} AND time >= toDateTime({start:UInt32}, 'UTC') AND "
                f"time < toDateTime({{end:UInt32}}, 'UTC') AND version != '' AND {condition} GROUP BY version "
                "ORDER BY version LIMIT 10000",
                {**parameters, "project": self._rule.project, "start": first - OLDEST_DAYS * DAY_S, "end": last},
            )
            seen = {str(version): int(at) for version, at, _ in rows}
            new = [
                _Version(dimension, version, at)
                for version, at in seen.items()
                if first < at + self._rule.hours * HOUR_S + AFTER_S
                and any(other <= at - SETTLED_S and _is_peer(dimension, version, name) for name, other in seen.items())
            ]
            found.extend(sorted(new, key=lambda one: (-one.seen, one.value))[:MAX_VERSIONS])
        return found

    def _watch(self, version: _Version, name: str, data: Data, last: int) -> _Watched | None:
        signal = signal_named(name)
        measure = measure_of(signal)
        watch = Watch(measure.form, signal.worse, signal.min_relative, signal.min_absolute)
        source = SignalSource(self._rule.project, self._rule.where, (version.dimension,), candidates=500)
        subject_ = Subject(signal, measure, watch, source, 1)
        end = min(last, version.seen + self._rule.hours * HOUR_S)
        columns = frozenset().union(*(self._columns(other) for other in self._signals(version.dimension)))
        block = data.block(Need(source, columns, version.seen - PAST_DAYS * DAY_S, end, HOUR_S))
        own_key = (version.value,)
        if own_key not in block.keys or end <= version.seen:
            return None
        peers = [key for key in block.keys if key != own_key and _is_peer(version.dimension, version.value, key[0])]
        together = block.gathered(peers, rest=False)
        others = Block(
            block.by,
            (("others",),),
            block.start,
            HOUR_S,
            block.count,
            {column: values.sum(0, keepdims=True) for column, values in together.arrays.items()},
        )
        split = (version.seen - block.start) // HOUR_S
        past = measure.sums(others)[slice(0, split)]
        known = np.cumsum(past.n, 1) > 0
        if not known.any():
            return None
        baseline = watch.fit(past, Steps(block.start // HOUR_S, split, HOUR_S), np.asarray(known))
        own = measure.sums(block.gathered([own_key], rest=False))[slice(split, None)]
        steps = Steps(version.seen // HOUR_S, own.n.shape[1], HOUR_S)
        tested = watch.tested(baseline)
        residuals = watch.residuals(own, baseline, steps, tested)
        log_e = np.maximum.accumulate(mixture(residuals, tested)[0])
        value, usual = self._so_far(subject_, own, baseline, steps)
        alpha = self._rule.alpha / len(self._signals(version.dimension))
        return _Watched(version, subject_, own, baseline, steps, log_e, value, usual, alpha)

    def _columns(self, name: str) -> frozenset[str]:
        return measure_of(signal_named(name)).columns

    def _so_far(self, subject_: Subject, own: Sums, baseline: Baseline, steps: Steps) -> tuple[Floats, Floats]:
        """Value and what is usual from the first hour to each."""
        expected = baseline.expected(steps)
        pairs = [subject_.since(own[slice(0, hour + 1)], expected[:, : hour + 1], 0) for hour in range(own.n.shape[1])]
        return np.array([value for value, _ in pairs]), np.array([usual for _, usual in pairs])

    def _status(self, one: _Watched, place: int) -> Status:
        signal = one.subject.signal
        enough = float(one.own.n[0, : place + 1].sum()) >= self._rule.min_samples
        off = one.value[place] - one.usual[place]
        off = {"up": off, "down": -off, "both": abs(off)}[signal.worse]
        guard = off >= signal.min_absolute and off >= signal.min_relative * abs(one.usual[place])
        proven = one.log_e[place] >= -np.log(one.alpha)
        if proven and guard and enough:
            return Status.BREACH
        return Status.HOLD if proven else Status.OK

    def _words(self, one: _Watched, at: int) -> Words:
        place = min((at - one.version.seen) // HOUR_S - 1, one.log_e.size - 1)
        value, usual = float(one.value[place]), float(one.usual[place])
        signal, version = one.subject.signal, one.version
        what = subject(signal, {version.dimension: version.value})
        n = float(one.own.n[0, : place + 1].sum())
        return Words(
            f"{what} {be(signal)} {shown(value, signal.unit)} since it appeared ({clock(version.seen)}), where "
            f"{shown(usual, signal.unit)} is usual of the others.",
            {
                "Samples": f"{n:,.0f}",
                "Difference": interval(value - usual, value - usual, signal.unit).split(" to ")[0],
                "E-value": f"{np.exp(min(one.log_e[place], 700.0)):,.0f}; an alarm needs {1 / one.alpha:,.0f}",
            },
            value,
            usual,
        )


def _is_peer(dimension: Dimension, version: str, other: str) -> bool:
    """Whether another value is what a new one is measured against: of a prompt, another version of the same."""
    if other == version or other == "" or other.startswith("("):
        return False
    return dimension != "prompt" or version.split("@")[0] == other.split("@")[0]
