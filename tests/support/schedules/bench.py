"""What all schedules of a run share: a broker behind wires, an engine behind an HTTP front, a producer."""

import logging
import queue
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from spanwise_collector.embedded.broker import free_port
from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.landing import REJECT_HEADER
from spanwise_collector.ingest.transform import Transformer
from spanwise_collector.store.database import Database
from tests.support.brokers import make_topic
from tests.support.http_front import Front, running_front
from tests.support.kafka_broker import ApacheKafka
from tests.support.schedules.figures import Figures
from tests.support.schedules.wire import Proxy, Wire

WIRES = 8
"""More than collectors alive at once: those of dead ones are free again when their clients have ended."""
REJECTS = "schedules-rejects"


@dataclass
class Bench:
    """The shared parts.

    Attributes:
        bootstrap: the broker, past the wires.
        wires: those that no collector has.
        front: where faults of the store are injected.
        store: the database through the front.
        database: the same database past the front.
        figures: of the run.
    """

    bootstrap: str
    wires: "queue.Queue[Wire]"
    front: Front
    store: Database
    database: Database
    admin: Any
    producer: Any
    rejects: Any
    transformer: Transformer
    figures: Figures = field(default_factory=Figures)

    def make_topic(self, topic: str, partitions: int) -> None:
        """Make a topic."""
        self.admin.create_topics(
            {topic: {"num_partitions": partitions, "replication_factor": 1}}, wait_for_metadata=True
        )

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        """Delete the records of a partition before an offset, as retention does."""
        self.admin.delete_records({TopicPartition(topic, partition): before})

    def rejects_end(self) -> int:
        """The offset that the next reject will get."""
        place = TopicPartition(REJECTS, 0)
        return int(self.rejects.end_offsets([place])[place])

    def rejected(self, topic: str, start: int) -> Counter[tuple[int, int]]:
        """How often each (partition, offset) of a topic is in the rejects topic, from an offset of that on."""
        place = TopicPartition(REJECTS, 0)
        end = self.rejects_end()
        found: Counter[tuple[int, int]] = Counter()
        if end <= start:
            return found
        self.rejects.seek(place, start)
        while self.rejects.position(place) < end:
            for records in self.rejects.poll(timeout_ms=200).values():
                for record in records:
                    headers = {key: value.decode() for key, value in record.headers}
                    if headers[REJECT_HEADER + "topic"] == topic:
                        found[int(headers[REJECT_HEADER + "partition"]), int(headers[REJECT_HEADER + "offset"])] += 1
        return found


@contextmanager
def running_bench(directory: Path, engine: Path, database: Database) -> Iterator[Bench]:
    """Everything, running.

    Args:
        directory: for the broker.
        engine: the directory of the embedded engine.
        database: one with the current schema, in that engine.
    """
    # It tells every broken connection with its traceback; here they are broken by the thousand.
    driver = logging.getLogger("clickhouse_connect")
    with ExitStack() as stack:
        stack.callback(driver.setLevel, driver.level)
        driver.setLevel(logging.CRITICAL)
        proxy = stack.enter_context(Proxy())
        wires: queue.Queue[Wire] = queue.Queue()
        doors: dict[int, int] = {}
        for _ in range(WIRES):
            wire = proxy.wire(free_port())
            doors[wire.target] = wire.port
            wires.put(wire)
        kafka = stack.enter_context(ApacheKafka(directory, doors=doors))
        make_topic(kafka.bootstrap, REJECTS)
        front = stack.enter_context(running_front(engine))
        store = Database.open(f"{front.url}/{database.address.database}", readers=4)
        stack.callback(store.close)
        admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        stack.callback(admin.close)
        producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all")
        stack.callback(producer.close)
        rejects = KafkaConsumer(bootstrap_servers=kafka.bootstrap, group_id=None, enable_auto_commit=False)
        rejects.assign([TopicPartition(REJECTS, 0)])
        stack.callback(rejects.close)
        yield Bench(
            kafka.bootstrap,
            wires,
            front,
            store,
            database,
            admin,
            producer,
            rejects,
            Transformer(prices=PriceBook()),
        )
