"""What tests of SQL evaluators share: parts over a database, and spans that came by Kafka."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pyarrow as pa
from fastapi import FastAPI

from spanwise_collector.api.app import create_app
from spanwise_collector.api.sql_evaluating import SqlEvaluating
from spanwise_collector.query.window import Window
from spanwise_collector.settings import Settings
from spanwise_collector.sql_evals.backfill import Backfiller
from spanwise_collector.sql_evals.checking import check
from spanwise_collector.sql_evals.definitions import Definition, Definitions
from spanwise_collector.sql_evals.jobs import Jobs
from spanwise_collector.sql_evals.live import LiveRounds
from spanwise_collector.store.database import Database
from tests.support.rows import T0, Span, span_id, trace_id

TOPIC_ID = "topic-1"
KTOPIC = "otlp_spans/topic-1"


@dataclass(slots=True)
class Parts:
    """The parts of SQL evaluators over one database; time stands still until a test moves it."""

    database: Database
    now: datetime = T0 + timedelta(hours=1)
    seconds: float = 0.0
    ids: Callable[[], str] = field(default_factory=lambda: map("id-{}".format, itertools.count(1)).__next__)

    @property
    def definitions(self) -> Definitions:
        """Evaluators."""
        return Definitions(self.database, now=lambda: self.now, new_id=self.ids)

    @property
    def jobs(self) -> Jobs:
        """Scoring of history."""
        return Jobs(self.database, now=lambda: self.now, new_id=self.ids)

    def live(self) -> LiveRounds:
        """As a collector that has just started."""
        return LiveRounds(self.database, self.definitions, now=lambda: self.now)

    def backfiller(self, clock: Callable[[], float] | None = None) -> Backfiller:
        """As a collector that has just started."""
        return Backfiller(self.database, self.definitions, self.jobs, clock=clock or (lambda: self.seconds))

    def add(self, name: str, expression: str, condition: str = "", project: str = "default") -> Definition:
        """Check and store an evaluator."""
        window = Window.of(T0 - timedelta(days=30), T0 + timedelta(days=1), self.now)
        checked = check(self.database, window, project, expression, condition)
        return self.definitions.add(
            project,
            name,
            expression=expression,
            condition=condition,
            description="",
            kind=checked.scorer.kind,
            by="me",
        )


def sql_app(parts: Parts) -> FastAPI:
    """The HTTP app over them."""
    return create_app(
        database=parts.database,
        settings=Settings(clickhouse="chdb:///unused"),
        sql_evaluating=SqlEvaluating(parts.definitions, parts.jobs, worker=lambda: "collector-1"),
        clock=lambda: parts.now,
    )


def arrived(database: Database, spans: Sequence[Span], *, first: int, stored: datetime) -> None:
    """Store spans as a batch of Kafka: with offsets from `first` on, and a row of the ledger at that time."""
    rows = [
        {
            "project_id": span.project,
            "trace_id": trace_id(span.trace),
            "span_id": span_id(span.span),
            "start_time": span.start,
            "duration_us": int(span.took_ms * 1000),
            "name": span.name,
            "kind": span.kind,
            "input_bytes": len(span.input.encode()),
            "output_bytes": len(span.output.encode()),
            "ingested_at": span.start,
            "ktopic": KTOPIC,
            "kpart": 0,
            "koff": first + index,
        }
        for index, span in enumerate(spans)
    ]
    bodies = [
        {name: row[name] for name in ("project_id", "trace_id", "span_id", "start_time", "ingested_at")}
        | {"input": span.input, "output": span.output}
        for row, span in zip(rows, spans, strict=True)
    ]
    last = first + len(spans) - 1
    ledger = {
        "topic": "otlp_spans",
        "topic_id": TOPIC_ID,
        "part": 0,
        "off_from": first,
        "off_to": last,
        "n_spans": len(spans),
        "ts": stored,
    }
    database.insert("spans", pa.RecordBatch.from_pylist(rows, schema=_SPANS), token=f"{first}-{last}:spans")
    database.insert("span_io", pa.RecordBatch.from_pylist(bodies, schema=_BODIES), token=f"{first}-{last}:span_io")
    database.insert("ingest_ledger", pa.RecordBatch.from_pylist([ledger], schema=_LEDGER), token=f"{first}-{last}:l")


def scores(database: Database, columns: str, where: str = "1") -> list[tuple[object, ...]]:
    """Stored scores as they hold, sorted."""
    return list(database.query(f"SELECT {columns} FROM scores FINAL WHERE {where} ORDER BY ALL").rows)


def stored_rows(database: Database) -> int:
    """Rows of scores as they were written, replaced ones included."""
    return int(database.query("SELECT count() FROM scores").rows[0][0])


_TIME = pa.timestamp("us", "UTC")
_KEY = [
    ("project_id", pa.string()),
    ("trace_id", pa.binary(16)),
    ("span_id", pa.binary(8)),
    ("start_time", _TIME),
]
_SPANS = pa.schema(
    [
        *_KEY,
        ("duration_us", pa.uint64()),
        ("name", pa.string()),
        ("kind", pa.string()),
        ("input_bytes", pa.uint32()),
        ("output_bytes", pa.uint32()),
        ("ingested_at", _TIME),
        ("ktopic", pa.string()),
        ("kpart", pa.uint16()),
        ("koff", pa.uint64()),
    ]
)
_BODIES = pa.schema([*_KEY, ("input", pa.string()), ("output", pa.string()), ("ingested_at", _TIME)])
_LEDGER = pa.schema(
    [
        ("topic", pa.string()),
        ("topic_id", pa.string()),
        ("part", pa.uint16()),
        ("off_from", pa.uint64()),
        ("off_to", pa.uint64()),
        ("n_spans", pa.uint64()),
        ("ts", pa.timestamp("ms", "UTC")),
    ]
)
