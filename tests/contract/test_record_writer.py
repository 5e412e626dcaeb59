"""What receivers need of a log: the fake and Kafka do the same."""

from collections.abc import Callable, Iterator
from time import monotonic
from uuid import uuid4

import pytest
from kafka import KafkaConsumer, TopicPartition

from spanwise_collector.ingest.settings import KafkaConnection
from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.producer import KafkaWriter, RecordWriter
from spanwise_collector.receive.split import Packed
from spanwise_schemas.wire import Envelope, project_from_headers
from tests.support.brokers import make_topic
from tests.support.receiving import MemoryLog

WAIT_S = 60.0
PRODUCER = "ab" * 16
RECORDS = [
    Packed(1, "", b"k" * 16, b"first", 3),
    Packed(0, "läden", b"l" * 16, b"second", 1),
    Packed(1, "", b"k" * 16, b"x" * 900_000, 7),
]


@pytest.fixture
def topic() -> str:
    """A name of its own."""
    return f"otlp-{uuid4().hex}"


def writer_on(bootstrap: str, *, ack_seconds: float = 8.0) -> KafkaWriter:
    """A writer with a fixed producer id that has refused 5 items."""
    return KafkaWriter(
        KafkaConnection(bootstrap=bootstrap),
        producer_id=PRODUCER,
        ack_seconds=ack_seconds,
        refused=lambda: 5,
        clock=monotonic,
    )


@pytest.fixture(params=["memory", "kafka"])
def writer(request: pytest.FixtureRequest, topic: str) -> Iterator[RecordWriter]:
    """Each of the two, with a topic of two partitions."""
    made: RecordWriter = MemoryLog(partitions=2)
    if request.param == "kafka":
        bootstrap = request.getfixturevalue("kafka_bootstrap")
        make_topic(bootstrap, topic, partitions=2)
        made = writer_on(bootstrap)
    yield made
    made.close(5)


def records_of(bootstrap: str, topic: str, count: int) -> list[tuple[int, bytes, bytes, list[tuple[str, bytes]]]]:
    """Partition, key, value and headers of all records of a topic with two partitions, in their order."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=int(WAIT_S * 1000)
    )
    try:
        consumer.assign([TopicPartition(topic, 0), TopicPartition(topic, 1)])
        found = [next(consumer) for _ in range(count)]
        return [(one.partition, one.key, one.value, one.headers) for one in found]
    finally:
        consumer.close()


def test_records_are_acknowledged(writer: RecordWriter, topic: str) -> None:
    """Each has a future of its own; the number of partitions is the topic's."""
    assert writer.partitions(topic) == 2

    assert [one.result(WAIT_S) for one in writer.send(topic, RECORDS)] == [None, None, None]
    assert [one.result(WAIT_S) for one in writer.send(topic, RECORDS[:1])] == [None]


def test_records_are_in_kafka_as_they_were_packed(kafka_bootstrap: str, topic: str) -> None:
    """Partition, key, value; the headers number them, count what is inside and name the project."""
    make_topic(kafka_bootstrap, topic, partitions=2)
    writer = writer_on(kafka_bootstrap)
    try:
        for one in writer.send(topic, RECORDS):
            one.result(WAIT_S)
    finally:
        writer.close(5)

    found = records_of(kafka_bootstrap, topic, 3)
    assert sorted(one[:3] for one in found) == sorted(
        (record.partition, record.key, record.value) for record in RECORDS
    )
    envelopes = {one[2]: (Envelope.from_headers(one[3]), project_from_headers(one[3])) for one in found}
    assert envelopes == {
        record.value: (Envelope(PRODUCER, number, record.items, 5), record.project)
        for number, record in enumerate(RECORDS)
    }


def reason_of(call: Callable[[], object]) -> tuple[Reason, str]:
    """Why it was not taken."""
    with pytest.raises(NotTakenError) as caught:
        call()
    return caught.value.reason, caught.value.detail


def test_without_a_broker_every_call_ends_and_names_the_setting() -> None:
    """Soon, and the next call within a second does not wait again."""
    writer = writer_on("127.0.0.1:1")
    try:
        first, second = reason_of(lambda: writer.partitions("t")), reason_of(lambda: writer.send("t", RECORDS))
    finally:
        writer.close(0)

    assert first == second
    assert first[0] is Reason.AWAY
    assert "Kafka at 127.0.0.1:1 (SPANWISE_KAFKA) is away or slow: no broker answers" in first[1]


def test_a_closed_writer_takes_nothing(kafka_bootstrap: str, topic: str) -> None:
    """It would connect anew and never be closed."""
    make_topic(kafka_bootstrap, topic)
    writer = writer_on(kafka_bootstrap)
    writer.partitions(topic)
    writer.close(5)

    assert reason_of(lambda: writer.send(topic, RECORDS[:1]))[0] is Reason.AWAY
