"""The broker that tests run against: the packaged one, or Apache Kafka with SPANWISE_TEST_BROKER=kafka."""

import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import TopicAlreadyExistsError

from spanwise_collector.embedded.broker import EmbeddedBroker, free_port
from tests.support.kafka_broker import ApacheKafka

ON_KAFKA = os.environ.get("SPANWISE_TEST_BROKER", "packaged") == "kafka"
"""Whether the suites run on Apache Kafka."""
PATIENCE_S = 60.0


class Broker(Protocol):
    """A running broker."""

    @property
    def bootstrap(self) -> str:
        """Address for clients, `host:port`."""
        ...


@contextmanager
def packaged_broker(directory: Path) -> Iterator[EmbeddedBroker]:
    """The packaged broker on a free port, stopped at the end."""
    with EmbeddedBroker(port=free_port(), log_path=directory / "broker.log") as broker:
        yield broker


@contextmanager
def apache_kafka(directory: Path) -> Iterator[ApacheKafka]:
    """Apache Kafka on a free port, stopped at the end."""
    with ApacheKafka(directory) as broker:
        yield broker


@contextmanager
def broker_under_test(directory: Path) -> Iterator[Broker]:
    """The one that the environment names."""
    if ON_KAFKA:
        with apache_kafka(directory) as kafka:
            yield kafka
    else:
        with packaged_broker(directory) as packaged:
            yield packaged


def make_topic(bootstrap: str, topic: str, partitions: int = 1, *, replicas: int = 1) -> None:
    """Make a topic, unless a collector was faster, and wait until it can be written."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        options = {
            "num_partitions": partitions,
            "replication_factor": replicas,
            "configs": {"max.message.bytes": "16000000"},
        }
        with suppress(TopicAlreadyExistsError):
            admin.create_topics({topic: options}, wait_for_metadata=True)
    finally:
        admin.close()


def end_offsets(bootstrap: str, places: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
    """The offset after the last record of each partition.

    Asked for it, the packaged broker answers with the first offset of the last batch of records, plus one; what it says
    beside fetched records is right.
    """
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, group_id=None)
    try:
        consumer.assign(list(places))
        ends: dict[TopicPartition, int] = consumer.end_offsets(list(places))
        for place, end in ends.items():
            consumer.seek(place, max(0, end - 1))
        deadline = time.monotonic() + PATIENCE_S
        while any(consumer.highwater(place) is None for place, end in ends.items() if end):
            assert time.monotonic() < deadline, "the broker does not hand out what it has"
            consumer.poll(timeout_ms=100)
        return {place: max(end, consumer.highwater(place) or 0) for place, end in ends.items()}
    finally:
        consumer.close()


def delete_topic(bootstrap: str, topic: str) -> None:
    """Delete a topic."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.delete_topics([topic])
    finally:
        admin.close()


def produce(
    bootstrap: str,
    topic: str,
    values: Sequence[bytes],
    *,
    partition: int = 0,
    headers: Sequence[tuple[str, bytes]] = (),
) -> None:
    """Write records and wait until all are acknowledged."""
    producer: Any = KafkaProducer(
        bootstrap_servers=bootstrap, acks="all", max_request_size=64_000_000, compression_type="lz4", linger_ms=20
    )
    try:
        sent = [producer.send(topic, value=value, partition=partition, headers=list(headers)) for value in values]
        producer.flush(timeout=60)
        for future in sent:
            future.get(timeout=60)
    finally:
        producer.close()
