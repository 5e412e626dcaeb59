"""The audit finds what is missing, doubled or unnoted, and nothing where all is well."""

from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spanwise_collector.query.audit import get_audit
from spanwise_collector.query.sequences import MISSING, missing_ranges
from spanwise_collector.query.values import micros
from spanwise_collector.query.window import HOUR, Window
from spanwise_collector.store.database import Database
from spanwise_schemas.api import PartitionState
from spanwise_schemas.api_audit import Audit, OffsetRange
from tests.support.rows import T0, Span
from tests.support.sql_evals import arrived

NOW = micros(T0) + HOUR
WINDOW = Window(micros(T0) - HOUR, NOW)
PRODUCER = (
    "INSERT INTO producers (producer, project_id, service, n_records, n_spans, max_seq, dropped, first_ts, last_ts) "
    "SELECT {id:String}, 'default', 'api', {records:UInt64}, {records:UInt64}, {seq:UInt64}, {dropped:UInt64}, "
    "fromUnixTimestamp64Milli({at:Int64}), fromUnixTimestamp64Milli({at:Int64})"
)


def audited(database: Database, *partitions: PartitionState) -> Audit:
    """The audit of the hour before and after T0."""
    return get_audit(database, WINDOW, partitions, now_us=NOW, retention_days=30)


def batch(database: Database, first: int, count: int, *, at: float = 0.0) -> None:
    """A batch of spans as ingest stores it, with the ledger's row."""
    spans = [Span(trace=first + at_ + 1, span=first + at_ + 1) for at_ in range(count)]
    arrived(database, spans, first=first, stored=T0 + timedelta(seconds=at))
    database.command(
        "ALTER TABLE ingest_ledger UPDATE last_record_ts = ts, first_record_ts = ts, n_records = n_spans WHERE 1 "
        "SETTINGS mutations_sync = 2"
    )


def produced(database: Database, name: str, *, records: int, seq: int, dropped: int = 0) -> None:
    """What a producer said of itself."""
    at = micros(T0) // 1000
    database.command(PRODUCER, {"id": name, "records": records, "seq": seq, "dropped": dropped, "at": at})


def test_nothing_is_wrong_with_nothing(database: Database) -> None:
    """An empty store has no problems."""
    found = audited(database)

    assert (found.problems, found.partitions, found.producers_total, found.waiting) == ([], [], 0, None)


def test_everything_is_accounted_for(database: Database) -> None:
    """Batches that follow each other, whose spans are there, of producers without gaps."""
    batch(database, 0, 5)
    batch(database, 5, 3, at=1)
    produced(database, "p", records=8, seq=7, dropped=2)
    state = PartitionState(topic="otlp_spans", partition=0, next_offset=8, end_offset=9, lag=1)

    found = audited(database, state)

    assert found.problems == []
    (one,) = found.partitions
    assert (one.topic, one.topic_id, one.partition) == ("otlp_spans", "topic-1", 0)
    assert (one.first_offset, one.last_offset, one.batches, one.records, one.spans) == (0, 7, 2, 8, 8)
    assert (one.next_offset, one.end_offset) == (8, 9)
    assert (found.emitted, found.stored, found.dropped, found.waiting, found.producers_total) == (8, 8, 2, 1, 1)
    assert [(two.producer, two.dropped, two.missing_records) for two in found.producers] == [("p", 2, 0)]


def test_a_gap_is_found_with_its_offsets(database: Database) -> None:
    """Also where the batch before it is older than the time range."""
    batch(database, 0, 5, at=-3 * 3600)
    batch(database, 9, 3)

    found = audited(database)

    assert found.partitions[0].missing == [OffsetRange(first=5, last=8)]
    assert found.problems == ["otlp_spans/0: offsets 5 to 8 were never stored (4 records)"]


def test_batches_that_overlap_are_found(database: Database) -> None:
    """What two batches cover may have been counted twice."""
    batch(database, 0, 5)
    batch(database, 3, 4, at=1)

    found = audited(database)

    assert found.partitions[0].repeated == [OffsetRange(first=3, last=4)]
    assert "otlp_spans/0: offsets 3 to 4 were stored by two batches" in found.problems


def test_a_batch_without_rows_is_found(database: Database) -> None:
    """The ledger has it, the table does not: a block was lost. One that is old enough to have expired is none."""
    batch(database, 0, 5)
    batch(database, 5, 4, at=1)
    database.command("DELETE FROM spans WHERE koff >= 5")

    found = audited(database)
    later = get_audit(database, WINDOW, (), now_us=NOW + 31 * 24 * HOUR, retention_days=30)

    assert found.partitions[0].empty == [OffsetRange(first=5, last=8, detail="0 rows of 4 spans")]
    assert found.problems == ["otlp_spans/0: offsets 5 to 8 are in the ledger, but not in the tables"]
    assert later.problems == []


