"""How the settings say to reach Kafka. Apart from the service, so that a command starts without loading it."""

from spanwise_collector.ingest.settings import KafkaConnection
from spanwise_collector.settings import Settings


def kafka_connection(settings: Settings) -> KafkaConnection:
    """How to reach the brokers."""
    return KafkaConnection(
        bootstrap=settings.kafka,
        security_protocol=settings.kafka_security_protocol,
        sasl_mechanism=settings.kafka_sasl_mechanism,
        sasl_username=settings.kafka_sasl_username,
        sasl_password=settings.kafka_sasl_password.get_secret_value(),
        ssl_cafile=str(settings.kafka_ssl_cafile or ""),
    )
