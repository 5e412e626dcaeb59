"""Reading rejects and writing them back, on a real broker."""

from contextlib import closing

from spanwise_collector.ingest.accounts import Rejection
from spanwise_collector.ingest.landing import to_reject
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.settings import KafkaConnection
from spanwise_collector.ingest.source import LogRange
from spanwise_collector.rejects.kafka_log import KafkaRejectLog
from spanwise_collector.rejects.log import Outgoing
from spanwise_collector.rejects.replay import plan, replay
from spanwise_collector.rejects.scan import newest_first
from tests.support.brokers import make_topic
from tests.support.logs import BrokerUnderTest, fresh_topic
from tests.support.otlp import NOW_MS


def test_rejects_are_read_and_written_to_where_they_lay(kafka_bootstrap: str) -> None:
    """Every reject is found, the newest first; each is written to its partition with key, headers and time."""
    topic = fresh_topic()
    make_topic(kafka_bootstrap, topic, 2)
    make_topic(kafka_bootstrap, f"{topic}-rejects")
    originals = [
        Record(topic, "id", number % 2, number, NOW_MS + number, b"k", b"v%d" % number, (("h", b"1"),))
        for number in range(300)
    ]
    sink = BrokerUnderTest(kafka_bootstrap, group=False).rejects(f"{topic}-rejects")
    sink.publish([to_reject(Rejection(one, "too_old", "", 1), code_version="1") for one in originals])
    sink.close()

    with closing(KafkaRejectLog(KafkaConnection(bootstrap=kafka_bootstrap), f"{topic}-rejects")) as log:
        held = log.ranges()
        found = list(newest_first(log))
        outcome = replay(log, plan(found).chosen, lambda outcome: None)

    with closing(KafkaRejectLog(KafkaConnection(bootstrap=kafka_bootstrap), topic)) as written:
        back = [one for number in (0, 1) for one in written.read(number, 0, 150)]
    assert held == {0: LogRange(0, 300)}
    assert [one.at.offset for one in found] == list(range(299, -1, -1))
    assert (outcome.acknowledged, outcome.failures) == (300, [])
    assert [(one.partition, one.key, one.value, one.headers, one.timestamp_ms) for one in back] == [
        (
            one.partition,
            one.key,
            one.value,
            (("h", b"1"), ("spanwise-replayed", f"{topic}-rejects:0:{one.offset}".encode())),
            one.timestamp_ms,
        )
        for one in sorted(originals, key=lambda one: (one.partition, one.offset))
    ]


def test_what_is_not_there_is_told(kafka_bootstrap: str) -> None:
    """A topic that was never made is empty; a record for a partition that does not exist fails by itself."""
    topic = fresh_topic()
    make_topic(kafka_bootstrap, topic)

    with closing(KafkaRejectLog(KafkaConnection(bootstrap=kafka_bootstrap), f"{topic}-none")) as log:
        held = log.ranges()
        said = log.write([Outgoing(topic, partition, None, b"v", (), None) for partition in (9, 0)])

    assert held == {}
    assert [bool(why) for why in said] == [True, False]
