"""Reconciling the ledger: offsets without a batch, batches without rows, producers whose numbers have gaps.

What holds when nothing is wrong: the batches of a partition follow each other without a gap and without an overlap; the
spans of a batch are one block, so that all of them are in the table or none, but for those that an erasure or a
project's retention removed; what is rejected is noted one by one; the
records of a producer are numbered without gaps. Spans that were sent again replace those of before, so a batch may
have fewer rows than spans, but not none.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from spanwise_collector.query.sequences import MISSING, missing_ranges
from spanwise_collector.query.values import time_of
from spanwise_collector.query.window import Window
from spanwise_collector.store.database import Reader
from spanwise_schemas.api import PartitionState
from spanwise_schemas.api_audit import Audit, AuditPartition, AuditProducer, OffsetRange

MAX_RANGES: Final = 100
"""Ranges of a sort and partition that are listed."""
MAX_PRODUCERS: Final = 200
NAMED_RANGES: Final = 10
"""Ranges of a producer's numbers that a problem names; the answer has more."""
Key = tuple[str, str, int]
_LEDGER: Final = "(SELECT * FROM ingest_ledger LIMIT 1 BY topic, topic_id, part, off_from)"
"""One row per batch: a repair may have written one twice."""
_BETWEEN: Final = (
    "ts >= fromUnixTimestamp64Milli({start:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({end:Int64}, 'UTC')"
)


def get_audit(
    reader: Reader,
    window: Window,
    partitions: Sequence[PartitionState],
    *,
    now_us: int,
    retention_days: int,
    timeout_s: float = 30.0,
) -> Audit:
    """Reconcile what was stored in a time range.

    Args:
        reader: the store.
        window: batches that were stored in it, producers that were active in it.
        partitions: as this collector's ingest sees them; empty where it runs elsewhere.
        now_us: current time.
        retention_days: after so many spans expire; batches as old are not looked for.
        timeout_s: for each query.

    Raises:
        StoreError: see `Reader.query`.
    """
    young = max(window.start, now_us - (retention_days - 1) * 86_400_000_000)
    parameters: dict[str, object] = {
        "start": window.start // 1000,
        "end": window.end // 1000,
        "young": young // 1000,
    }

    def ask(sql: str) -> list[dict[str, Any]]:
        return list(reader.query(sql, parameters, timeout_s=timeout_s).dicts())

    breaks, blocks = ask(_BREAKS), ask(_BLOCKS)
    states = {(one.topic, one.partition): one for one in partitions}
    found = [_partition(row, breaks, blocks, states) for row in ask(_SUMS)]
    producers = ask(_PRODUCERS)
    totals = producers[0] if producers else {"n_all": 0, "lost": 0}
    torn = [row["producer"] for row in producers if row["missing"]]
    numbers = missing_ranges(lambda sql, more: reader.query(sql, more, timeout_s=timeout_s).rows, torn)
    uneven = [_producer(row, numbers.get(row["producer"], [])) for row in producers if row["missing"] or row["dropped"]]
    audit = Audit(
        start=time_of(window.start),
        end=time_of(window.end),
        partitions=found,
        producers=uneven,
        producers_total=totals["n_all"],
        emitted=sum(
            one.spans + one.scores + one.contents + one.rejected + one.duplicates + one.erased for one in found
        ),
        stored=sum(one.spans + one.scores + one.contents for one in found),
        rejected=sum(one.rejected for one in found),
        duplicates=sum(one.duplicates for one in found),
        erased=sum(one.erased for one in found),
        dropped=totals["lost"],
        waiting=_waiting(partitions),
        problems=[],
    )
    return audit.model_copy(update={"problems": problems_of(audit)})


