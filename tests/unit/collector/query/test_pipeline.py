"""The pipeline's figures come from the ledger, the producers and the rejects."""

from datetime import timedelta

from spanwise_collector.query.pipeline import get_pipeline
from spanwise_collector.query.values import micros
from spanwise_collector.query.window import HOUR, MINUTE, Window
from spanwise_collector.store.database import Database
from spanwise_schemas.api import PartitionState, PipelineTotals, ProducerState, Reject
from tests.support.rows import T0

NOW = micros(T0) + MINUTE
WINDOW = Window(micros(T0) - HOUR, NOW)
LEDGER = (
    "INSERT INTO ingest_ledger (topic, topic_id, part, off_from, off_to, n_records, n_spans, n_scores, n_rejected, "
    "n_duplicates, "
    "n_warnings, bytes, first_record_ts, last_record_ts, ts) SELECT {topic:String}, 'id', 0, {off:UInt64}, "
    "{off:UInt64} + 9, 10, "
    "{spans:UInt64}, 2, 3, 4, 5, 1000, fromUnixTimestamp64Milli({first:Int64}), "
    "fromUnixTimestamp64Milli({last:Int64}), "
    "fromUnixTimestamp64Milli({at:Int64})"
)
PRODUCER = (
    "INSERT INTO producers (* EXCEPT (n_erased, seqs, n_numbered)) "
    "SELECT {id:String}, 'default', 'api', 'sdk', {records:UInt64}, {spans:UInt64}, {seq:UInt64}, "
    "{dropped:UInt64}, 1, 2, fromUnixTimestamp64Milli({first:Int64}), fromUnixTimestamp64Milli({last:Int64})"
)
REJECT = (
    "INSERT INTO ingest_rejects SELECT 'otlp_spans', 'id', 0, {off:UInt64}, '', {reason:String}, 'why', "
    "{items:UInt32}, 10, "
    "fromUnixTimestamp64Milli({at:Int64})"
)


def ms(offset: float) -> int:
    """Milliseconds since the epoch, that many seconds after T0."""
    return micros(T0) // 1000 + round(offset * 1000)


def partition(number: int, lag: int | None) -> PartitionState:
    """A partition as ingest reports it."""
    return PartitionState(topic="otlp_spans", partition=number, next_offset=5, lag=lag)


def test_totals_add_up(database: Database) -> None:
    """Emitted is stored, duplicate and rejected; what was dropped at the source is on top; other times are left out."""
    for off, at in ((0, 10.0), (10, 20.0), (20, -7200.0)):
        database.command(
            LEDGER,
            {"topic": "otlp_spans", "off": off, "spans": 100, "first": ms(at - 2), "last": ms(at - 1), "at": ms(at)},
        )
    database.command(
        PRODUCER, {"id": "a", "records": 3, "spans": 50, "seq": 2, "dropped": 6, "first": ms(0), "last": ms(1)}
    )
    database.command(
        PRODUCER, {"id": "a", "records": 1, "spans": 10, "seq": 5, "dropped": 7, "first": ms(2), "last": ms(3)}
    )
    database.command(
        PRODUCER, {"id": "b", "records": 1, "spans": 1, "seq": 0, "dropped": 0, "first": ms(4), "last": ms(9)}
    )
    database.command(
        PRODUCER,
        {"id": "gone", "records": 1, "spans": 1, "seq": 0, "dropped": 9, "first": ms(-9000), "last": ms(-8000)},
    )
    for off, reason, items in ((1, "bad_trace_id", 2), (2, "not_protobuf", 1), (3, "bad_trace_id", 3)):
        database.command(REJECT, {"off": off, "reason": reason, "items": items, "at": ms(off)})
    found = get_pipeline(database, WINDOW, [partition(0, 3), partition(1, 4)], now_us=NOW)
    assert found.totals == PipelineTotals(
        emitted=218, stored=204, scores=4, rejected=6, duplicates=8, dropped=7, warnings=10, lag=7, freshness_ms=1500
    )
    assert found.producers == [
        ProducerState(
            producer="b",
            project="default",
            service="api",
            sdk="sdk",
            emitted=1,
            rejected=1,
            duplicates=2,
            dropped=0,
            missing_records=0,
            first_seen=T0 + timedelta(seconds=4),
            last_seen=T0 + timedelta(seconds=9),
        ),
        ProducerState(
            producer="a",
            project="default",
            service="api",
            sdk="sdk",
            emitted=60,
            rejected=2,
            duplicates=4,
            dropped=7,
            missing_records=2,
            first_seen=T0,
            last_seen=T0 + timedelta(seconds=3),
        ),
    ]
    assert found.rejects == [
        Reject(topic="otlp_spans", reason="bad_trace_id", count=5, last_seen=T0 + timedelta(seconds=3)),
        Reject(topic="otlp_spans", reason="not_protobuf", count=1, last_seen=T0 + timedelta(seconds=2)),
    ]
    assert found.partitions == [partition(0, 3), partition(1, 4)]
    assert {"ingest_ledger", "producers", "ingest_rejects"} <= set(found.tables)
    assert all(size > 0 for size in found.tables.values())


def test_what_is_not_known_is_none(database: Database) -> None:
    """No batch lately: no freshness. No partition here, or a broker that does not answer: no lag."""
    for partitions in ([], [partition(0, 1), partition(1, None)]):
        found = get_pipeline(database, WINDOW, partitions, now_us=NOW)
        assert found.totals == PipelineTotals(
            emitted=0, stored=0, rejected=0, duplicates=0, dropped=0, lag=None, freshness_ms=None
        )
