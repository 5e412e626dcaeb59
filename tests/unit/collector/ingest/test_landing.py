"""Storing one batch: order, tokens, what is left out, and what a refused record carries."""

from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from spanwise_collector.ingest.accounts import Rejection
from spanwise_collector.ingest.draft import Batch
from spanwise_collector.ingest.landing import Landed, Lander, Refused, Work, to_reject
from spanwise_collector.ingest.ledger import LEDGER_TABLE, Counts, Range
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.source import Partition, Reject, TransientSourceError
from spanwise_collector.ingest.steps import Step
from spanwise_collector.store.errors import PermanentStoreError
from tests.support.fake_log import FakeLog, FakeRejects, unanswered

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Journal:
    """A store that notes its inserts, and refuses some values."""

    def __init__(self, refused: dict[str, set[int]] | None = None) -> None:
        self.inserts: list[tuple[str, str, int]] = []
        self.rows: dict[str, list[dict[str, object]]] = {}
        self._refused = refused or {}

    def insert(self, table: str, rows: pa.RecordBatch, *, token: str) -> None:
        """See `Database.insert`."""
        found = rows.to_pylist()
        if any(row.get("n") in self._refused.get(table, set()) for row in found):
            raise PermanentStoreError("it does not fit")
        self.inserts.append((table, token, rows.num_rows))
        self.rows.setdefault(table, []).extend(found)


def record(offset: int) -> Record:
    """A record with one header."""
    return Record("t", "id", 0, offset, 1_000 + offset, b"key", b"value", (("h", b"1"), ("empty", None)))


