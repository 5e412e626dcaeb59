"""The receivers' way into Apache Kafka, where it is stricter than the packaged broker."""

import random
from time import monotonic

import pytest
from kafka import KafkaAdminClient

from spanwise_collector.ingest.settings import KafkaConnection
from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.producer import KafkaWriter
from spanwise_collector.receive.split import Packed
from tests.support.logs import fresh_topic

WAIT_S = 60.0


def writer_on(bootstrap: str) -> KafkaWriter:
    """A writer."""
    return KafkaWriter(
        KafkaConnection(bootstrap=bootstrap), producer_id="ab" * 16, ack_seconds=8.0, refused=lambda: 0, clock=monotonic
    )


def make_topic(bootstrap: str, topic: str, **configs: str) -> None:
    """Make a topic with one partition."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    options = {"num_partitions": 1, "replication_factor": 1, "configs": configs}
    admin.create_topics({topic: options}, wait_for_metadata=True)
    admin.close()


def test_a_record_that_the_topic_refuses_does_not_stop_those_beside_it(kafka_bootstrap: str) -> None:
    """It alone fails, with the setting to look at; records before, beside and after it are taken."""
    topic = fresh_topic()
    make_topic(kafka_bootstrap, topic, **{"max.message.bytes": "20000"})
    small = Packed(0, "", b"k" * 16, b"small", 1)
    large = Packed(0, "", b"k" * 16, random.Random(1).randbytes(100_000), 1)
    writer = writer_on(kafka_bootstrap)
    try:
        results = [one.exception(WAIT_S) for one in writer.send(topic, [small, large, small])]
        results += [one.exception(WAIT_S) for one in writer.send(topic, [small])]
    finally:
        writer.close(5)

    [refused] = [result for result in results if result is not None]
    assert results.index(refused) == 1
    assert isinstance(refused, NotTakenError)
    assert (refused.reason, "max.message.bytes" in refused.detail) == (Reason.TOO_LARGE, True)


def test_a_topic_that_is_not_there_is_never_made_by_accident(kafka_bootstrap: str) -> None:
    """Whoever asks is told; once ingest has made it, the same writer writes to it."""
    topic = fresh_topic()
    writer = writer_on(kafka_bootstrap)
    try:
        with pytest.raises(NotTakenError, match=topic) as caught:
            writer.partitions(topic)
        make_topic(kafka_bootstrap, topic)
        partitions = writer.partitions(topic)
        [sent] = writer.send(topic, [Packed(0, "", b"k" * 16, b"small", 1)])
        error = sent.exception(WAIT_S)
    finally:
        writer.close(5)

    assert (caught.value.reason, partitions, error) == (Reason.AWAY, 1, None)
