"""The SDK's transport on a topic of Apache Kafka that takes only small records."""

import random

from kafka import KafkaAdminClient

from spanwise._kafka import KafkaOptions, KafkaTransport
from spanwise._transport import Record, Refused, Sent
from spanwise_schemas.wire import Envelope
from tests.support.logs import fresh_topic


def test_a_refused_record_does_not_stop_those_after_it(kafka_bootstrap: str) -> None:
    """What the topic refuses is refused alone; records of the deliveries before and after it are taken."""
    topic = fresh_topic()
    admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    limits = {"num_partitions": 1, "replication_factor": 1, "configs": {"max.message.bytes": "20000"}}
    admin.create_topics({topic: limits}, wait_for_metadata=True)
    admin.close()
    small = Record(topic, 0, b"k" * 16, b"small", Envelope("ab" * 16, 0, 1, 0))
    large = Record(topic, 0, b"k" * 16, random.Random(1).randbytes(100_000), Envelope("ab" * 16, 1, 1, 0))
    transport = KafkaTransport(KafkaOptions(servers=kafka_bootstrap, client_id="test", security={}))

    outcomes = [transport.deliver([record])[0] for record in (small, large, small, small)]
    transport.close(5.0)

    assert [type(outcome) for outcome in outcomes] == [Sent, Refused, Sent, Sent]
