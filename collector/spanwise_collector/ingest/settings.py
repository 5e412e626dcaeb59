"""What ingest needs to be told. The environment is read elsewhere (`spanwise_collector.settings`)."""

from dataclasses import dataclass, field
from typing import Literal

from spanwise_schemas import wire


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaConnection:
    """How to reach the brokers.

    Attributes:
        bootstrap: `host:port`, several with commas.
        security_protocol: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.
        sasl_mechanism: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; not looked at without SASL.
        ssl_cafile: path of the certificate authority's file; empty for the system's.
        request_timeout_s: after this long without an answer a request has failed.
    """

    bootstrap: str
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str = "PLAIN"
    sasl_username: str = ""
    sasl_password: str = field(default="", repr=False)
    ssl_cafile: str = ""
    request_timeout_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSettings:
    """How one collector reads, batches and recovers.

    Attributes:
        kafka: how to reach the brokers.
        code_version: of the code that makes rows; it is written into pins, ledger and rejects.
        collector_id: how this collector is called in the pipeline's state.
        assignment: `group` shares the partitions among all collectors of the group, with the broker as the referee;
            `static` reads the partitions it is told, and nobody else may read them.
        partitions: for `static`: which ones; None for all.
        group: consumer group, for `group`.
        group_instance: a name that stays the same over restarts (`group.instance.id`), so that a short restart moves no
            partitions; empty for none.
        session_timeout_s: for `group`: a collector that is silent for so long loses its partitions.
        topics: read by this collector.
        rejects_topic: where refused records go.
        topic_partitions: of topics that do not exist yet.
        topic_replication: of topics that do not exist yet; -1 leaves it to the brokers.
        batch_rows: a batch is closed when it has about so many rows.
        batch_bytes: or so many bytes of record values.
        batch_seconds: or when its first record has waited so long.
        buffer_bytes: over all partitions, at most about so many bytes are held in memory.
        duplicate_window: spans are compared with those of so many offsets before their batch.
        lost_offsets: what to do when Kafka has deleted records that were not read yet: `stop` and say so, or `skip`
            them and count.
        reject_limit: a partition is held when a larger share of its last 1,000 items or more is refused; 1 for never.
        check_seconds: how often topics and end offsets are looked at.
    """

    kafka: KafkaConnection
    code_version: str
    collector_id: str = ""
    assignment: Literal["group", "static"] = "group"
    partitions: tuple[int, ...] | None = None
    group: str = "spanwise"
    group_instance: str = ""
    session_timeout_s: float = 45.0
    topics: tuple[str, ...] = (wire.SPANS_TOPIC, wire.LOGS_TOPIC)
    rejects_topic: str = wire.REJECTS_TOPIC
    topic_partitions: int = 2
    topic_replication: int = -1
    batch_rows: int = 50_000
    batch_bytes: int = 32_000_000
    batch_seconds: float = 0.5
    buffer_bytes: int = 256_000_000
    duplicate_window: int = 500
    lost_offsets: Literal["stop", "skip"] = "stop"
    reject_limit: float = 0.5
    check_seconds: float = 2.0
