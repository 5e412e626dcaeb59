"""Joining a group on Apache Kafka when the metadata changes."""

import time
from dataclasses import replace

from kafka import KafkaAdminClient
from kafka.structs import MemberState

from spanwise_collector.ingest.kafka_source import KafkaSource, _Listener
from spanwise_collector.ingest.source import Assigned, Event, Partition, Revoked
from tests.support.brokers import make_topic
from tests.support.logs import BrokerUnderTest, fresh_topic, poll_until, polling

DEADLINE_S = 60.0


def assigned(events: list[Event]) -> set[Partition]:
    """All partitions that the events assign."""
    return {partition for event in events if isinstance(event, Assigned) for partition in event.partitions}


def add_partition(bootstrap: str, topic: str) -> None:
    """The topic has two partitions then."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.create_partitions({topic: 2})
    finally:
        admin.close()


def begin_to_join(source: KafkaSource) -> None:
    """Poll as one whose time is over just after the join was sent."""
    deadline = time.monotonic() + DEADLINE_S
    while source._consumer.group_metadata().state is not MemberState.REBALANCING:
        assert time.monotonic() < deadline, "the new partition was not noticed"
        source._consumer.poll(timeout_ms=0)
        time.sleep(0.001)


def test_a_join_that_completes_between_two_polls_is_not_lost(kafka_bootstrap: str) -> None:
    """A partition is added; the leader's answer to the join that this calls for comes while nobody polls."""
    topic = fresh_topic()
    make_topic(kafka_bootstrap, topic)
    source = KafkaSource(BrokerUnderTest(kafka_bootstrap, group=True).settings(topic))
    try:
        poll_until(source, lambda events: assigned(events) == {Partition(topic, 0)})
        add_partition(kafka_bootstrap, topic)
        begin_to_join(source)
        time.sleep(1.0)  # the join's answers arrive; nothing tells of them while nobody polls

        events = poll_until(source, lambda events: Partition(topic, 1) in assigned(events))
    finally:
        source.close()

    assert assigned(events) == {Partition(topic, 1)}


def test_a_partition_that_a_named_member_gave_up_before_it_ended_is_read_by_another(kafka_bootstrap: str) -> None:
    """It ends between giving the partition up and the join that hands it on, and comes back under its name."""
    topic = fresh_topic()
    make_topic(kafka_bootstrap, topic, 2)
    settings = replace(BrokerUnderTest(kafka_bootstrap, group=True).settings(topic), session_timeout_s=30.0)
    first, second = (replace(settings, group_instance=name) for name in ("first", "second"))
    both = {Partition(topic, 0), Partition(topic, 1)}
    sources = [KafkaSource(first)]
    try:
        poll_until(sources[0], lambda events: assigned(events) == both)
        sources.append(KafkaSource(second))
        with polling(sources[1]) as others:
            poll_until(sources[0], lambda events: any(isinstance(event, Revoked) for event in events))
            sources[0].close()  # a member with a name does not leave the group by ending
            sources[0] = KafkaSource(first)

            poll_until(sources[0], lambda events: assigned(events) | assigned(others) == both)
    finally:
        for source in sources:
            source.close()

    assert assigned(others) < both


def test_a_member_that_lost_its_partitions_has_the_group_share_them_again(kafka_bootstrap: str) -> None:
    """Its join may have claimed what it had lost by then, so that the leader left a partition to nobody."""
    topic = fresh_topic()
    make_topic(kafka_bootstrap, topic)
    source = KafkaSource(BrokerUnderTest(kafka_bootstrap, group=True).settings(topic))
    try:
        poll_until(source, lambda events: assigned(events) == {Partition(topic, 0)})
        generation = source._consumer.group_metadata().generation_id

        _Listener(source).on_partitions_lost(set())
        poll_until(source, lambda events: source._consumer.group_metadata().generation_id > generation)
    finally:
        source.close()
