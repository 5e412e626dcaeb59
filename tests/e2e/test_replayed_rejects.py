"""Refused records on a real broker: listed, shown, replayed by the command's own code, and stored once."""

import io
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from spanwise_collector.cli.rejects import ALL, run_list
from spanwise_collector.cli.rejects_replay import ReplayOptions, run_replay
from spanwise_collector.cli.terminal import Terminal
from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.runner import IngestRunner
from spanwise_collector.ingest.settings import KafkaConnection
from spanwise_collector.ingest.transform import Transformer
from spanwise_collector.rejects.kafka_log import KafkaRejectLog
from spanwise_collector.store.database import Database
from spanwise_schemas.wire import Envelope
from tests.support import otlp
from tests.support.brokers import make_topic, produce
from tests.support.logs import fresh_topic
from tests.support.static_ingest import static_settings

DRAIN_S = 60.0
DAY_NS = 86_400_000_000_000
PRODUCERS = "SELECT * EXCEPT seqs, arraySort(bitmapToArray(seqs)) FROM producers FINAL"


@contextmanager
def ingesting(bootstrap: str, topic: str, database: Database, *, days: int) -> Iterator[IngestRunner]:
    """A collector with a retention of so many days."""
    runner = IngestRunner(
        settings=static_settings(bootstrap, topic, duplicate_window=0),
        database=database,
        transformer=Transformer(prices=PriceBook(), retention_days=days),
    )
    runner.start()
    try:
        yield runner
    finally:
        runner.stop(drain=True, timeout_s=DRAIN_S)


def wait_for(runner: IngestRunner, records: int) -> None:
    """Until so many records are stored."""
    deadline = time.monotonic() + DRAIN_S
    while runner.status().counters.records < records:
        assert time.monotonic() < deadline, runner.status()
        assert not runner.status().failure
        time.sleep(0.05)


def test_a_refused_span_is_stored_by_a_replay_and_nothing_twice(kafka_bootstrap: str, database: Database) -> None:
    """A retention too short refused one span of two: after the fix it is there, also when replayed twice.

    The span beside it is not stored again although the duplicate filter looks back no offset at all, and the
    producer's row in the ledger stays as it was.
    """
    topic = fresh_topic()
    make_topic(kafka_bootstrap, topic, 2)
    now = time.time_ns()
    old = otlp.span(span_id=b"span-old", start_ns=now - 9 * DAY_NS, end_ns=now - 9 * DAY_NS + 1)
    new = otlp.span(span_id=b"span-new", start_ns=now - 1_000_000, end_ns=now)
    value = otlp.traces(old, new).SerializeToString()
    headers = Envelope("p1", 0, 2, 0).to_headers()
    produce(kafka_bootstrap, topic, [value], partition=1, headers=headers)
    with ingesting(kafka_bootstrap, topic, database, days=5) as runner:
        wait_for(runner, 1)
    before = database.query(PRODUCERS).rows

    out = io.StringIO()
    for _ in range(2):
        with closing(KafkaRejectLog(KafkaConnection(bootstrap=kafka_bootstrap), f"{topic}-rejects")) as log:
            run_list(log, ALL, 10, Terminal(out), each=False)
            code = run_replay(log, ReplayOptions(everything=True, yes=True), Terminal(out), ask=lambda question: "")
            assert code == 0, out.getvalue()
    with ingesting(kafka_bootstrap, topic, database, days=30) as runner:
        wait_for(runner, 2)

    spans = database.query("SELECT toString(span_id), koff FROM spans ORDER BY koff").rows
    ledger = database.query(
        "SELECT sum(n_records), sum(n_spans), sum(n_rejected), sum(n_duplicates) FROM ingest_ledger"
    ).rows
    assert "1 of 1 records written and acknowledged" in out.getvalue()
    assert spans == [("span-new", 0), ("span-old", 1)]
    assert ledger == [(3, 2, 1, 3)]
    assert database.query(PRODUCERS).rows == before