def problems_of(audit: Audit) -> list[str]:
    """What is not accounted for, in words; nothing when all is well. Pure."""
    told: list[str] = []
    for one in audit.partitions:
        where = f"{one.topic}/{one.partition}"
        told += [f"{where}: offsets {_span(gap)} were never stored ({_size(gap):,} records)" for gap in one.missing]
        told += [f"{where}: offsets {_span(gap)} were stored by two batches" for gap in one.repeated]
        told += [f"{where}: offsets {_span(gap)} are in the ledger, but not in the tables" for gap in one.empty]
        told += [f"{where}: the tables have more spans of offsets {_span(gap)} than arrived" for gap in one.surplus]
        if one.rejected != one.rejects_noted:
            told.append(f"{where}: {one.rejected:,} items were rejected, and {one.rejects_noted:,} are noted")
    for producer in audit.producers:
        if producer.missing_records:
            told.append(
                f"producer {producer.producer} ({producer.service or producer.project}): {producer.missing_records:,} "
                f"of its records 0 to {producer.last_sequence:,} never arrived, or not yet{_numbers(producer)}"
            )
    return told


_SUMS: Final = f"""
SELECT topic, topic_id, part, min(off_from) AS first, max(off_to) AS last, count() AS batches,
  sum(n_records) AS records, sum(n_spans) AS spans, sum(n_scores) AS scores, sum(n_contents) AS contents,
  sum(n_rejected) AS rejected, sum(n_duplicates) AS duplicates, sum(n_erased) AS erased, any(noted) AS noted
FROM {_LEDGER} AS l
LEFT JOIN (
  SELECT topic, topic_id, part, sum(n_items) AS noted FROM ingest_rejects AS r
  ASOF INNER JOIN (SELECT topic, topic_id, part, off_from, off_to FROM {_LEDGER} WHERE {_BETWEEN}) AS b
    ON r.topic = b.topic AND r.topic_id = b.topic_id AND r.part = b.part AND r.off >= b.off_from
  WHERE r.off <= b.off_to GROUP BY topic, topic_id, part
) AS n USING (topic, topic_id, part)
WHERE {_BETWEEN} GROUP BY topic, topic_id, part ORDER BY topic, part, topic_id
"""
_BREAKS: Final = f"""
SELECT topic, topic_id, part, before, off_from FROM (
  SELECT topic, topic_id, part, off_from, ts, row_number() OVER w AS n,
    toInt64(max(off_to) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS before
  FROM {_LEDGER} WINDOW w AS (PARTITION BY topic, topic_id, part ORDER BY off_from)
) WHERE n > 1 AND toInt64(off_from) != before + 1 AND {_BETWEEN} ORDER BY topic, topic_id, part, off_from
"""
_BLOCKS: Final = f"""
WITH b AS (
  SELECT concat(topic, '/', topic_id) AS ktopic, topic, topic_id, part AS kpart, off_from, off_to, n_spans
  FROM {_LEDGER} WHERE {_BETWEEN} AND last_record_ts >= fromUnixTimestamp64Milli({{young:Int64}}, 'UTC')
)
SELECT topic, topic_id, kpart AS part, off_from, off_to, n_spans, stored FROM b LEFT JOIN (
  SELECT r.ktopic AS ktopic, r.kpart AS kpart, b.off_from AS off_from, sum(r.n_spans) AS removed
  FROM removed_offsets AS r
  ASOF INNER JOIN b ON r.ktopic = b.ktopic AND r.kpart = b.kpart AND r.koff >= b.off_from
  WHERE r.koff <= b.off_to GROUP BY ktopic, kpart, off_from
) AS gone USING (ktopic, kpart, off_from) LEFT JOIN (
  SELECT ktopic, kpart, off_from, sum(n) AS stored FROM (
    SELECT ktopic, kpart, koff, uniqExact(project_id, trace_id, span_id) AS n FROM spans
    WHERE (ktopic, kpart) IN (SELECT ktopic, kpart FROM b) AND koff >= (SELECT min(off_from) FROM b)
      AND koff <= (SELECT max(off_to) FROM b)
    GROUP BY ktopic, kpart, koff
  ) AS s ASOF INNER JOIN b ON s.ktopic = b.ktopic AND s.kpart = b.kpart AND s.koff >= b.off_from
  WHERE s.koff <= b.off_to GROUP BY ktopic, kpart, off_from
) AS t USING (ktopic, kpart, off_from)
WHERE (n_spans > 0 AND stored = 0 AND removed = 0) OR stored > n_spans ORDER BY topic, topic_id, part, off_from
"""
_PRODUCERS: Final = f"""
SELECT producer, project, service_name, records, last_sequence, dropped, last, missing,
  count() OVER () AS n_all, sum(dropped) OVER () AS lost
FROM (
  SELECT producer, max(project_id) AS project, max(service) AS service_name, sum(n_records) AS records,
    max(max_seq) AS last_sequence, {MISSING} AS missing, max(p.dropped) AS dropped,
    min(toUnixTimestamp64Milli(first_ts)) AS began,
    max(toUnixTimestamp64Milli(last_ts)) AS last
  FROM producers AS p WHERE producer != '' GROUP BY producer
) WHERE last >= {{start:Int64}} AND began < {{end:Int64}} ORDER BY missing DESC, dropped DESC, producer
LIMIT {MAX_PRODUCERS}
"""


