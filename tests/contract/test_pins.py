"""What `Pins` promise: in a table, and in commit metadata (on the fake log, and on Apache Kafka where it is tested)."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from spanwise_collector.ingest.pins import CommitPins, LedgerBackedPins, Pins, Position, TablePins, stored_until
from spanwise_collector.ingest.source import Assigned, Commit, FencedError, Partition, Source, SourceError
from spanwise_collector.store.database import Database
from tests.support import brokers
from tests.support.fake_log import FakeLog, FakeSource
from tests.support.logs import BrokerUnderTest, fresh_topic, poll_until

KINDS = ["commits-on-the-fake", "table", *(["commits-on-kafka"] if brokers.ON_KAFKA else [])]


@dataclass
class Bench:
    """Pins of some kind for one partition."""

    pins: Pins
    partition: Partition


def own(source: Source) -> None:
    """Poll until partitions are assigned."""
    poll_until(source, lambda events: any(isinstance(event, Assigned) for event in events))


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Pins of every kind."""
    topic = fresh_topic()
    if request.param == "table":
        database: Database = request.getfixturevalue("database")
        clock = itertools.count(1)
        yield Bench(TablePins(database, code_version="1", version=lambda: next(clock)), Partition(topic, 0))
        return
    if request.param == "commits-on-the-fake":
        log = FakeLog()
        log.create(topic)
        source: Source = FakeSource(log, [topic], group="g")
    else:
        bootstrap: str = request.getfixturevalue("kafka_bootstrap")
        brokers.make_topic(bootstrap, topic)
        source = BrokerUnderTest(bootstrap, group=True).open(topic)
    own(source)
    yield Bench(CommitPins(source, code_version="1"), Partition(topic, 0))
    source.close()


def test_nothing_is_known_of_a_partition_that_was_never_begun(bench: Bench) -> None:
    """There is no position, which is not the same as position 0."""
    assert bench.pins.load(bench.partition, "id") is None


def test_a_pin_is_found_again(bench: Bench) -> None:
    """The range and the code version that made it."""
    bench.pins.pin(bench.partition, "id", 5, 9)

    assert bench.pins.load(bench.partition, "id") == Position(5, 9, "1")


def test_a_pin_replaces_the_one_before(bench: Bench) -> None:
    """A batch that is cut in halves is pinned anew with half its range."""
    bench.pins.pin(bench.partition, "id", 5, 9)
    bench.pins.pin(bench.partition, "id", 5, 7)

    assert bench.pins.load(bench.partition, "id") == Position(5, 7, "1")


def test_a_release_ends_the_pin(bench: Bench) -> None:
    """The position moves on and carries no range."""
    bench.pins.pin(bench.partition, "id", 5, 9)
    bench.pins.release(bench.partition, "id", 10)

    assert bench.pins.load(bench.partition, "id") == Position(10, None, "1")


def test_positions_of_a_deleted_topic_do_not_count_for_its_namesake(bench: Bench) -> None:
    """A topic made anew starts at its beginning."""
    bench.pins.pin(bench.partition, "old", 5, 9)

    assert bench.pins.load(bench.partition, "new") is None


def test_an_operators_reset_is_obeyed() -> None:
    """An offset that was committed by other tools, with other metadata or none, is a position without a pin."""
    log = FakeLog()
    log.create("t")
    source = FakeSource(log, ["t"], group="g")
    partition = Partition("t", 0)
    pins = CommitPins(source, code_version="1")

    found = []
    for metadata in ("", "reset by hand", "[1]", '{"to": 3}', '{"to": "x"}'):
        log.groups["g"].committed[partition] = Commit(4, metadata)
        found.append(pins.load(partition, "id"))

    assert found == [Position(4)] * 5


def test_a_broker_that_keeps_no_metadata_is_refused_by_name_of_the_remedy() -> None:
    """Pins would be lost there: it is noticed at the first one, before anything is inserted."""
    log = FakeLog()
    log.create("t")
    source = FakeSource(log, ["t"], group="g")
    source.poll(0)
    pins = CommitPins(Forgetful(source), code_version="1")

    with pytest.raises(SourceError, match="SPANWISE_ASSIGNMENT=static"):
        pins.pin(Partition("t", 0), "id", 0, 3)


def test_a_table_outlives_a_clock_that_was_set_back(database: Database) -> None:
    """Of two rows the one written later counts, whatever the time of day says."""
    partition = Partition(fresh_topic(), 0)
    TablePins(database, code_version="1", version=lambda: 1_000).pin(partition, "id", 0, 3)
    restarted = TablePins(database, code_version="2", version=lambda: 5)
    restarted.load(partition, "id")

    restarted.release(partition, "id", 4)

    assert restarted.load(partition, "id") == Position(4, None, "2")


def test_a_lost_partition_cannot_be_pinned() -> None:
    """The commit is the fence."""
    log = FakeLog()
    log.create("t")
    source = FakeSource(log, ["t"], group="g")
    source.poll(0)
    source.expel()

    with pytest.raises(FencedError):
        CommitPins(source, code_version="1").pin(Partition("t", 0), "id", 0, 3)


class Forgetful(FakeSource):
    """A source whose broker drops commit metadata, as the packaged one does."""

    def __init__(self, source: FakeSource) -> None:
        self._source = source

    def committed(self, partition: Partition) -> Commit | None:
        """Without metadata."""
        found = self._source.committed(partition)
        return found and Commit(found.offset)

    def commit(self, partition: Partition, commit: Commit) -> None:
        """As before."""
        self._source.commit(partition, commit)


def test_where_nothing_is_pinned_the_ledger_says_what_is_stored(bench: Bench, database: Database) -> None:
    """Behind the last batch of this topic and partition; a pin counts first, and other topics say nothing."""
    pins = LedgerBackedPins(bench.pins, stored_until(database))
    topic = bench.partition.topic
    database.command(
        "INSERT INTO ingest_ledger (topic, topic_id, part, off_from, off_to, ts) VALUES "
        f"('{topic}', 'id', 0, 0, 9, now64(3)), ('{topic}', 'id', 0, 10, 14, now64(3)), "
        f"('{topic}', 'id', 1, 0, 77, now64(3)), ('{topic}', 'other', 0, 0, 99, now64(3))"
    )

    assert pins.load(bench.partition, "id") == Position(15)
    assert pins.load(bench.partition, "new") is None
    pins.pin(bench.partition, "id", 15, 20)
    assert pins.load(bench.partition, "id") == Position(15, 20, "1")
    pins.release(bench.partition, "id", 21)
    assert pins.load(bench.partition, "id") == Position(21, None, "1")
