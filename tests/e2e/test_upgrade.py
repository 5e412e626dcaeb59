"""From every earlier schema: what was stored is there, and a batch cut short by the upgrade is finished, once."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from spanwise_collector.api.app import create_app
from spanwise_collector.ingest.kafka_ranges import KafkaRanges
from spanwise_collector.ingest.ledger import Range
from spanwise_collector.ingest.runner import IngestRunner
from spanwise_collector.ingest.settings import KafkaConnection
from spanwise_collector.ingest.source import Partition
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Database
from spanwise_collector.store.migrate import migrate
from spanwise_collector.store.migrations import packaged
from spanwise_schemas.wire import Envelope
from tests.support.brokers import make_topic, produce
from tests.support.databases import drop, fresh_dsn
from tests.support.logs import fresh_topic
from tests.support.replaying import call, rows_of, transformer
from tests.support.static_ingest import static_settings

SCHEMAS = [migration.number for migration in packaged()][:-1]
SPANS = 4
DRAIN_S = 60.0
STORED = "SELECT name, start_time, duration_us, tok_input, cost_total_n FROM spans ORDER BY ALL"


@pytest.fixture
def database(chdb_directory: Path) -> Iterator[Database]:
    """A database without a schema."""
    made = Database.open(fresh_dsn(chdb_directory), readers=2)
    try:
        yield made
        drop(made)
    finally:
        made.close()


def as_it_was(database: Database, table: str, rows: pa.RecordBatch) -> pa.RecordBatch:
    """The rows with the columns that the table has now."""
    names = {
        name
        for (name,) in database.query(
            "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String}",
            {"table": table},
        ).rows
    }
    return rows.select([name for name in rows.schema.names if name in names])


@pytest.mark.parametrize("number", SCHEMAS)
def test_an_upgrade_keeps_what_is_stored_and_finishes_what_was_begun(
    kafka_bootstrap: str, database: Database, number: int
) -> None:
    """The old version pinned four records and was stopped behind the first table; the new one does the rest, once."""
    migrate(database, packaged()[:number])
    topic = fresh_topic()
    make_topic(kafka_bootstrap, topic, 1)
    at = datetime.now(UTC) - timedelta(hours=1)
    values = [one.SerializeToString() for pair in (call(0, at=at), call(1, at=at)) for one in pair]
    for seq, value in enumerate(values):
        produce(kafka_bootstrap, topic, [value], headers=Envelope("0" * 32, seq, 1, 0).to_headers())
    kafka = KafkaConnection(bootstrap=kafka_bootstrap)
    log = KafkaRanges(kafka)
    topic_id = log.topic_id(topic)
    records = [replace(record, topic_id=topic_id) for record in log.read(topic, 0, 0, SPANS)]
    log.close()
    covered = Range(Partition(topic, 0), topic_id, 0, SPANS - 1)
    rows = as_it_was(database, "spans", transformer().transform(records, frozenset()).tables["spans"])
    database.command(
        "INSERT INTO ingest_pins (topic, topic_id, part, next_offset, pin_to, code_version, version) "
        f"VALUES ('{topic}', '{topic_id}', 0, 0, {SPANS - 1}, 'old', 1)"
    )
    database.insert("spans", rows, token=covered.token("spans"))
    before = database.query(
        "SELECT name, start_time, duration_us, tok_input, cost_total_n FROM spans ORDER BY ALL"
    ).rows

    assert migrate(database) == list(range(number + 1, len(packaged()) + 1))
    runner = IngestRunner(
        settings=static_settings(kafka_bootstrap, topic, code_version="new"),
        database=database,
        transformer=transformer(),
    )
    runner.start()
    deadline = time.monotonic() + DRAIN_S
    while runner.status().counters.records < SPANS:
        assert not runner.status().failure, runner.status().failure
        assert time.monotonic() < deadline, runner.status()
        time.sleep(0.05)
    runner.stop(drain=True, timeout_s=DRAIN_S)

    assert database.query(STORED).rows == before
    assert len(rows_of(database, "span_io")) == SPANS
    assert database.query("SELECT sum(n_spans), any(code_version) FROM ingest_ledger").rows == [(SPANS, "new")]
    assert database.query("SELECT sum(n) FROM metrics_1d").rows == [(SPANS,)]
    client = TestClient(create_app(database=database, settings=Settings(clickhouse="chdb:///unused")))
    shown = client.get("/api/v1/traces", params={"project": "shop"}).json()["items"]
    assert [one["spans"] for one in shown] == [2, 2]
