"""Bad records on a real broker: each is refused with a reason and kept, and the spans beside it are stored."""

import random
import time

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.runner import IngestRunner
from spanwise_collector.ingest.transform import Transformer
from spanwise_collector.store.database import Database
from tests.support import otlp
from tests.support.brokers import make_topic, produce
from tests.support.logs import BrokerUnderTest, fresh_topic
from tests.support.static_ingest import static_settings

DRAIN_S = 60.0


def a_span(number: int, *, trace_id: bytes | None = None, ago_s: float = 2.0) -> Span:
    """A span that ended a moment ago."""
    start = time.time_ns() - int(ago_s * 1e9)
    return otlp.span(
        trace_id=number.to_bytes(16, "big") if trace_id is None else trace_id,
        span_id=number.to_bytes(8, "big"),
        start_ns=start,
        end_ns=start + 1_000_000_000,
    )


def test_bad_records_are_kept_with_their_reason(kafka_bootstrap: str, database: Database) -> None:
    """Empty, not protobuf, cut short, too large, a wrong id beside a good span: all are counted and kept."""
    topic = fresh_topic()
    make_topic(kafka_bootstrap, topic)
    good = otlp.traces(a_span(1)).SerializeToString()
    huge = random.Random(5).randbytes(5_000_000)
    beside = otlp.traces(a_span(2), a_span(3, trace_id=b"short")).SerializeToString()
    values = [good, b"", b"not protobuf", good[:-7], huge, beside]
    produce(kafka_bootstrap, topic, values)
    runner = IngestRunner(
        settings=static_settings(kafka_bootstrap, topic),
        database=database,
        transformer=Transformer(prices=PriceBook()),
    )
    runner.start()
    try:
        deadline = time.monotonic() + DRAIN_S
        while runner.status().counters.records < len(values):
            assert time.monotonic() < deadline, runner.status()
            assert not runner.status().failure
            time.sleep(0.05)
    finally:
        runner.stop(drain=True, timeout_s=DRAIN_S)

    published = BrokerUnderTest(kafka_bootstrap, group=False).published(f"{topic}-rejects")

    spans = database.query("SELECT koff, count() FROM spans GROUP BY koff ORDER BY koff").rows
    ledger = database.query("SELECT sum(n_records), sum(n_spans), sum(n_rejected) FROM ingest_ledger").rows
    headers = [{key: value.decode() for key, value in reject.headers} for reject in published]
    by_offset = {
        int(found["spanwise-reject-offset"]): (found["spanwise-reject-reason"], reject.value)
        for found, reject in zip(headers, published, strict=True)
    }
    assert spans == [(0, 1), (5, 1)]
    assert ledger == [(6, 2, 5)]
    assert by_offset == {
        1: ("empty", b""),
        2: ("not_protobuf", b"not protobuf"),
        3: ("truncated", good[:-7]),
        4: ("too_large", huge),
        5: ("bad_trace_id", beside),
    }
    assert {
        (found["spanwise-reject-topic"], found["spanwise-reject-partition"], found["spanwise-reject-code-version"])
        for found in headers
    } == {(topic, "0", "7.7")}
