"""Data that was sent and is not there: records that a producer numbered, and offsets that no batch has.

Unlike other evaluators this one sees what is the matter now: of what was missing an hour ago nothing is kept. So a new
rule begins with the present, and the past cannot be tried.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import numpy as np

from spanwise_collector.alerts.evaluate.base import (
    DAY_S,
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
from spanwise_collector.alerts.sentences import clock, plural
from spanwise_collector.alerts.signals import FIVE_MINUTES_S
from spanwise_collector.alerts.state import Restart, series_key
from spanwise_collector.query.sequences import MISSING
from spanwise_schemas.rules import MissingData, duration
from spanwise_schemas.signals import Unit

MAX_PRODUCERS: Final = 500
MAX_BREAKS: Final = 100
LONGEST_SETTLE: Final = timedelta(hours=2)
_UNIT: Final[Unit] = "count"
NAMED: Final = 3
"""Producers and ranges that a sentence or its evidence names."""

_BEHIND: Final = """
SELECT count() FROM ingest_ledger WHERE ts >= toDateTime({tick:UInt32}, 'UTC') - toIntervalMinute(15)
  AND ts - last_record_ts > {settle:UInt32}
"""
_PRODUCERS: Final = f"""
SELECT producer, service_name, missing, last_sequence FROM (
  SELECT producer, max(service) AS service_name, max(project_id) AS project, {MISSING} AS missing,
    max(max_seq) AS last_sequence
  FROM producers WHERE producer IN (
    SELECT producer FROM producers WHERE project_id = {{project:String}} AND producer != ''
      AND last_ts >= toDateTime({{tick:UInt32}}, 'UTC') - toIntervalDay(1)
  ) GROUP BY producer
) WHERE project = {{project:String}} AND missing > 0 ORDER BY missing DESC, producer LIMIT {MAX_PRODUCERS}
"""
_BREAKS: Final = f"""
SELECT topic, topic_id, part, before, toInt64(off_from) AS begins, toUnixTimestamp(ts) AS noticed FROM (
  SELECT topic, topic_id, part, off_from, ts, row_number() OVER w AS n,
    toInt64(max(off_to) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS before
  FROM (
    SELECT * FROM ingest_ledger WHERE ts >= toDateTime({{tick:UInt32}}, 'UTC') - toIntervalHour(25)
      AND ts < toDateTime({{tick:UInt32}}, 'UTC') LIMIT 1 BY topic, topic_id, part, off_from
  ) WINDOW w AS (PARTITION BY topic, topic_id, part ORDER BY off_from)
) WHERE n > 1 AND begins != before + 1 AND ts >= toDateTime({{tick:UInt32}}, 'UTC') - toIntervalDay(1)
ORDER BY noticed, topic, part, begins LIMIT {MAX_BREAKS}
"""
_PLACES: Final = """
SELECT DISTINCT ktopic, kpart FROM spans WHERE project_id = {project:String}
  AND start_time >= toDateTime({tick:UInt32}, 'UTC') - toIntervalDay(2)
"""


@dataclass(slots=True)
class _Series:
    """What is the matter with a service or a partition."""

    names: Mapping[str, str]
    value: int = 0
    began: int = 0
    evidence: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def add(self, count: int, began: int, text: str) -> None:
        """One producer or one range more."""
        self.value += count
        self.began = min(self.began or began, began)
        self.told.append(text)


class MissingEvaluator:
    """See `base.Evaluator`.

    Raises:
        RuleError: records are given longer than two hours to arrive.
    """

    step = FIVE_MINUTES_S
    history = 0
    warmup = 0
    chunk, chunk_offset = DAY_S, 0
    policy = Policy(no_data="ok")

    def __init__(self, rule: MissingData) -> None:
        settle = duration(rule.settle)
        if settle > LONGEST_SETTLE:
            raise RuleError("`settle` of a rule about missing data is two hours at most")
        self._settle = settle // timedelta(seconds=1)
        self._rule = rule

    def needs(self, first: int, last: int, carried: Carried) -> Iterable[Need]:
        """See `base.Evaluator`."""
        return ()

    def run(self, first: int, last: int, data: Data, carried: Carried, restarts: Sequence[Restart]) -> Outcome:
        """See `base.Evaluator`: the last tick is judged, and those before it like it."""
        about: dict[str, object] = {"project": self._rule.project, "tick": last, "settle": self._settle}
        producers: dict[str, Any] = dict(carried.get("producers", {}))
        note = ""
        if data.rows(_BEHIND, about)[0][0]:
            # What is missing may lie in Kafka still.
            note = "Ingest is behind: what is missing is judged when it has caught up."
        else:
            producers = followed(producers, _missing(data, about), last, self._settle)
        found = [*self._services(producers), *self._partitions(data, about)]
        remembered = {"producers": producers}
        if not found:
            return nothing(first, last, FIVE_MINUTES_S, remembered, note)
        ticks = (last - first) // FIVE_MINUTES_S + 1
        shape = (len(found), ticks)
        unknown = blank(*shape)

        def words(series: int, tick: int) -> Words:
            one = found[series]
            return Words(self._sentence(one), one.evidence, float(one.value))

        return Outcome(
            keys=tuple(series_key(one.names) for one in found),
            names=tuple(one.names for one in found),
            first=first,
            step=FIVE_MINUTES_S,
            status=np.full(shape, Status.BREACH, dtype=np.int8),
            value=np.tile(np.array([[float(one.value)] for one in found]), ticks),
            expected=unknown,
            low=unknown,
            high=unknown,
            began=np.tile(np.array([[one.began] for one in found], dtype=np.int64), ticks),
            carried=remembered,
            words=words,
            band=lambda series, tick: None,
            signals=("",) * len(found),
            units=(_UNIT,) * len(found),
            note=note,
        )

    def _services(self, producers: Mapping[str, Any]) -> list[_Series]:
        """Services with producers of which more has gone missing within a day."""
        found: dict[str, _Series] = {}
        for producer, one in producers.items():
            if one["grew"]:
                series = found.setdefault(one["service"], _Series({"service": one["service"]}))
                series.add(one["told"], one["grew"] - self._settle, f"{producer}: {one['told']:,} of {one['sent']:,}")
        for series in found.values():
            series.evidence["Producers"] = _listed(series.told)
        return [found[name] for name in sorted(found)]

    def _partitions(self, data: Data, about: Mapping[str, object]) -> list[_Series]:
        """Partitions that carry the project's spans, of which the ledger misses offsets or has them twice."""
        breaks = data.rows(_BREAKS, about)
        if not breaks:
            return []
        places = {(str(topic), int(part)) for topic, part in data.rows(_PLACES, about)}
        found: dict[str, _Series] = defaultdict(lambda: _Series({}))
        for topic, topic_id, part, before, begins, noticed in breaks:
            if (f"{topic}/{topic_id}", int(part)) not in places:
                continue
            first, last = min(before + 1, begins), max(before, begins - 1)
            what = "were never stored" if begins > before else "were stored by two batches"
            offsets = f"{first:,}" if first == last else f"{first:,} to {last:,}"
            series = found[f"{topic}/{part}"]
            series.names = {"partition": f"{topic}/{part}"}
            series.add(last - first + 1, int(noticed), f"offsets {offsets} {what}")
        for series in found.values():
            series.evidence["Offsets"] = _listed(series.told)
        return [found[name] for name in sorted(found)]

    def _sentence(self, one: _Series) -> str:
        if "partition" in one.names:
            return f"Of {one.names['partition']} {_listed(one.told)} ({plural(one.value, 'record')})."
        return (
            f"{plural(one.value, 'record')} of {one.names['service'] or 'a service without a name'} did not arrive "
            f"within {self._settle // 60} minutes, since {clock(one.began)}."
        )


def followed(
    before: Mapping[str, Any], missing: Mapping[str, tuple[str, int, int]], tick: int, settle: int
) -> dict[str, Any]:
    """What is known of each producer that misses records.

    A record counts when it was missing at each look for `settle` seconds. A loss is told for a day after it grew.

    Args:
        before: what this gave at the tick before.
        missing: of each producer with missing records its service, how many are missing, how many it has sent.
        tick: seconds since the epoch.
        settle: seconds.
    """
    found: dict[str, Any] = {}
    for producer, (service, count, sent) in missing.items():
        known = before.get(producer, {"looks": [], "told": 0, "grew": 0})
        looks = [*known["looks"], [tick, count]]
        old_enough = [place for place, (at, _) in enumerate(looks) if at <= tick - settle]
        told, grew = min(known["told"], count), known["grew"]
        if old_enough:
            looks = looks[old_enough[-1] :]
            settled = min(seen for _, seen in looks)
            if settled > told:
                told, grew = settled, tick
        if grew and tick - grew >= DAY_S:
            grew = 0
        found[producer] = {"service": service, "looks": looks, "told": told, "grew": grew, "sent": sent}
    return found


def _missing(data: Data, about: Mapping[str, object]) -> dict[str, tuple[str, int, int]]:
    rows = data.rows(_PRODUCERS, about)
    return {str(producer): (str(service), int(count), int(last) + 1) for producer, service, count, last in rows}


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - NAMED} more" if len(texts) > NAMED else ""
    return ", ".join(texts[:NAMED]) + more
