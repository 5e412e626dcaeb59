"""The demo's made-up history."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from examples.support_bot.history import DAYS, INCIDENT_DAYS_AGO, INCIDENT_HOURS, MadeTrace, make_traces
from examples.support_bot.otlp import WireRecord, records
from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.transform import Transformer
from spanwise_schemas.wire import MAX_RECORD_BYTES, Envelope, partition_for

UNTIL = datetime(2026, 11, 20, 12, tzinfo=UTC)
TRACES = 2000


def _made() -> list[MadeTrace]:
    return list(make_traces(seed=7, until=UNTIL, traces=TRACES))


def _records(partitions: int = 2) -> list[WireRecord]:
    return list(records(_made(), project="p", partitions=partitions, run="7"))


def test_the_same_seed_makes_the_same_history() -> None:
    """Seed, end and number decide everything."""
    assert _made() == _made()


def test_every_trace_lies_in_the_two_weeks_and_inside_its_root() -> None:
    """Nothing is in the future or older than two weeks, and a root covers what is below it."""
    earliest, latest = ((UNTIL - timedelta(days=DAYS)).timestamp() * 1e9, UNTIL.timestamp() * 1e9)
    for trace in _made():
        root, *below = trace.spans
        assert earliest <= root.start_ns <= root.end_ns <= latest
        assert all(root.start_ns <= span.start_ns <= span.end_ns <= root.end_ns for span in below)
        assert {span.parent_id for span in below} <= {span.span_id for span in trace.spans}


def test_the_incident_stands_out() -> None:
    """In the bad afternoon at least one in ten requests fails, otherwise less than one in ten."""
    day = (UNTIL - timedelta(days=INCIDENT_DAYS_AGO)).date()
    failed, all_of_them = Counter[bool](), Counter[bool]()
    for trace in _made():
        start = datetime.fromtimestamp(trace.spans[0].start_ns / 1e9, UTC)
        in_incident = start.date() == day and INCIDENT_HOURS[0] <= start.hour < INCIDENT_HOURS[1]
        all_of_them[in_incident] += 1
        failed[in_incident] += bool(trace.spans[0].error_type)

    assert failed[True] > 0.1 * all_of_them[True] > 0
    assert 0 < failed[False] < 0.1 * all_of_them[False]


def test_records_keep_to_the_wire_format() -> None:
    """Records are small enough, each holds traces of one partition, and each producer numbers them without gaps."""
    numbers: dict[str, list[int]] = {}
    made = _records()
    for record in made:
        envelope = Envelope.from_headers(record.headers)
        assert envelope is not None
        numbers.setdefault(envelope.producer, []).append(envelope.seq)
        assert (partition_for(record.key, 2), envelope.spans) == (record.partition, record.items)
        assert len(record.value) < MAX_RECORD_BYTES

    assert numbers == {producer: list(range(len(seqs))) for producer, seqs in numbers.items()}


def test_the_collector_takes_all_of_it() -> None:
    """Every span and score becomes a row, priced where it is a model call, without one refusal or warning."""
    transformer = Transformer(prices=PriceBook())
    stored = refused = flagged = 0
    for record in _records():
        kafka = Record(
            topic=record.topic,
            topic_id="t",
            partition=record.partition,
            offset=0,
            timestamp_ms=int(UNTIL.timestamp() * 1000),
            key=record.key,
            value=record.value,
            headers=tuple(record.headers),
        )
        batch = transformer.transform([kafka], frozenset())
        stored += batch.spans + batch.scores
        refused += batch.rejected
        flagged += batch.warnings

    made = _made()
    expected = sum(len(trace.spans) + len(trace.scores) for trace in made)
    assert (stored, refused, flagged) == (expected, 0, 0)