def work(offsets: list[int], rows: int = 4, *, rejections: list[Rejection] | None = None) -> Work:
    """A batch with `rows` rows in spans and in span_io, spread over the records."""
    spans = pa.RecordBatch.from_pylist(
        [
            {"trace_id": b"t", "span_id": bytes([n]), "koff": offsets[n * len(offsets) // rows], "n": n}
            for n in range(rows)
        ]
    )
    batch = Batch(
        tables={"spans": spans, "span_io": spans.select(["trace_id", "span_id", "n"])},
        rejections=rejections or [],
        spans=rows,
        scores=0,
        contents=0,
        rejected=sum(one.items for one in rejections or []),
        duplicates=1,
        warnings=0,
        bytes=10,
        span_ids=[bytes([n]) for n in range(rows)],
    )
    return Work(Range(Partition("t", 0), "id", offsets[0], offsets[-1]), [record(offset) for offset in offsets], batch)


def lander(store: Journal, log: FakeLog, steps: list[Step] | None = None, sink: FakeRejects | None = None) -> Lander:
    """A lander with fixed times."""
    return Lander(
        store,
        sink or FakeRejects(log),
        code_version="7.7",
        clock=lambda: 0.0,
        now=lambda: NOW,
        on_step=(steps if steps is not None else []).append,
    )


def test_tables_then_ledger_then_rejects() -> None:
    """The order is the guarantee, and every token names the topic's id, the partition, the offsets and the table."""
    store, log, steps = Journal(), FakeLog(), list[Step]()
    rejection = Rejection(record(5), "bad", "because", 1)

    outcome = lander(store, log, steps).land(work([4, 5], rejections=[rejection]))

    assert outcome == Landed(
        Counts(spans=4, scores=0, contents=0, rejected=1, duplicates=1, warnings=0, bytes=10), 0, 0.0
    )
    assert store.inserts == [
        ("spans", "id:0:4-5:spans", 4),
        ("span_io", "id:0:4-5:span_io", 4),
        (LEDGER_TABLE, "id:0:4-5:ingest_ledger", 1),
    ]
    assert steps == [
        *(Step.INSERTING, Step.INSERTED) * 2,
        Step.RECORDED,
        Step.PUBLISHED,
    ]
    assert log.rejects == [to_reject(rejection, code_version="7.7")]


def test_the_ledger_says_what_became_of_the_offsets() -> None:
    """One row, with the number of records counted and not computed: offsets without a record may lie between."""
    store = Journal()

    lander(store, FakeLog()).land(work([4, 9]))

    assert store.rows[LEDGER_TABLE] == [
        {
            "topic": "t",
            "topic_id": "id",
            "part": 0,
            "off_from": 4,
            "off_to": 9,
            "n_records": 2,
            "n_spans": 4,
            "n_scores": 0,
            "n_contents": 0,
            "n_rejected": 0,
            "n_duplicates": 1,
            "n_warnings": 0,
            "bytes": 10,
            "first_record_ts": datetime(1970, 1, 1, 0, 0, 1, 4_000, UTC),
            "last_record_ts": datetime(1970, 1, 1, 0, 0, 1, 9_000, UTC),
            "code_version": "7.7",
            "ts": NOW,
            "n_erased": 0,
            "erasures": 0,
        }
    ]


def test_a_refused_first_table_of_several_records_has_landed_nowhere() -> None:
    """The loop can pin a smaller batch: nothing was inserted."""
    store = Journal({"spans": {2}})

    outcome = lander(store, FakeLog()).land(work([4, 5]))

    assert isinstance(outcome, Refused)
    assert store.inserts == []


def test_of_one_record_only_the_refused_rows_are_left_out() -> None:
    """By halves, under tokens that depend on the rows alone; the record is published with the reason."""
    store, log = Journal({"spans": {2}}), FakeLog()

    outcome = lander(store, log).land(work([4]))

    assert outcome == Landed(
        Counts(spans=3, scores=0, contents=0, rejected=1, duplicates=1, warnings=0, bytes=10), 1, 0.0
    )
    assert store.inserts[:3] == [
        ("spans", "id:0:4-4:spans:0-1", 2),
        ("spans", "id:0:4-4:spans:3-3", 1),
        ("span_io", "id:0:4-4:span_io", 4),
    ]
    assert [dict(reject.headers)["spanwise-reject-reason"] for reject in log.rejects] == [b"refused_by_store"]


def test_a_refused_body_costs_the_body_and_not_the_span() -> None:
    """It is flagged, and published with the record that its span came from."""
    store, log = Journal({"span_io": {3}}), FakeLog()

    outcome = lander(store, log).land(work([4, 5]))

    assert outcome == Landed(
        Counts(spans=4, scores=0, contents=0, rejected=0, duplicates=1, warnings=1, bytes=10), 0, 0.0
    )
    assert [dict(reject.headers)["spanwise-reject-offset"] for reject in log.rejects] == [b"5"]


def test_a_refused_score_is_an_item_only_where_no_span_carries_it() -> None:
    """Emitted = stored + rejected + duplicates holds in both cases; what a span carried is flagged, and published."""
    store, log = Journal({"scores": {0, 2}}), FakeLog()
    batch = work([4])
    scores = pa.RecordBatch.from_pylist(
        [{"trace_id": b"t", "span_id": bytes([n]), "n": n} for n in range(3)]  # the first two are carried
    )
    batch.batch = replace(
        batch.batch,
        tables={**batch.batch.tables, "scores": scores},
        scores=1,
        carried_scores=frozenset({0, 1}),
    )

    outcome = lander(store, log).land(batch)

    assert outcome == Landed(
        Counts(spans=4, scores=0, contents=0, rejected=1, duplicates=1, warnings=1, bytes=10), 1, 0.0
    )
    assert [(dict(one.headers)["spanwise-reject-items"], one.key) for one in log.rejects] == [(b"1", b"key")]
    assert [row["n"] for row in store.rows["scores"]] == [1]


def test_a_second_attempt_sends_only_what_is_missing() -> None:
    """Tables that were answered are not sent again; what was published may be published twice."""
    store, log = Journal(), FakeLog()
    rejection = Rejection(record(4), "bad", "because", 1)
    batch = work([4], rejections=[rejection])
    landing = lander(store, log, sink=FakeRejects(log, fault=unanswered("published already")))

    with pytest.raises(TransientSourceError):
        landing.land(batch)
    landing.land(batch)

    assert [table for table, _, _ in store.inserts] == ["spans", "span_io", LEDGER_TABLE, LEDGER_TABLE]
    assert len(log.rejects) == 2


def test_a_reject_carries_the_original_and_where_it_lay() -> None:
    """Key, value and headers as they were, and what a person needs to find and judge it."""
    assert to_reject(Rejection(record(4), "bad", "because", 3), code_version="7.7") == Reject(
        key=b"key",
        value=b"value",
        headers=(
            ("h", b"1"),
            ("spanwise-reject-topic", b"t"),
            ("spanwise-reject-topic-id", b"id"),
            ("spanwise-reject-partition", b"0"),
            ("spanwise-reject-offset", b"4"),
            ("spanwise-reject-timestamp-ms", b"1004"),
            ("spanwise-reject-reason", b"bad"),
            ("spanwise-reject-detail", b"because"),
            ("spanwise-reject-items", b"3"),
            ("spanwise-reject-code-version", b"7.7"),
        ),
    )
