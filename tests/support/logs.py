"""Logs for contract tests: the fake, and the broker under test, behind the same few verbs."""

import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from spanwise_collector.ingest.kafka_source import KafkaRejectSink, KafkaSource
from spanwise_collector.ingest.settings import IngestSettings, KafkaConnection
from spanwise_collector.ingest.source import Event, Partition, Reject, RejectSink, Source
from tests.support import brokers
from tests.support.fake_log import FakeLog, FakeRejects, FakeSource

DEADLINE_S = 60.0


class LogUnderTest(Protocol):
    """A log, and how to open consumers on it."""

    @property
    def group(self) -> bool:
        """Whether consumers form a group."""
        ...

    def create(self, topic: str, partitions: int = 1) -> None:
        """Make a topic."""
        ...

    def delete(self, topic: str) -> None:
        """Delete a topic."""
        ...

    def append(self, topic: str, values: Sequence[bytes], *, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        """Write records to partition 0."""
        ...

    def trim(self, topic: str, start: int) -> None:
        """Delete the records of partition 0 before `start`."""
        ...

    def open(self, topic: str, group: str = "") -> Source:
        """A consumer; of a group of that name where there are groups."""
        ...

    def rejects(self, topic: str) -> RejectSink:
        """A sink into the topic."""
        ...

    def published(self, topic: str) -> list[Reject]:
        """What is in the topic."""
        ...


@dataclass
class FakeUnderTest:
    """The fake."""

    group: bool
    log: FakeLog = field(default_factory=FakeLog)

    def create(self, topic: str, partitions: int = 1) -> None:
        """See `LogUnderTest`."""
        self.log.create(topic, partitions)

    def delete(self, topic: str) -> None:
        """See `LogUnderTest`."""
        self.log.delete(topic)

    def append(self, topic: str, values: Sequence[bytes], *, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        """See `LogUnderTest`."""
        for value in values:
            self.log.append(topic, value, headers=tuple(headers))

    def trim(self, topic: str, start: int) -> None:
        """See `LogUnderTest`."""
        self.log.trim(Partition(topic, 0), start)

    def open(self, topic: str, group: str = "") -> Source:
        """See `LogUnderTest`."""
        return FakeSource(self.log, [topic], group=(group or topic) if self.group else None)

    def rejects(self, topic: str) -> RejectSink:
        """See `LogUnderTest`."""
        return FakeRejects(self.log)

    def published(self, topic: str) -> list[Reject]:
        """See `LogUnderTest`."""
        return self.log.rejects


@dataclass
class BrokerUnderTest:
    """A real broker."""

    bootstrap: str
    group: bool

    def create(self, topic: str, partitions: int = 1) -> None:
        """See `LogUnderTest`."""
        brokers.make_topic(self.bootstrap, topic, partitions)

    def delete(self, topic: str) -> None:
        """See `LogUnderTest`."""
        brokers.delete_topic(self.bootstrap, topic)

    def append(self, topic: str, values: Sequence[bytes], *, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        """See `LogUnderTest`."""
        brokers.produce(self.bootstrap, topic, values, headers=headers)

    def trim(self, topic: str, start: int) -> None:
        """See `LogUnderTest`."""
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            admin.delete_records({TopicPartition(topic, 0): start})
        finally:
            admin.close()

    def open(self, topic: str, group: str = "") -> Source:
        """See `LogUnderTest`."""
        return KafkaSource(self.settings(topic, group))

    def rejects(self, topic: str) -> RejectSink:
        """See `LogUnderTest`."""
        return KafkaRejectSink(replace(self.settings(topic), rejects_topic=topic))

    def published(self, topic: str) -> list[Reject]:
        """See `LogUnderTest`."""
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False, group_id=None)
        try:
            place = TopicPartition(topic, 0)
            consumer.assign([place])
            consumer.seek(place, 0)
            end = brokers.end_offsets(self.bootstrap, [place])[place]
            found: list[Reject] = []
            deadline = time.monotonic() + DEADLINE_S
            while len(found) < end and time.monotonic() < deadline:
                for records in consumer.poll(timeout_ms=200).values():
                    found += [Reject(record.key, record.value, tuple(record.headers)) for record in records]
            return found
        finally:
            consumer.close()

    def settings(self, topic: str, group: str = "") -> IngestSettings:
        """Settings of a collector that reads this topic alone."""
        return IngestSettings(
            kafka=KafkaConnection(bootstrap=self.bootstrap),
            code_version="test",
            assignment="group" if self.group else "static",
            group=group or topic,
            session_timeout_s=6.0,
            topics=(topic,),
        )


KINDS = ["fake-static", "fake-group", "broker-static", *(["broker-group"] if brokers.ON_KAFKA else [])]
"""Logs that this run can test. The packaged broker has no groups to speak of: its first join takes 23 s."""

_names = itertools.count()


def log_of(kind: str, bootstrap: Callable[[], str]) -> LogUnderTest:
    """The log of a kind; the broker's address is asked for only when it is needed."""
    where, how = kind.split("-")
    return FakeUnderTest(how == "group") if where == "fake" else BrokerUnderTest(bootstrap(), how == "group")


def fresh_topic() -> str:
    """A name that no other test uses."""
    return f"topic-{next(_names)}-{uuid.uuid4().hex[:8]}"


@contextmanager
def polling(source: Source) -> Iterator[list[Event]]:
    """Poll on another thread: members of a group wait for each other while it rebalances. Yields its events."""
    events: list[Event] = []
    done = threading.Event()

    def poll() -> None:
        while not done.is_set():
            events.extend(source.poll(0.1))

    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(poll)
        try:
            yield events
        finally:
            done.set()
            running.result(DEADLINE_S)


def poll_until(source: Source, done: Callable[[list[Event]], bool]) -> list[Event]:
    """Poll until the events so far satisfy `done`."""
    events: list[Event] = []
    deadline = time.monotonic() + DEADLINE_S
    while not done(events):
        assert time.monotonic() < deadline, f"after {DEADLINE_S:.0f} s there were only {events}"
        events += source.poll(0.1)
    return events
