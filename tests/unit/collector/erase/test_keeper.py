"""What was on its way when an erasure was asked for goes as well, and nothing looks as if it had been lost."""

from datetime import timedelta
from typing import Final

from spanwise_collector.ingest.erasure_list import StoredErasures
from spanwise_collector.query.audit import get_audit
from spanwise_collector.query.values import micros
from spanwise_collector.query.window import DAY, Window
from spanwise_collector.store.database import Database
from tests.support.databases import EmptyDatabases
from tests.support.erasing import AT_MS, NOW, asked, contents, eraser, keeper, store
from tests.support.otlp import record, span, traces, transformer
from tests.support.rows import Span, insert, llm, trace_id

ANN: Final = llm(trace=1, span=1, user="ann", at_ms=AT_MS, input="my name is Ann")
BOB: Final = llm(trace=2, span=2, user="bob", at_ms=AT_MS + 100, input="my name is Bob")
LATE: Final = llm(trace=3, span=3, user="ann", at_ms=AT_MS + 200, input="Ann once more")


def landed(database: Database, spans: list[Span], *, erasures: int, first: int = 0) -> None:
    """A batch of which the ledger says by which version it was built."""
    insert(database, spans)
    database.command(
        "INSERT INTO ingest_ledger (topic, topic_id, part, off_from, off_to, n_records, n_spans, erasures, "
        f"last_record_ts, ts) SELECT 'otlp_spans', 'id', 0, {first}, {first}, 1, {len(spans)}, {erasures}, "
        f"fromUnixTimestamp64Milli({micros(NOW) // 1000}), fromUnixTimestamp64Milli({micros(NOW) // 1000})"
    )


def test_batches_by_an_older_memory(database: Database, empty_databases: EmptyDatabases) -> None:
    """A batch that lands after the erasure and was built before it is looked through, once."""
    store(database, [ANN, BOB])
    asked(database, "user", "ann")
    assert keeper(database).step() == {"passes": 1, "late": 0}
    landed(database, [LATE], erasures=0)
    one = keeper(database)

    assert one.step() == {"passes": 1, "late": 1}
    assert one.step() == {"passes": 0, "late": 0}

    with empty_databases.lend() as clean:
        store(clean, [BOB])
        assert contents(database) == contents(clean)
    (erasure,) = eraser(database)[1].all()
    assert (erasure.state, erasure.progress.traces, erasure.progress.counts["spans"]) == ("done", 2, 2)


def test_batches_by_the_newest_memory_are_trusted(database: Database) -> None:
    """They have nothing of it, so that they are not looked through."""
    asked(database, "user", "ann")
    keeper(database).step()
    landed(database, [BOB], erasures=1)

    assert keeper(database).step()["passes"] == 0


def test_once_more_after_ten_minutes(database: Database) -> None:
    """What is written beside ingest, such as items to review, may come a moment later."""
    store(database, [ANN])
    asked(database, "user", "ann")
    keeper(database).step()
    queued = f"SELECT 'default', 'q', unhex('{trace_id(1).hex()}')"
    database.command(f"INSERT INTO annotation_items (project_id, queue_id, trace_id) {queued}")

    assert keeper(database, now=NOW + timedelta(minutes=9)).step()["passes"] == 0
    assert keeper(database, now=NOW + timedelta(minutes=11)).step()["passes"] == 1
    assert keeper(database, now=NOW + timedelta(minutes=40)).step()["passes"] == 0

    assert database.query("SELECT count() FROM annotation_items").rows == [(0,)]


def test_the_rest_of_a_trace_that_is_known_by_one_span(database: Database) -> None:
    """A late trace of an erased user: the span that names the user is left out, and what came beside it is removed."""
    asked(database, "user", "ann")
    keeper(database).step()
    start = micros(NOW - timedelta(hours=1)) * 1000
    end = start + 1_000_000
    named = span(values={"user.id": "ann"}, trace_id=trace_id(9), span_id=b"a" * 8, start_ns=start, end_ns=end)
    silent = span(trace_id=trace_id(9), span_id=b"b" * 8, start_ns=start, end_ns=end)
    request = traces(named, silent, resource={"spanwise.project": "default"})

    batch = transformer().transform(
        [record(request, timestamp_ms=micros(NOW) // 1000)], frozenset(), StoredErasures(database).current()
    )
    for table, rows in batch.tables.items():
        database.insert(table, rows, token=f"t:{table}")

    assert (batch.spans, batch.erased) == (1, 1)
    assert keeper(database).step()["passes"] == 1
    assert contents(database) == {}
    assert eraser(database)[1].kept_out("default") == {"e1": 1}


def test_the_audit_does_not_miss_it(database: Database) -> None:
    """A batch of whose spans none is left is accounted for, by what was noted of its offsets."""
    landed(database, [ANN], erasures=0)
    database.command("ALTER TABLE spans UPDATE ktopic = 'otlp_spans/id' WHERE 1 SETTINGS mutations_sync = 2")
    now = micros(NOW)

    def problems() -> list[str]:
        return get_audit(database, Window(now - DAY, now + 1_000_000), (), now_us=now, retention_days=30).problems

    assert problems() == []
    asked(database, "user", "ann")
    keeper(database).step()

    assert database.query("SELECT count() FROM spans").rows == [(0,)]
    assert problems() == []
    database.command("TRUNCATE TABLE removed_offsets")
    assert problems() == ["otlp_spans/0: offsets 0 are in the ledger, but not in the tables"]


def test_a_replay_does_not_bring_it_back(database: Database) -> None:
    """What is read from Kafka once more, in batches with other borders, is left out and counted as erased."""
    start = micros(NOW - timedelta(hours=1)) * 1000
    spans = [
        span(values={"user.id": user}, trace_id=trace_id(number), start_ns=start, end_ns=start + 1_000_000)
        for number, user in enumerate(["ann", "bob", "ann"], 1)
    ]
    records = [
        record(traces(one, resource={"spanwise.project": "default"}), offset=at, timestamp_ms=micros(NOW) // 1000)
        for at, one in enumerate(spans)
    ]
    for table, rows in transformer().transform(records, frozenset()).tables.items():
        database.insert(table, rows, token=f"first:{table}")
    asked(database, "user", "ann")
    keeper(database).step()
    left = contents(database)

    again = transformer().transform(records, {trace_id(2) + spans[1].span_id}, StoredErasures(database).current())
    for table, rows in again.tables.items():
        database.insert(table, rows, token=f"again:{table}")

    assert (again.spans, again.duplicates, again.erased) == (0, 1, 2)
    assert contents(database) == left
    assert database.query("SELECT DISTINCT user_id FROM spans").rows == [("bob",)]
    assert keeper(database).step()["passes"] == 0
