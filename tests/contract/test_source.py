"""What `Source` and `RejectSink` promise, on the fake and on a real broker."""

import random
import time
from collections.abc import Iterator

import pytest

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
    Source,
    TransientSourceError,
)
from tests.support.brokers import ON_KAFKA
from tests.support.logs import DEADLINE_S, KINDS, LogUnderTest, fresh_topic, log_of, poll_until, polling

GROUPS = [kind for kind in KINDS if kind.endswith("group")]
# The packaged broker answers a position outside of its log with silence.
KINDS_THAT_TELL_RANGES = KINDS if ON_KAFKA else [kind for kind in KINDS if kind.startswith("fake")]


@pytest.fixture(params=KINDS)
def log(request: pytest.FixtureRequest) -> LogUnderTest:
    """A log of every kind."""
    return log_of(request.param, lambda: request.getfixturevalue("kafka_bootstrap"))


@pytest.fixture(params=GROUPS)
def group_log(request: pytest.FixtureRequest) -> LogUnderTest:
    """A log of every kind that has consumer groups."""
    return log_of(request.param, lambda: request.getfixturevalue("kafka_bootstrap"))


@pytest.fixture(params=KINDS_THAT_TELL_RANGES)
def ranged_log(request: pytest.FixtureRequest) -> LogUnderTest:
    """A log of every kind that says when a position lies outside of it."""
    return log_of(request.param, lambda: request.getfixturevalue("kafka_bootstrap"))


@pytest.fixture
def opened() -> Iterator[list[Source]]:
    """Sources to close at the end."""
    sources: list[Source] = []
    yield sources
    for source in sources:
        source.close()


def fetched(events: list[Event]) -> list[Record]:
    """The records among events."""
    return [record for event in events if isinstance(event, Fetched) for record in event.records]


def assigned(events: list[Event]) -> set[Partition]:
    """The partitions assigned by events, less those revoked again."""
    found: set[Partition] = set()
    for event in events:
        if isinstance(event, Assigned):
            found |= set(event.partitions)
        elif isinstance(event, Revoked):
            found -= set(event.partitions)
    return found


def read(source: Source, partition: Partition, start: int, count: int) -> list[Record]:
    """Read `count` records from `start` on; the partition is assigned already."""
    source.topic_id(partition.topic)
    source.seek(partition, start)
    source.resume([partition])
    return fetched(poll_until(source, lambda events: len(fetched(events)) >= count))


def own(source: Source, *partitions: Partition) -> None:
    """Poll until these partitions are assigned."""
    poll_until(source, lambda events: assigned(events) >= set(partitions))


def commit_when_settled(source: Source, other: Source, partition: Partition, commit: Commit) -> None:
    """Commit as soon as the group's rebalance lets it, both members polling on."""
    deadline = time.monotonic() + DEADLINE_S
    with polling(other):
        while True:
            try:
                source.commit(partition, commit)
            except TransientSourceError:
                assert time.monotonic() < deadline
                source.poll(0.05)
            else:
                return


def test_assigned_partitions_give_no_record_before_they_are_sought(log: LogUnderTest, opened: list[Source]) -> None:
    """An assignment comes as an event, with the partitions paused: where to read is the loop's decision."""
    topic = fresh_topic()
    log.create(topic, 2)
    log.append(topic, [b"a"])
    opened.append(log.open(topic))

    events = poll_until(opened[0], lambda events: len(assigned(events)) == 2)
    events += opened[0].poll(0.5)

    assert (assigned(events), fetched(events)) == ({Partition(topic, 0), Partition(topic, 1)}, [])


def test_records_come_in_order_with_all_they_carry(log: LogUnderTest, opened: list[Source]) -> None:
    """A record has its offset, value, headers and the id of its topic."""
    topic = fresh_topic()
    log.create(topic)
    log.append(topic, [b"a", b"b", b"c"], headers=[("h", b"1")])
    opened.append(log.open(topic))
    own(opened[0], Partition(topic, 0))

    records = read(opened[0], Partition(topic, 0), 0, 3)

    topic_id = opened[0].topic_id(topic)
    assert [(r.topic, r.topic_id, r.partition, r.offset, r.value, r.headers) for r in records] == [
        (topic, topic_id, 0, offset, value, (("h", b"1"),)) for offset, value in enumerate([b"a", b"b", b"c"])
    ]
    assert all(record.timestamp_ms > 1_600_000_000_000 for record in records)


def test_a_seek_reads_again_what_was_read(log: LogUnderTest, opened: list[Source]) -> None:
    """After a seek the records from there on come, and none that were fetched ahead."""
    topic = fresh_topic()
    log.create(topic)
    log.append(topic, [b"a", b"b", b"c"])
    opened.append(log.open(topic))
    own(opened[0], Partition(topic, 0))

    first = read(opened[0], Partition(topic, 0), 0, 3)
    second = read(opened[0], Partition(topic, 0), 1, 2)

    assert [[r.offset for r in first], [r.offset for r in second]] == [[0, 1, 2], [1, 2]]


