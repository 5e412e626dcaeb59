"""Consumer groups on Apache Kafka: collectors are killed, frozen and joined, and each span is stored exactly once."""

import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from spanwise_collector.ingest.steps import Step
from spanwise_collector.store.database import INSERT_TIMEOUT_S, Database
from spanwise_collector.store.errors import StoreError
from tests.support.brokers import delete_topic, make_topic
from tests.support.crash import PARTITIONS, PER_RECORD, Sender, collector, drained, run_until_killed, sender
from tests.support.ingest_process import SESSION_TIMEOUT_S, Plan
from tests.support.kafka_broker import ApacheKafka
from tests.support.logs import fresh_topic

DEADLINE_S = 2.0 * INSERT_TIMEOUT_S
"""Above the time after which an insert without an answer is tried again."""
MOMENTS = {
    "before the pin": (Step.BUILT, 2, 0.0),
    "after the pin": (Step.PINNED, 2, 0.0),
    "in an insert": (Step.INSERTING, 4, 0.05),
    "between tables": (Step.INSERTED, 4, 0.0),
    "before the release": (Step.RECORDED, 2, 0.0),
    "after the release": (Step.RELEASED, 2, 0.0),
}


def wait_for_spans(database: Database, count: int) -> None:
    """Until the store holds so many rows of spans."""
    deadline = time.monotonic() + DEADLINE_S
    stored = -1
    while stored < count:
        assert time.monotonic() < deadline, f"{stored} of {count} spans after {DEADLINE_S:.0f} s"
        time.sleep(0.05)
        try:
            stored = int(database.query("SELECT count() FROM spans").rows[0][0])
        except StoreError:
            stored = -1  # the collector has not made its tables yet


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_member_stores_every_span_once(kafka_bootstrap: str, tmp_path: Path, moment: str) -> None:
    """The pin in the commit's metadata outlives the process; its successor stores the same range again."""
    step, occurrence, within_s = MOMENTS[moment]
    topic = fresh_topic()
    spans = sender(kafka_bootstrap, topic)
    spans.send(40)
    plan = Plan(bootstrap=kafka_bootstrap, dsn=f"chdb://{tmp_path}", topic=topic, assignment="group")

    run_until_killed(replace(plan, kill_at=step, kill_on=occurrence, kill_within_s=within_s))
    spans.send(10)
    found = drained(replace(plan, drain=True))

    assert found == spans.expected()


def test_members_that_join_die_and_freeze_store_every_span_once(
    kafka_bootstrap: str, shared_dsn: str, store: Database
) -> None:
    """Two collectors write to one store while partitions move between them.

    One is killed in a batch. Another is frozen for longer than its session, wakes as a zombie, and is fenced.
    """
    topic = fresh_topic()
    spans = sender(kafka_bootstrap, topic)
    plan = Plan(bootstrap=kafka_bootstrap, dsn=shared_dsn, topic=topic, assignment="group", batch_rows=100)
    spans.send(30)
    with collector(replace(plan, kill_at=Step.INSERTED, kill_on=15)) as doomed:
        wait_for_spans(store, 1)
        with collector(plan) as frozen:
            while doomed.poll() is None:
                spans.send(4)
            spans.send(30)
            wait_for_spans(store, spans.sent * PER_RECORD - 10)
            spans.send(30)
            frozen.send_signal(signal.SIGSTOP)
            with collector(plan):
                spans.send(10)
                time.sleep(
                    2 * SESSION_TIMEOUT_S
                )  # the broker's clock, not ours: nothing else tells that a session is over
                frozen.send_signal(signal.SIGCONT)
                spans.send(30)
                wait_for_spans(store, spans.sent * PER_RECORD)

    found = drained(replace(plan, drain=True))

    assert found == spans.expected()


def test_a_broker_that_is_killed_and_comes_back_costs_nothing(
    own_kafka: ApacheKafka, shared_dsn: str, store: Database
) -> None:
    """The collector waits, and goes on where it was."""
    topic = fresh_topic()
    spans = sender(own_kafka.bootstrap, topic)
    spans.send(30)
    plan = Plan(bootstrap=own_kafka.bootstrap, dsn=shared_dsn, topic=topic, assignment="group")
    with collector(plan):
        wait_for_spans(store, PER_RECORD)
        own_kafka.kill()
        own_kafka.start()
        spans.send(30)
        wait_for_spans(store, spans.sent * PER_RECORD)

    found = drained(replace(plan, drain=True))

    assert found == spans.expected()


@pytest.mark.parametrize("assignment", ["group", "static"])
def test_a_topic_deleted_and_made_anew_starts_at_its_beginning(
    kafka_bootstrap: str, shared_dsn: str, store: Database, assignment: str
) -> None:
    """Its records come at offsets that were stored before, and are not taken for the old ones."""
    topic = fresh_topic()
    old = sender(kafka_bootstrap, topic)
    old.send(20)
    plan = Plan(bootstrap=kafka_bootstrap, dsn=shared_dsn, topic=topic, assignment=assignment)
    with collector(plan):
        wait_for_spans(store, old.sent * PER_RECORD)
        delete_topic(kafka_bootstrap, topic)
        make_topic(kafka_bootstrap, topic, PARTITIONS)
        both = Sender(kafka_bootstrap, topic, sent=old.sent)
        both.send(30)
        wait_for_spans(store, both.sent * PER_RECORD)

    found = drained(replace(plan, drain=True))

    assert found == both.expected()
    assert store.query("SELECT uniqExact(topic_id) FROM ingest_ledger").rows == [(2,)]
