"""kafka-python's errors, sorted by what helps; and its options."""

import pytest
from kafka import errors as kafka_errors

from spanwise_collector.ingest.kafka_source import connection_options, translated
from spanwise_collector.ingest.settings import KafkaConnection
from spanwise_collector.ingest.source import FencedError, MissingTopicError, SourceError, TransientSourceError


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (kafka_errors.CommitFailedError("kicked out"), FencedError),
        (kafka_errors.CommitFailedError(kafka_errors.IllegalGenerationError()), FencedError),
        (kafka_errors.UnknownMemberIdError(), FencedError),
        (kafka_errors.FencedInstanceIdError(), FencedError),
        (kafka_errors.CommitFailedError(kafka_errors.RebalanceInProgressError()), TransientSourceError),
        (kafka_errors.RebalanceInProgressError(), TransientSourceError),
        (kafka_errors.KafkaTimeoutError(), TransientSourceError),
        (kafka_errors.KafkaConnectionError(), TransientSourceError),
        (kafka_errors.CoordinatorNotAvailableError(), TransientSourceError),
        (ConnectionResetError(), TransientSourceError),
        (kafka_errors.UnknownTopicOrPartitionError(), MissingTopicError),
        (kafka_errors.TopicAuthorizationFailedError(), SourceError),
        (kafka_errors.SaslAuthenticationFailedError(), SourceError),
        (kafka_errors.OffsetMetadataTooLargeError(), SourceError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.__name__,
)
def test_errors_are_sorted_by_remedy(raised: Exception, expected: type[SourceError]) -> None:
    """Lost partitions are forgotten, silence is waited out, refusals stop; the class is exact, not a base of it."""
    with pytest.raises(SourceError) as caught, translated("trying"):
        raise raised

    assert type(caught.value) is expected
    assert "trying" in str(caught.value)


def test_options_reach_the_client() -> None:
    """Several servers, security and times; nothing about SASL where there is none."""
    plain = connection_options(KafkaConnection(bootstrap="a:1, b:2"))
    secured = connection_options(
        KafkaConnection(
            bootstrap="a:1",
            security_protocol="SASL_SSL",
            sasl_mechanism="SCRAM-SHA-512",
            sasl_username="me",
            sasl_password="secret",
            ssl_cafile="/ca.pem",
        )
    )

    assert plain["bootstrap_servers"] == ["a:1", "b:2"]
    assert not any(name.startswith("sasl") for name in plain)
    assert {name: secured[name] for name in secured if name.startswith(("sasl", "ssl", "security"))} == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "me",
        "sasl_plain_password": "secret",
        "ssl_cafile": "/ca.pem",
    }


def test_a_password_is_not_shown() -> None:
    """Settings may be logged."""
    assert "secret" not in repr(KafkaConnection(bootstrap="a:1", sasl_password="secret"))