def test_a_paused_partition_gives_nothing_until_it_is_resumed(log: LogUnderTest, opened: list[Source]) -> None:
    """Pausing holds records back, resuming goes on where it stood."""
    topic = fresh_topic()
    log.create(topic)
    log.append(topic, [b"a"])
    partition = Partition(topic, 0)
    opened.append(log.open(topic))
    own(opened[0], partition)
    read(opened[0], partition, 0, 1)

    opened[0].pause([partition])
    log.append(topic, [b"b"])
    paused = fetched(opened[0].poll(0.5))
    opened[0].resume([partition])
    resumed = fetched(poll_until(opened[0], lambda events: bool(fetched(events))))

    assert ([r.offset for r in paused], [r.offset for r in resumed]) == ([], [1])


def test_a_record_of_five_megabytes_is_read(log: LogUnderTest, opened: list[Source]) -> None:
    """A large record is fetched like any other, so that it can be judged."""
    topic = fresh_topic()
    log.create(topic)
    value = random.Random(5).randbytes(5_000_000)
    log.append(topic, [value, b"small"])
    opened.append(log.open(topic))
    own(opened[0], Partition(topic, 0))

    records = read(opened[0], Partition(topic, 0), 0, 2)

    assert [r.value for r in records] == [value, b"small"]


def test_ranges_say_what_the_log_holds(log: LogUnderTest, opened: list[Source]) -> None:
    """Start and end are the first offset and the one after the last."""
    topic = fresh_topic()
    log.create(topic, 2)
    log.append(topic, [b"a", b"b"])
    opened.append(log.open(topic))
    one, two = Partition(topic, 0), Partition(topic, 1)
    own(opened[0], one, two)
    read(opened[0], one, 0, 2)

    assert opened[0].log_range(one) == LogRange(0, 2)
    assert opened[0].end_offsets([one, two]) == {one: 2, two: 0}


def test_a_topic_made_anew_has_another_id(log: LogUnderTest, opened: list[Source]) -> None:
    """The id tells a topic from its namesake, and its absence is an error of its own."""
    topic = fresh_topic()
    log.create(topic)
    opened.append(log.open(topic))

    before = opened[0].topic_id(topic)
    log.delete(topic)
    with pytest.raises(MissingTopicError):
        opened[0].topic_id(topic)
    log.create(topic)
    after = opened[0].topic_id(topic)

    assert len({before, after, ""}) == 3


def test_a_position_outside_of_the_log_is_an_event(ranged_log: LogUnderTest, opened: list[Source]) -> None:
    """When records were deleted before they were read, nothing is skipped in silence."""
    topic = fresh_topic()
    ranged_log.create(topic)
    ranged_log.append(topic, [b"a", b"b", b"c"])
    ranged_log.trim(topic, 2)
    partition = Partition(topic, 0)
    opened.append(ranged_log.open(topic))
    own(opened[0], partition)

    opened[0].seek(partition, 0)
    opened[0].resume([partition])
    events = poll_until(opened[0], lambda events: OutOfRange(partition) in events)

    assert (fetched(events), opened[0].log_range(partition)) == ([], LogRange(2, 3))


def test_a_commit_keeps_its_metadata_for_the_next_owner(group_log: LogUnderTest, opened: list[Source]) -> None:
    """Offset and text are read back by another member of the group."""
    topic = fresh_topic()
    group_log.create(topic)
    partition = Partition(topic, 0)
    opened.append(group_log.open(topic))
    own(opened[0], partition)

    nothing = opened[0].committed(partition)
    opened[0].commit(partition, Commit(7, '{"to":9}'))
    opened[0].close()
    opened.append(group_log.open(topic))
    own(opened[1], partition)

    assert (nothing, opened[1].committed(partition)) == (None, Commit(7, '{"to":9}'))


def test_a_second_member_takes_partitions_over_and_the_first_is_fenced(
    group_log: LogUnderTest, opened: list[Source]
) -> None:
    """After a rebalance the old owner knows what it lost, and cannot commit it any more."""
    topic = fresh_topic()
    group_log.create(topic, 2)
    both = {Partition(topic, 0), Partition(topic, 1)}
    opened.append(group_log.open(topic))
    first = poll_until(opened[0], lambda events: assigned(events) == both)
    opened.append(group_log.open(topic))
    with polling(opened[0]) as then:
        second = poll_until(opened[1], lambda events: len(assigned(first + then)) == len(assigned(events)) == 1)
    (lost,) = assigned(second)
    (kept,) = assigned(first + then)
    with pytest.raises(FencedError):
        opened[0].commit(lost, Commit(1))
    commit_when_settled(opened[1], opened[0], lost, Commit(2))
    commit_when_settled(opened[0], opened[1], kept, Commit(3))

    assert ({lost, kept}, opened[1].committed(lost), opened[1].committed(kept)) == (both, Commit(2), Commit(3))


def test_rejects_are_acknowledged_with_their_headers(log: LogUnderTest) -> None:
    """What is published is in the topic when `publish` returns."""
    topic = fresh_topic()
    log.create(topic)
    sink = log.rejects(topic)
    rejects = [Reject(b"k", b"v", (("reason", b"bad"),)), Reject(b"k", None, ())]

    sink.publish(rejects)
    sink.close()

    assert log.published(topic) == rejects
