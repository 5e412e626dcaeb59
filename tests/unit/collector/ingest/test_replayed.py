"""Records that were refused and written once more: what of them is stored already, and who is counted."""

import pyarrow as pa

from spanwise_collector.ingest.replayed import AlsoSeen, stored_among
from spanwise_collector.store.database import Database
from spanwise_schemas.wire import Envelope
from tests.support.otlp import TRACE, record, rows, span, traces, transform, transformer

REPLAYED = ("spanwise-replayed", b"spanwise_rejects:0:4")


def test_only_replayed_records_of_spans_are_looked_up() -> None:
    """Their readable spans, also of a record that is broken in part; not other records, logs or unreadable ones."""
    mixed = traces(span(span_id=b"span-one"), span(span_id=b"span-two", trace_id=b"short"))
    records = [
        record(mixed, headers=[REPLAYED]),
        record(traces(span(span_id=b"not-this"))),
        record(b"broken", headers=[REPLAYED]),
        record(None, headers=[REPLAYED]),
        record(b"logs", topic="otlp_logs", headers=[REPLAYED]),
    ]

    assert transformer().ids_of_replayed(records) == {TRACE + b"span-one", b"shortspan-two"}


def test_a_replay_is_no_new_record_of_its_producer() -> None:
    """Its producer has been booked when the record was refused: the sequence stays, and nothing seems to be missing.

    What is refused again still names the producer, and counts the items that the producer told.
    """
    own = Envelope("p1", 4, 7, 2).to_headers()

    batch = transform(record(traces(span()), headers=[*own, REPLAYED]), record(b"broken", headers=[*own, REPLAYED]))

    assert rows(batch, "producers") == []
    assert [(row["producer"], row["n_items"]) for row in rows(batch, "ingest_rejects")] == [("p1", 7)]
    assert (batch.spans, batch.rejected) == (1, 7)


def test_the_rest_of_a_partly_refused_record_is_stored_beside_what_was() -> None:
    """Spans that are stored are dropped as duplicates; the one that was refused is stored now."""
    stored, missing = span(span_id=b"span-one"), span(span_id=b"span-two")

    batch = transformer().transform(
        [record(traces(stored, missing), headers=[REPLAYED])], AlsoSeen(frozenset(), {TRACE + b"span-one"})
    )

    assert ([row["span_id"] for row in rows(batch, "spans")], batch.duplicates) == ([b"span-two"], 1)


def test_the_store_is_asked_for_earlier_offsets_of_the_partition(database: Database) -> None:
    """And for what came from a topic of the same name that is gone: the answer depends on the log alone."""
    places = [("t/new", 1, 5), ("t/new", 1, 10), ("t/new", 0, 5), ("t/old", 1, 99), ("other/x", 1, 5)]
    ids = [bytes([number]) * 24 for number in range(1, len(places) + 1)]
    database.insert(
        "spans",
        pa.RecordBatch.from_pydict(
            {
                "trace_id": pa.array([one[:16] for one in ids], pa.binary(16)),
                "span_id": pa.array([one[16:] for one in ids], pa.binary(8)),
                "start_time": pa.array([1_795_348_800_000_000] * len(ids), pa.timestamp("us", tz="UTC")),
                "ktopic": pa.array([place[0] for place in places], pa.string()),
                "kpart": pa.array([place[1] for place in places], pa.uint16()),
                "koff": pa.array([place[2] for place in places], pa.uint64()),
            }
        ),
        token="replayed",
    )
    same_trace = ids[0][:16] + b"unstored"

    found = stored_among(database)("t/new", 1, 10, {*ids, same_trace, b"short"})

    assert set(found) == {ids[0], ids[3]}