def test_spans_that_were_sent_again_are_no_loss(database: Database) -> None:
    """A span that comes once more replaces the one of before: its first batch has fewer rows then."""
    batch(database, 0, 5)
    spans = [Span(trace=at + 1, span=at + 1) for at in range(3)]
    arrived(database, spans, first=5, stored=T0 + timedelta(seconds=1))
    database.command("OPTIMIZE TABLE spans FINAL")

    assert audited(database).problems == []


def test_more_rows_than_arrived_are_found(database: Database) -> None:
    """Something was inserted twice under other ids, or the ledger is wrong."""
    batch(database, 0, 5)
    database.command("ALTER TABLE ingest_ledger UPDATE n_spans = 4 WHERE 1 SETTINGS mutations_sync = 2")

    assert audited(database).problems == ["otlp_spans/0: the tables have more spans of offsets 0 to 4 than arrived"]


@pytest.mark.parametrize(("noted", "problems"), [(3, 0), (2, 1)])
def test_rejects_are_noted_one_by_one(database: Database, noted: int, problems: int) -> None:
    """As many as the ledger says; those of other offsets do not count."""
    batch(database, 0, 5)
    database.command("ALTER TABLE ingest_ledger UPDATE n_rejected = 3 WHERE 1 SETTINGS mutations_sync = 2")
    for offset, items in ((2, noted - 1), (4, 1), (99, 7)):
        database.command(
            "INSERT INTO ingest_rejects (topic, topic_id, part, off, reason, n_items, record_ts) VALUES "
            f"('otlp_spans', 'topic-1', 0, {offset}, 'why', {items}, '2026-03-10 12:00:00')"
        )

    found = audited(database)

    assert (found.partitions[0].rejects_noted, len(found.problems)) == (noted, problems)


def test_producers_with_gaps_are_named(database: Database) -> None:
    """Records are numbered from 0: 10 records up to number 12 are 3 too few."""
    produced(database, "whole", records=5, seq=4)
    produced(database, "torn", records=10, seq=12)

    found = audited(database)

    assert [(one.producer, one.missing_records) for one in found.producers] == [("torn", 3)]
    assert found.problems == ["producer torn (api): 3 of its records 0 to 12 never arrived, or not yet"]


def numbered(database: Database, name: str, numbers: list[int]) -> None:
    """Records of a producer that arrived, in batches of three; whatever is twice was sent again."""
    at = micros(T0) // 1000
    for start in range(0, len(numbers), 3):
        some = numbers[start : start + 3]
        database.command(
            "INSERT INTO producers "
            "(producer, project_id, service, n_records, n_spans, max_seq, first_ts, last_ts, seq_list) "
            "SELECT {id:String}, 'default', 'api', {n:UInt64}, {n:UInt64}, {seq:UInt64}, "
            "fromUnixTimestamp64Milli({at:Int64}), fromUnixTimestamp64Milli({at:Int64}), {seqs:Array(UInt64)}",
            {"id": name, "n": len(some), "seq": max(some), "at": at, "seqs": some},
        )


def test_missing_numbers_are_named_also_when_others_were_sent_again(database: Database) -> None:
    """A record that arrives twice does not stand for one that is missing."""
    numbered(database, "torn", [0, 1, 1, 2, 6, 6, 6, 9])
    numbered(database, "late", [2, 3])

    found = audited(database)

    assert found.problems == [
        "producer torn (api): 5 of its records 0 to 9 never arrived, or not yet: 3 to 5, 7 to 8",
        "producer late (api): 2 of its records 0 to 3 never arrived, or not yet: 0 to 1",
    ]
    assert [[(gap.first, gap.last) for gap in one.missing] for one in found.producers] == [[(3, 5), (7, 8)], [(0, 1)]]


def test_numbers_that_an_older_version_stored_are_counted_and_not_called_missing(database: Database) -> None:
    """Of records 0 to 9 nobody has noted which arrived; what is missing since is named."""
    produced(database, "old", records=10, seq=9)
    numbered(database, "old", [10, 11, 14])

    found = audited(database)

    assert found.problems == ["producer old (api): 2 of its records 0 to 14 never arrived, or not yet: 12 to 13"]


@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(numbers=st.lists(st.integers(0, 30), min_size=1, max_size=25))
def test_named_ranges_are_what_is_missing(database: Database, numbers: list[int]) -> None:
    """Whatever arrives, in whichever order and however often."""
    name = uuid4().hex
    numbered(database, name, numbers)
    missing = sorted(set(range(max(numbers))) - set(numbers))

    ranges = missing_ranges(lambda sql, more: database.query(sql, more).rows, [name])[name]
    count = database.query(f"SELECT {MISSING} FROM producers WHERE producer = {{p:String}}", {"p": name}).rows[0][0]

    assert [number for first, last in ranges for number in range(first, last + 1)] == missing
    assert count == len(missing)
    assert all(later[0] > earlier[1] + 1 for earlier, later in pairwise(ranges))
