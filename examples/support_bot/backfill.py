"""Writes the made-up history to Kafka, through the same topics and the same collector as live data."""

from collections.abc import Callable
from datetime import datetime

from kafka import KafkaConsumer, KafkaProducer

from examples.support_bot.history import make_traces
from examples.support_bot.otlp import records
from spanwise_schemas.wire import SPANS_TOPIC

ACK_TIMEOUT_S = 60.0
IN_FLIGHT = 20
"""Records that may wait for their acknowledgement: at most some 20 MB."""


def backfill(
    *, kafka: str, project: str, traces: int, until: datetime, seed: int, progress: Callable[[int], None]
) -> int:
    """Write four weeks of traces that end at `until`.

    Args:
        kafka: bootstrap address; the topics exist.
        project: what the traces belong to.
        traces: how many.
        until: end of the history; with a time zone.
        seed: the same arguments write the same traces.
        progress: called with the number of spans and scores written so far.

    Returns:
        Spans and scores written; the broker has acknowledged every one.
    """
    producer = KafkaProducer(
        bootstrap_servers=kafka, acks="all", compression_type="lz4", linger_ms=0, max_request_size=2_000_000
    )
    try:
        written, waiting = 0, []
        made = make_traces(seed=seed, until=until, traces=traces)
        for record in records(made, project=project, partitions=_partitions(kafka), run=f"{seed & 0xFFFFFFFF:08x}"):
            waiting.append(
                producer.send(record.topic, record.value, record.key, record.headers, partition=record.partition)
            )
            written += record.items
            if len(waiting) >= IN_FLIGHT:
                waiting.pop(0).get(ACK_TIMEOUT_S)
                progress(written)
        for answer in waiting:
            answer.get(ACK_TIMEOUT_S)
        progress(written)
        return written
    finally:
        producer.close(timeout=5)


def _partitions(kafka: str) -> int:
    consumer = KafkaConsumer(bootstrap_servers=kafka)
    try:
        return len(consumer.partitions_for_topic(SPANS_TOPIC) or {0})
    finally:
        consumer.close()
