"""A log in memory with several consumers, fencing and faults: the fake behind `Source` and `RejectSink`.

The same contract suite runs on it and on real brokers (tests/contract/test_source.py).
"""

import itertools
import threading
import uuid
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.source import (
    Assigned,
    Commit,
    Event,
    FencedError,
    Fetched,
    LogRange,
    MissingTopicError,
    OutOfRange,
    Partition,
    Reject,
    Revoked,
    TransientSourceError,
)

Fault = Callable[[str], None]
"""Called with the name of each call before it is served; what it raises is raised."""


def no_fault(call: str) -> None:
    """Serves everything."""


@dataclass
class Topic:
    """One topic: an id, and per partition its records and the offset of the first that is kept."""

    topic_id: str
    partitions: list[list[Record]]
    starts: list[int]


@dataclass
class Group:
    """One consumer group: who is in it, which partitions each has, and what was committed."""

    members: list["FakeSource"] = field(default_factory=list)
    committed: dict[Partition, Commit] = field(default_factory=dict)


class FakeLog:
    """The broker. Tests change it beside a consumer that works on a thread: each call finds it before or after that."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.topics: dict[str, Topic] = {}
        self.groups: dict[str, Group] = {}
        self.rejects: list[Reject] = []
        self._ids = itertools.count(1)

    def create(self, topic: str, partitions: int = 1) -> None:
        """Make a topic with an id of its own."""
        with self.lock:
            topic_id = str(uuid.UUID(int=next(self._ids)))
            self.topics[topic] = Topic(topic_id, [[] for _ in range(partitions)], [0] * partitions)

    def delete(self, topic: str) -> None:
        """Delete a topic. As on Kafka, commits of groups stay for a while: the worst case for a topic made anew."""
        with self.lock:
            del self.topics[topic]

    def append(
        self, topic: str, value: bytes | None, *, partition: int = 0, headers: tuple[tuple[str, bytes | None], ...] = ()
    ) -> int:
        """Write a record; returns its offset."""
        with self.lock:
            found = self.topics[topic]
            records = found.partitions[partition]
            offset = found.starts[partition] + len(records) if not records else records[-1].offset + 1
            records.append(
                Record(topic, found.topic_id, partition, offset, 1_700_000_000_000 + offset, None, value, headers)
            )
            return offset

    def trim(self, partition: Partition, start: int) -> None:
        """Delete records before `start`, as retention does."""
        with self.lock:
            found = self.topics[partition.topic]
            records = found.partitions[partition.number]
            found.partitions[partition.number] = [record for record in records if record.offset >= start]
            found.starts[partition.number] = start

    def range(self, partition: Partition) -> LogRange:
        """First and next offset."""
        with self.lock:
            topic = self.topics.get(partition.topic)
            if topic is None:
                raise MissingTopicError(f"The topic {partition.topic} does not exist.")
            records = topic.partitions[partition.number]
            start = topic.starts[partition.number]
            return LogRange(start, records[-1].offset + 1 if records else start)


class FakeSource:
    """One consumer: of a group, or with all partitions of its topics."""

    def __init__(
        self,
        log: FakeLog,
        topics: Sequence[str],
        *,
        group: str | None = None,
        max_poll_records: int = 500,
        fault: Fault = no_fault,
    ) -> None:
        self._log = log
        self._topics = tuple(topics)
        self._group = None if group is None else log.groups.setdefault(group, Group())
        self._max_poll_records = max_poll_records
        self._fault = fault
        self._events: deque[Assigned | Revoked] = deque()
        self._positions: dict[Partition, int] = {}
        self._paused: set[Partition] = set()
        self._ids: dict[str, str] = {}
        self._fenced = False
        self._closed = False
        if self._group is not None:
            self._group.members.append(self)
            rebalance(log, self._group)

    # What a rebalance does to this consumer

    def take(self, partitions: Collection[Partition]) -> None:
        """The group gives it partitions."""
        for partition in partitions:
            self._positions[partition] = 0
            self._paused.add(partition)
        if partitions:
            self._events.append(Assigned(tuple(sorted(partitions))))

    def lose(self, partitions: Collection[Partition]) -> None:
        """The group takes partitions away; the consumer learns by its next poll, the broker knows at once."""
        for partition in partitions:
            self._positions.pop(partition, None)
            self._paused.discard(partition)
        if partitions:
            self._events.append(Revoked(tuple(sorted(partitions))))

    @property
    def owned(self) -> set[Partition]:
        """Partitions that it has."""
        return set(self._positions)

    def expel(self) -> None:
        """The group throws it out, as after a session timeout: a zombie until its next poll, when it joins again."""
        assert self._group is not None
        self._group.members.remove(self)
        self._fenced = True
        rebalance(self._log, self._group)

    # Source

    def poll(self, timeout_s: float) -> list[Event]:
        """See `Source.poll`."""
        self._fault("poll")
        with self._log.lock:
            return self._poll()

    def _poll(self) -> list[Event]:
        if self._group is not None and self._fenced and not self._closed:
            self._fenced = False
            self.lose(self.owned)
            self._group.members.append(self)
            rebalance(self._log, self._group)
        if self._group is None:
            self._assign_all()
        events: list[Event] = list(self._events)
        self._events.clear()
        for partition in sorted(self._positions):
            if partition not in self._paused and partition.topic in self._log.topics:
                events += self._fetch(partition)
        return events

    def _assign_all(self) -> None:
        have = self.owned
        self.take(
            [
                Partition(topic, number)
                for topic in self._topics
                if topic in self._log.topics
                for number in range(len(self._log.topics[topic].partitions))
                if Partition(topic, number) not in have
            ]
        )

    def _fetch(self, partition: Partition) -> list[Event]:
        position, log = self._positions[partition], self._log.range(partition)
        if not log.start <= position <= log.end:
            return [OutOfRange(partition)]
        found = [
            replace(record, topic_id=self._ids.get(partition.topic, ""))
            for record in self._log.topics[partition.topic].partitions[partition.number]
            if record.offset >= position
        ][: self._max_poll_records]
        if not found:
            return []
        self._positions[partition] = found[-1].offset + 1
        return [Fetched(partition, found)]

    def seek(self, partition: Partition, offset: int) -> None:
        """See `Source.seek`."""
        if partition in self._positions:
            self._positions[partition] = offset

    def pause(self, partitions: Collection[Partition]) -> None:
        """See `Source.pause`."""
        self._paused |= {partition for partition in partitions if partition in self._positions}

    def resume(self, partitions: Collection[Partition]) -> None:
        """See `Source.resume`."""
        self._paused -= set(partitions)

    def committed(self, partition: Partition) -> Commit | None:
        """See `Source.committed`."""
        self._fault("committed")
        assert self._group is not None, "only a group has commits"
        return self._group.committed.get(partition)

    def commit(self, partition: Partition, commit: Commit) -> None:
        """See `Source.commit`."""
        assert self._group is not None, "only a group has commits"
        self._fault("commit")
        if self._fenced or self._closed or partition not in self._positions:
            raise FencedError(f"{partition} is not assigned to this collector any more.")
        self._group.committed[partition] = commit
        self._fault("committed already")

    def log_range(self, partition: Partition) -> LogRange:
        """See `Source.log_range`."""
        self._fault("log_range")
        return self._log.range(partition)

    def end_offsets(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """See `Source.end_offsets`."""
        self._fault("end_offsets")
        return {partition: self._log.range(partition).end for partition in partitions}

    def topic_id(self, topic: str) -> str:
        """See `Source.topic_id`."""
        self._fault("topic_id")
        with self._log.lock:
            if topic not in self._log.topics:
                raise MissingTopicError(f"The topic {topic} does not exist.")
            self._ids[topic] = self._log.topics[topic].topic_id
            return self._ids[topic]

    def close(self) -> None:
        """See `Source.close`."""
        if self._closed:
            return
        self._closed = True
        if self._group is not None and self in self._group.members:
            self._group.members.remove(self)
            self._positions.clear()
            rebalance(self._log, self._group)

    @property
    def topics(self) -> tuple[str, ...]:
        """Topics that it reads."""
        return self._topics


def rebalance(log: FakeLog, group: Group) -> None:
    """Share the partitions evenly: partition i goes to member i modulo their number."""
    with log.lock:
        _rebalance(log, group)


def _rebalance(log: FakeLog, group: Group) -> None:
    topics = sorted({topic for member in group.members for topic in member.topics if topic in log.topics})
    partitions = [Partition(topic, number) for topic in topics for number in range(len(log.topics[topic].partitions))]
    wanted: dict[int, set[Partition]] = {index: set() for index in range(len(group.members))}
    for index, partition in enumerate(partitions):
        if group.members:
            wanted[index % len(group.members)].add(partition)
    for index, member in enumerate(group.members):
        member.lose(member.owned - wanted[index])
    for index, member in enumerate(group.members):
        member.take(wanted[index] - member.owned)


class FakeRejects:
    """`RejectSink` into the log's list of rejects."""

    def __init__(self, log: FakeLog, *, fault: Fault = no_fault) -> None:
        self._log = log
        self._fault = fault

    def publish(self, rejects: Sequence[Reject]) -> None:
        """See `RejectSink.publish`."""
        self._fault("publish")
        self._log.rejects += rejects
        self._fault("published already")

    def close(self) -> None:
        """See `RejectSink.close`."""


def unanswered(*calls: str) -> Fault:
    """Fails the first use of each of these calls as if nobody answered."""
    left = list(calls)

    def fault(call: str) -> None:
        if call in left:
            left.remove(call)
            raise TransientSourceError(f"no answer to {call}")

    return fault
