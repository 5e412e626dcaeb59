"""Compares what a schedule has sent with what is in every table and in the rejects topic."""

from collections import Counter
from typing import Any

from tests.support.ingest_process import gaps
from tests.support.schedules.traffic import Sent
from tests.support.schedules.world import PARTITIONS, World

ROLL_UPS = {
    "trace_agg": "n_spans",
    "metrics_1m": "n",
    "metrics_10m": "n",
    "metrics_1h": "n",
    "metrics_1d": "n",
    "signals_5m": "n",
    "signals_1h": "n",
}
TABLES = ("spans", "span_io", "failures")
LEDGER_SUMS = ("n_records", "n_spans", "n_rejected", "n_duplicates")


def audit(world: World) -> list[str]:
    """What is wrong, in words; empty when every span is stored once, or refused with its record in the rejects.

    Records that Kafka has deleted unread, and of which a collector has said so, may be stored in part. Where their
    producer sent them again, these spans may be there once more, or lack what the first part had not stored; see
    docs/decisions/0003-exactly-once.md.
    """
    announced = world.announced
    sent = [record for record in world.traffic.sent if (record.partition, record.offset) not in announced]
    wanted = Counter(span for record in sent for span in record.spans)
    allowed = set(world.traffic.stored)
    wrong = [
        f"offset {offset} of partition {partition} was said to be deleted, and is not"
        for partition, offset in announced - world.deleted
    ]
    figures = world.bench.figures
    lost: set[bytes] = set()
    doubled: set[bytes] = set()
    gone = {span for record in world.traffic.sent if record not in sent for span in record.spans}
    for table in TABLES:
        found = _spans(world, table)
        missing = wanted.keys() - found.keys() - (gone if table != "spans" else set())
        wrong += [f"{span.hex()} is not in {table}" for span in missing]
        twice = {span for span in found if found[span] > 1} - (gone & wanted.keys())
        wrong += [f"{span.hex()} is {found[span]} times in {table}" for span in twice]
        wrong += [f"{span.hex()} is in {table} and was not sent" for span in found.keys() - allowed]
        lost |= missing
        doubled |= twice
    stored = sum(_spans(world, "spans").values())
    sums = _roll_ups(world)
    wrong += [f"{table} counts {count} of {stored} spans" for table, count in sums.items() if count != stored]
    if any(count > stored for count in sums.values()):
        doubled.add(b"in a roll-up")
    if any(count < stored for count in sums.values()):
        lost.add(b"in a roll-up")
    wrong += _wrong_rejects(world, sent)
    if not announced:
        wrong += _wrong_ledger(world, len(wanted))
    figures.records += len(world.traffic.sent)
    figures.spans += len(allowed)
    figures.rejected += sum(record.refused for record in world.traffic.sent)
    figures.lost += len(lost)
    figures.doubled += len(doubled)
    return wrong


def _spans(world: World, table: str) -> Counter[bytes]:
    rows = world.bench.database.query(
        f"SELECT toFixedString(concat(trace_id, span_id), 24), count() FROM {table} "
        "WHERE project_id = {p:String} GROUP BY ALL",
        {"p": world.project},
    ).rows
    return Counter({bytes(span): int(count) for span, count in rows})


def _roll_ups(world: World) -> dict[str, int]:
    parts = ", ".join(
        f"(SELECT sum({column}) FROM {table} WHERE project_id = {{p:String}})" for table, column in ROLL_UPS.items()
    )
    row = world.bench.database.query(f"SELECT {parts}", {"p": world.project}).rows[0]
    return dict(zip(ROLL_UPS, map(int, row), strict=True))


def _wrong_rejects(world: World, sent: list[Sent]) -> list[str]:
    """Each refused record is in the rejects topic, and once unless something went wrong; and once in its table."""
    found = world.bench.rejected(world.topic, world.rejects_from)
    wanted = {(record.partition, record.offset) for record in sent if record.refused}
    allowed = {(record.partition, record.offset) for record in world.traffic.sent if record.refused}
    wrong = [f"{place} is not among the rejects" for place in wanted - found.keys()]
    wrong += [f"{place} is among the rejects for no reason" for place in found.keys() - allowed]
    repeats = sum(count - 1 for count in found.values())
    world.bench.figures.reject_repeats += repeats
    if repeats and not world.faults:
        wrong.append(f"{repeats} rejects were written again without any fault")
    listed = world.bench.database.query(
        "SELECT part, off, count() FROM ingest_rejects WHERE topic = {t:String} GROUP BY ALL", {"t": world.topic}
    ).rows
    wrong += [f"{row} in ingest_rejects" for row in listed if row[2] != 1 or (row[0], row[1]) not in allowed]
    wrong += [f"{place} is not in ingest_rejects" for place in wanted - {(part, off) for part, off, _ in listed}]
    return wrong


def _wrong_ledger(world: World, stored: int) -> list[str]:
    """Ranges follow each other from the first record to the last, and their counts add up."""
    rows = _ledger(world)
    wrong = gaps([row[:5] for row in rows])
    for partition in range(PARTITIONS):
        records = sum(record.partition == partition for record in world.traffic.sent)
        end = max((row[3] + 1 for row in rows if row[1] == partition), default=0)
        if end != records:
            wrong.append(f"the ledger of partition {partition} ends before {end}, the partition before {records}")
    items = sum(record.items for record in world.traffic.sent)
    refused = sum(record.refused for record in world.traffic.sent)
    sums = dict(zip(LEDGER_SUMS, [sum(row[4 + index] for row in rows) for index in range(4)], strict=True))
    wanted = dict(zip(LEDGER_SUMS, (len(world.traffic.sent), stored, refused, items - refused - stored), strict=True))
    if sums != wanted:
        wrong.append(f"the ledger counts {sums}, not {wanted}")
    told = world.bench.database.query(
        "SELECT sum(n_records) FROM producers WHERE producer = {p:String}", {"p": world.traffic.producer_id}
    ).rows[0][0]
    if told != len(world.traffic.sent):
        wrong.append(f"producers counts {told} of {len(world.traffic.sent)} records")
    return wrong


def _ledger(world: World) -> list[tuple[Any, ...]]:
    return world.bench.database.query(
        "SELECT topic_id, part, off_from, off_to, n_records, n_spans, n_rejected, n_duplicates FROM ingest_ledger "
        "WHERE topic = {t:String} ORDER BY topic_id, part, off_from",
        {"t": world.topic},
    ).rows
