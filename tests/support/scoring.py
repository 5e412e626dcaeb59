"""Scores on their whole way without Kafka: written to a log in memory, transformed, stored."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.transform import Transformer
from spanwise_collector.query.values import micros
from spanwise_collector.receive.access import Doorkeeper
from spanwise_collector.receive.key_file import KeyFile
from spanwise_collector.receive.receiver import Receiver, ReceiverSettings
from spanwise_collector.store.database import Database
from spanwise_schemas.wire import HEADER_PROJECT, LOGS_TOPIC
from tests.support.receiving import KAFKA, MemoryLog


def sending(
    log: MemoryLog, *, keys: Path | None = None, now: Callable[[], datetime], doorkeeper: Doorkeeper | None = None
) -> Receiver:
    """A receiver that writes to a log in memory; its gRPC is off. Without a doorkeeper it has one of a key file."""
    settings = ReceiverSettings(kafka=KAFKA, grpc_port=None)
    door = doorkeeper or Doorkeeper(KeyFile(keys, clock=lambda: 0.0).ring, now)
    return Receiver(settings, door, writer=log, now=now)


def land(log: MemoryLog, database: Database, now: datetime) -> int:
    """Store the scores of the log, and forget its records; how many there were."""
    packed = log.records.pop(LOGS_TOPIC, [])
    landed = 0
    for number, one in enumerate(packed):
        headers = ((HEADER_PROJECT, one.project.encode()),) if one.project else ()
        record = Record(LOGS_TOPIC, "t", one.partition, number, micros(now) // 1000, one.key, one.value, headers)
        batch = Transformer(prices=PriceBook()).transform([record], frozenset())
        assert not batch.rejections
        database.insert("scores", batch.tables["scores"], token=f"scores:{micros(now)}:{one.partition}:{number}")
        landed += batch.scores
    return landed
