"""The rejects topic on Apache Kafka, which enforces the size of records."""

import random

from kafka import KafkaAdminClient

from spanwise_collector.ingest.kafka_source import MAX_REJECT_BYTES, ensure_topics
from spanwise_collector.ingest.settings import IngestSettings, KafkaConnection
from spanwise_collector.ingest.source import Reject
from tests.support.logs import BrokerUnderTest, fresh_topic


def test_a_reject_too_large_for_its_topic_is_kept_without_its_bytes(kafka_bootstrap: str) -> None:
    """Somebody made the topic with a low limit: the headers still say where the original lies, and ingest goes on."""
    topic = fresh_topic()
    admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)
    admin.close()
    log = BrokerUnderTest(kafka_bootstrap, group=False)
    sink = log.rejects(topic)

    sink.publish([Reject(b"small", b"v", ()), Reject(b"large", random.Random(1).randbytes(3_000_000), (("h", b"1"),))])
    sink.close()

    assert log.published(topic) == [
        Reject(b"small", b"v", ()),
        Reject(b"large", None, (("h", b"1"), ("spanwise-reject-omitted-bytes", b"3000000"))),
    ]


def test_the_rejects_topic_is_made_for_large_records(kafka_bootstrap: str) -> None:
    """Topics that are missing are made once, and the rejects topic takes what the others may refuse to others."""
    topic = fresh_topic()
    settings = IngestSettings(
        kafka=KafkaConnection(bootstrap=kafka_bootstrap),
        code_version="test",
        topics=(topic,),
        rejects_topic=f"{topic}-rejects",
        topic_partitions=3,
    )

    made = [ensure_topics(settings), ensure_topics(settings)]

    admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    partitions = {
        found["name"]: len(found["partitions"]) for found in admin.describe_topics([topic, f"{topic}-rejects"])
    }
    admin.close()
    log = BrokerUnderTest(kafka_bootstrap, group=False)
    value = random.Random(2).randbytes(20_000_000)
    sink = log.rejects(f"{topic}-rejects")
    sink.publish([Reject(b"k", value, ())])
    sink.close()
    assert made == [[topic, f"{topic}-rejects"], []]
    assert partitions == {topic: 3, f"{topic}-rejects": 1}
    assert len(value) < MAX_REJECT_BYTES
    assert log.published(f"{topic}-rejects") == [Reject(b"k", value, ())]