def _partition(
    row: Mapping[str, Any],
    breaks: Sequence[Mapping[str, Any]],
    blocks: Sequence[Mapping[str, Any]],
    states: Mapping[tuple[str, int], PartitionState],
) -> AuditPartition:
    key = _key(row)
    sorts: dict[str, list[OffsetRange]] = defaultdict(list)
    for one in breaks:
        if _key(one) == key:
            before, begins = int(one["before"]), int(one["off_from"])
            sort, first, last = ("missing", before + 1, begins - 1) if begins > before else ("repeated", begins, before)
            sorts[sort].append(OffsetRange(first=first, last=last))
    for one in blocks:
        if _key(one) == key:
            detail = f"{one['stored']:,} rows of {one['n_spans']:,} spans"
            sorts["surplus" if one["stored"] else "empty"].append(
                OffsetRange(first=one["off_from"], last=one["off_to"], detail=detail)
            )
    state = states.get((row["topic"], row["part"]))
    return AuditPartition(
        topic=row["topic"],
        topic_id=row["topic_id"],
        partition=row["part"],
        first_offset=row["first"],
        last_offset=row["last"],
        batches=row["batches"],
        records=row["records"],
        spans=row["spans"],
        scores=row["scores"],
        contents=row["contents"],
        rejected=row["rejected"],
        duplicates=row["duplicates"],
        erased=row["erased"],
        rejects_noted=row["noted"],
        missing=sorts["missing"][:MAX_RANGES],
        repeated=sorts["repeated"][:MAX_RANGES],
        empty=sorts["empty"][:MAX_RANGES],
        surplus=sorts["surplus"][:MAX_RANGES],
        next_offset=state.next_offset if state else None,
        end_offset=state.end_offset if state else None,
    )


def _producer(row: Mapping[str, Any], numbers: Sequence[tuple[int, int]]) -> AuditProducer:
    return AuditProducer(
        producer=row["producer"],
        project=row["project"],
        service=row["service_name"],
        records=row["records"],
        last_sequence=row["last_sequence"],
        missing_records=row["missing"],
        missing=[OffsetRange(first=first, last=last) for first, last in numbers] if row["missing"] else [],
        dropped=row["dropped"],
        last_seen=time_of(row["last"] * 1000),
    )


def _key(row: Mapping[str, Any]) -> Key:
    return row["topic"], row["topic_id"], row["part"]


def _waiting(partitions: Sequence[PartitionState]) -> int | None:
    lags = [one.lag for one in partitions]
    return sum(lag for lag in lags if lag is not None) if lags and None not in lags else None


def _numbers(producer: AuditProducer) -> str:
    """Which, as far as a sentence takes them."""
    if not producer.missing:
        return ""
    more = len(producer.missing) - NAMED_RANGES
    named = ", ".join(_span(gap) for gap in producer.missing[:NAMED_RANGES])
    return f": {named}{f' and {more:,} more ranges' if more > 0 else ''}"


def _span(gap: OffsetRange) -> str:
    return f"{gap.first:,}" if gap.first == gap.last else f"{gap.first:,} to {gap.last:,}"


def _size(gap: OffsetRange) -> int:
    return gap.last - gap.first + 1
