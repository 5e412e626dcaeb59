"""Two brokers: partitions change their leader, by a death and by an election, and each span is stored once."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from kafka import KafkaAdminClient

from spanwise_collector.store.database import INSERT_TIMEOUT_S, Database
from tests.kafka.test_group import wait_for_spans
from tests.support.brokers import make_topic
from tests.support.crash import PARTITIONS, PER_RECORD, Sender, collector, drained
from tests.support.ingest_process import Plan
from tests.support.kafka_broker import ApacheKafka
from tests.support.logs import fresh_topic

DEADLINE_S = 2.0 * INSERT_TIMEOUT_S
PREFERRED = 0


@pytest.fixture
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ApacheKafka, ApacheKafka]]:
    """Two, of which the second may die; offsets of groups are on both."""
    with ApacheKafka(tmp_path_factory.mktemp("first"), replicas=2) as first:
        second = ApacheKafka(tmp_path_factory.mktemp("second"), joins=first, replicas=2)
        with second:
            yield first, second


class Topic:
    """What the cluster says of a topic."""

    def __init__(self, bootstrap: str, name: str) -> None:
        self._admin: Any = KafkaAdminClient(bootstrap_servers=bootstrap)
        self._name = name

    def leaders(self) -> list[int]:
        """Node of each partition's leader."""
        return [one["leader_id"] for one in self._partitions()]

    def in_sync(self) -> list[int]:
        """How many replicas of each partition are up to date."""
        return [len(one["isr_nodes"]) for one in self._partitions()]

    def elect(self) -> None:
        """Give each partition back to the broker that it was made for."""
        self._admin.elect_leaders(PREFERRED, {self._name: list(range(PARTITIONS))})

    def close(self) -> None:
        """Disconnect."""
        self._admin.close()

    def _partitions(self) -> list[dict[str, Any]]:
        [found] = self._admin.describe_topics([self._name])
        return sorted(found["partitions"], key=lambda one: int(one["partition_index"]))


def wait_until(said: Callable[[], bool], what: str) -> None:
    """Until it is so."""
    deadline = time.monotonic() + DEADLINE_S
    while not said():
        assert time.monotonic() < deadline, f"after {DEADLINE_S:.0f} s not yet: {what}"
        time.sleep(0.1)


@pytest.mark.parametrize("assignment", ["group", "static"])
def test_leaders_that_change_cost_nothing(
    brokers: tuple[ApacheKafka, ApacheKafka], shared_dsn: str, store: Database, assignment: str
) -> None:
    """One broker dies and its partitions go to the other; it comes back, and is elected again while data flows."""
    first, second = brokers
    name = fresh_topic()
    make_topic(first.bootstrap, name, PARTITIONS, replicas=2)
    bootstrap = f"{first.bootstrap},{second.bootstrap}"
    topic, spans = Topic(first.bootstrap, name), Sender(bootstrap, name)
    try:
        assert sorted(topic.leaders()) == [1, 2]
        before = topic.leaders()
        plan = Plan(bootstrap=bootstrap, dsn=shared_dsn, topic=name, assignment=assignment, batch_rows=100)
        with collector(plan):
            spans.send(30)
            wait_for_spans(store, PER_RECORD)
            second.kill()
            spans.send(30)
            assert topic.leaders() == [1, 1]
            wait_for_spans(store, spans.sent * PER_RECORD)
            second.start()
            wait_until(lambda: topic.in_sync() == [2, 2], "both replicas in sync")
            spans.send(10)
            topic.elect()
            spans.send(30)
            wait_until(lambda: topic.leaders() == before, "the old leaders")
            spans.send(10)
            wait_for_spans(store, spans.sent * PER_RECORD)

        found = drained(replace(plan, drain=True))
    finally:
        topic.close()

    assert found == spans.expected()
