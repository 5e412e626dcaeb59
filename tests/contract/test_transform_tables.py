"""The transform's record batches meet the real tables: types, values and the roll-ups behind them."""

from typing import Any

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spanwise_collector.ingest.draft import Batch
from spanwise_collector.normalise.columns import TABLES
from spanwise_collector.store.database import Database
from spanwise_schemas.wire import Envelope
from tests.support.otlp import (
    NOW_MS,
    NOW_NS,
    SPAN,
    TRACE,
    any_value,
    attributes,
    logs,
    record,
    rows,
    span,
    traces,
    transformer,
)

CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 10,
    "llm.token_count.total": 110,
    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Grüße \U0001f600"}]}],
    "tag.tags": ["a", "b"],
    "user.id": "u",
    "extra": "x",
}
SCORE = {"gen_ai.evaluation.name": "good", "gen_ai.evaluation.score.label": "yes"}


def batches() -> tuple[Batch, Batch]:
    """Spans of every kind and status with a refused one beside them, and scores."""
    headers = Envelope("p1", seq=0, spans=4, dropped=1).to_headers()
    request = traces(
        span("root", {"openinference.span.kind": "AGENT"}, span_id=b"root0000"),
        span("chat", CALL, parent=b"root0000"),
        span(
            "event",
            {"openinference.span.kind": "EVENT"},
            span_id=b"failed00",
            parent=b"root0000",
            status=Status(code=Status.STATUS_CODE_ERROR, message="no"),
            events=[Span.Event(name="e", time_unix_nano=NOW_NS)],
            start_ns=NOW_NS - 3_600 * 10**9,
        ),
        span("refused", trace_id=b""),
    )
    common = {"event_name": "gen_ai.evaluation.result", "time_unix_nano": NOW_NS}
    content = LogRecord(
        event_name="gen_ai.user.message",
        time_unix_nano=NOW_NS,
        trace_id=TRACE,
        span_id=SPAN,
        body=any_value({"content": "Grüße"}),
    )
    scores = logs(
        content,
        LogRecord(trace_id=TRACE, span_id=SPAN, attributes=attributes(SCORE), **common),  # type: ignore[arg-type]
        LogRecord(
            attributes=attributes(SCORE | {"session.id": "s", "gen_ai.evaluation.score.value": 0.5}),
            **common,  # type: ignore[arg-type]
        ),
    )
    made = transformer()
    return made.transform([record(request, headers=headers)], ()), made.transform([record(scores)], ())


def insert(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Insert what both batches made; what should be stored, by table."""
    expected: dict[str, list[dict[str, Any]]] = {}
    for number, batch in enumerate(batches()):
        for table, found in batch.tables.items():
            database.insert(table, found, token=f"t:{number}:{table}")
            expected.setdefault(table, []).extend(rows(batch, table))
    return expected


def stored(database: Database, table: str) -> list[dict[str, Any]]:
    """A table's rows as the transform's tests write them: times and enums as integers, ids as bytes."""
    columns = []
    for one in TABLES[table]:
        kind = str(one.type)
        if kind.startswith("timestamp[us"):
            columns.append(f"toUnixTimestamp64Micro({one.name}) AS {one.name}")
        elif kind.startswith("timestamp[ms"):
            columns.append(f"toUnixTimestamp64Milli({one.name}) AS {one.name}")
        elif kind == "int8":
            columns.append(f"toInt8({one.name}) AS {one.name}")
        elif one.name == "seq_list":
            columns.append("arraySort(bitmapToArray(seqs)) AS seq_list")
        else:
            columns.append(one.name)
    return database.query(f"SELECT {', '.join(columns)} FROM {table}").dicts()


def in_order(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows in an order of their own, since a table promises none."""
    return sorted(found, key=lambda row: [str(value) for value in row.values()])


def test_everything_arrives(database: Database) -> None:
    """Every column of every row is read back as it was made."""
    expected = insert(database)

    # Where nothing was erased nothing is kept out: tests/unit/collector/ingest/test_erased.py.
    tables = [table for table in TABLES if table != "erasure_drops"]
    assert tables == [table for table in tables if expected[table]]
    assert {table: in_order(found) for table, found in expected.items()} == {
        table: in_order(stored(database, table)) for table in tables
    }


def test_enum_numbers(database: Database) -> None:
    """The numbers that the transform writes are the words that the tables mean."""
    insert(database)

    spans = database.query(
        "SELECT name, toString(kind), toString(status), toString(cost_source), counts_usage FROM spans ORDER BY name"
    ).rows
    scores = database.query("SELECT toString(target), toString(source), value FROM scores ORDER BY target").rows

    assert [
        ("chat", "llm", "unset", "computed", True),
        ("event", "event", "error", "none", False),
        ("root", "agent", "unset", "none", False),
    ] == spans
    assert [("span", "code", None), ("session", "code", 0.5)] == scores


def test_roll_ups(database: Database) -> None:
    """The views behind `spans` add up what the transform made: one call at 100 and 10 tokens."""
    insert(database)
    cost = 100 * 2_500 + 10 * 10_000

    assert [(3, 1, 100, 10, cost, 0)] == database.query(
        "SELECT sum(n), sum(n_calls), sum(tok_input), sum(tok_output), sum(cost_n), sum(n_unpriced) FROM metrics_1m"
    ).rows
    assert [(TRACE, 3, cost)] == database.query(
        "SELECT trace_id, sum(n_spans), sum(cost_n) FROM trace_agg GROUP BY trace_id"
    ).rows


# The engine makes these of others when a row is stored.
COMPUTED = {
    "span_io": {"input_hash", "near_hash"},
    "spans": {"user_group"},
    "producers": {"seqs", "n_numbered"},
}


@pytest.mark.parametrize("table", TABLES)
def test_columns_are_the_tables(database: Database, table: str) -> None:
    """The transform writes every column of a table and no other, so that no default stands in silently."""
    found = database.query(f"SELECT name FROM system.columns WHERE database = currentDatabase() AND table = '{table}'")

    assert sorted({*TABLES[table].names} | COMPUTED.get(table, set())) == sorted(name for (name,) in found.rows)


def test_many_days_in_one_batch(database: Database) -> None:
    """A year of history in one batch is stored in one insert, though ClickHouse's default limit is 100 days."""
    day = 86_400 * 10**9
    spans = [
        span(span_id=number.to_bytes(8, "big"), start_ns=NOW_NS - number * day, end_ns=NOW_NS - number * day)
        for number in range(1, 365)
    ]
    batch = transformer(retention_days=400).transform([record(traces(*spans))], ())

    database.insert("spans", batch.tables["spans"], token="year")

    assert [(364, NOW_MS // 1000 - 364 * 86_400)] == database.query(
        "SELECT count(), toUnixTimestamp(min(start_time)) FROM spans"
    ).rows
