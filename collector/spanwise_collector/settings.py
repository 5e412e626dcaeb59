"""Every setting of the collector: environment variables with the prefix `SPANWISE_`.

docs/configuration.md is made from the descriptions here. Wrong values stop the start with the name of the variable
and what to write.
"""

from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from spanwise_collector.store.dsn import parse_dsn
from spanwise_schemas.masking_settings import read_keys, read_patterns

PREFIX: Final = "SPANWISE_"
Role = Literal["ingest", "api", "otlp"]
ROLES: Final[tuple[Role, ...]] = ("ingest", "api", "otlp")
_OFF: Final = ("", "off")


class SettingsError(ValueError):
    """A setting is wrong; the message has one line per variable: its name, what is wrong, what to write."""


class Settings(BaseSettings):
    """The collector's settings. Read them with `load`, which turns validation errors into one message for people."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    # What it connects to
    kafka: str = Field(
        "127.0.0.1:9092",
        description="Kafka bootstrap servers, `host:port`, several separated by commas.",
    )
    clickhouse: str = Field(
        "chdb:///var/lib/spanwise/store",
        description="Where ClickHouse is: `chdb:///absolute/path[?database=name]` opens the embedded engine (one "
        "process only), `http://user:password@host:8123/database` or `https://…` a server.",
    )
    clickhouse_cluster: str = Field(
        "",
        description="Name of the ClickHouse cluster, as in `system.clusters`. When set, tables are made replicated "
        "and Distributed, ON CLUSTER. Empty for a single server or the embedded engine.",
        pattern=r"^\w*$",
    )

    # What it does
    role: Annotated[frozenset[Role], NoDecode] = Field(
        frozenset(ROLES),
        description="What this process does: `ingest` (Kafka into ClickHouse), `api` (query API), `otlp` (receives "
        "OTLP and writes it to Kafka), or `all`; several separated by commas.",
    )
    host: str = Field(
        "127.0.0.1",
        description="Address that the HTTP API and the OTLP receivers listen on. The API has no login: put a proxy "
        "with authentication in front before listening on anything but the loopback address.",
    )
    port: int = Field(
        4318, description="TCP port of the HTTP API and of OTLP/HTTP; 0 takes a free one.", ge=0, le=65535
    )
    grpc_port: int | None = Field(
        4317, description="TCP port of OTLP/gRPC; 0 takes a free one, `off` leaves it out.", ge=0, le=65535
    )

    # Ingest
    assignment: Literal["group", "static"] = Field(
        "group",
        description="How Kafka partitions are shared: `group` by Kafka's consumer group protocol, `static` as "
        "SPANWISE_PARTITIONS says.",
    )
    partitions: str = Field(
        "all",
        description="With SPANWISE_ASSIGNMENT=static: the partition numbers that this process reads, like `0,1`, or "
        "`all`.",
        pattern=r"^(all|\d+(,\d+)*)$",
    )
    group: str = Field("spanwise", description="Kafka consumer group.", min_length=1, max_length=255)
    group_instance: str = Field(
        "",
        description="With SPANWISE_ASSIGNMENT=group: a name of this collector that stays the same over restarts, so "
        "that a short restart moves no partitions. Every collector has its own; empty for none.",
        max_length=255,
    )
    topic_partitions: int = Field(
        2,
        description="Partitions of the topics, when the collector makes them. They can be added later, not removed.",
        ge=1,
        le=10_000,
    )
    topic_replication: int = Field(
        -1,
        description="Replication factor of the topics, when the collector makes them; -1 leaves it to the brokers "
        "(`default.replication.factor`).",
        ge=-1,
        le=15,
    )
    batch_rows: int = Field(50_000, description="Spans and scores in one insert at most.", ge=1, le=1_000_000)
    batch_bytes: int = Field(
        32_000_000, description="Bytes of Kafka records in one insert at most.", ge=1_000_000, le=1_000_000_000
    )
    batch_seconds: float = Field(
        1.0,
        description="Seconds that a batch waits for more before it is inserted: the freshness of what you see.",
        gt=0,
        le=60,
    )
    lost_offsets: Literal["stop", "skip"] = Field(
        "stop",
        description="When Kafka has deleted records that were not read yet (its retention was shorter than the "
        "outage): `stop` and say so, or `skip` them and count them as lost.",
    )
    settle_seconds: float = Field(
        10.0,
        description="Seconds between two looks at whether spans that arrived later report a model call once more, so "
        "that it counts once; see docs/prices.md. 0 turns it off: then only spans of one batch are compared.",
        ge=0,
        le=3600,
    )
    settle_hours: float = Field(
        1.0,
        description="Hours back in which a span's bill may still be moved to another span of the same call.",
        gt=0,
        le=24,
    )
    drain_seconds: float = Field(
        30.0,
        description="Seconds that a stop (SIGTERM, Ctrl-C) may take to store what is still in Kafka; 0 stops at once. "
        "What is not stored then is read at the next start, except with the packaged broker, which forgets it.",
        ge=0,
        le=3600,
    )
    prices_file: Path | None = Field(
        None,
        description="A file with prices of your own, which add to or replace the price list; see docs/prices.md. "
        "Empty: none.",
    )
    retention_days: int = Field(
        30, description="Days that spans are kept. Input and output are kept for 14 days.", ge=1, le=3650
    )

    # Masking; the SDK reads the same names
    mask_patterns: str = Field(
        "",
        description="What to mask by its form: built-in names such as `email,credit_card`, or a JSON list that may "
        "hold regular expressions; see docs/masking.md.",
    )
    mask_keys: str = Field(
        "",
        description="Attributes and JSON members to mask as a whole, such as `*password*,authorization`; see "
        "docs/masking.md.",
    )

    # Kafka security; the SDK reads the same names
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How to talk to Kafka: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "PLAIN", description="SASL mechanism: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."
    )
    kafka_sasl_username: str = Field("", description="SASL user name.")
    kafka_sasl_password: SecretStr = Field(SecretStr(""), description="SASL password.")
    kafka_ssl_cafile: Path | None = Field(
        None,
        description="File with the certificates of the authorities that signed the brokers' certificates. Empty: the "
        "system's.",
    )

    # OTLP receivers
    keys_file: Path | None = Field(
        None,
        description="File with the API keys that OTLP receivers accept, written by `spanwise keys`; it is read again "
        "when it changes. While there is no such file, only this machine's loopback address is served.",
    )
    otlp_body_bytes: int = Field(
        16 << 20,
        description="Bytes of one OTLP request as it travels, compressed or not (16 MiB); a larger one is answered "
        "with 413.",
        ge=1 << 16,
        le=1 << 30,
    )
    otlp_decoded_bytes: int = Field(
        64 << 20,
        description="Bytes of one OTLP request after decompression (64 MiB); a larger one is answered with 413.",
        ge=1 << 16,
        le=1 << 32,
    )
    otlp_in_flight_bytes: int = Field(
        256 << 20,
        description="Bytes of all OTLP requests that wait for Kafka (256 MiB); beyond, requests are answered with 429. "
        "A request takes about four times its size of memory while it is decoded.",
        ge=1 << 20,
        le=1 << 36,
    )
    otlp_body_seconds: float = Field(
        10.0, description="Seconds that the body of an OTLP request may take to arrive; then 408.", gt=0, le=600
    )
    otlp_ack_seconds: float = Field(
        8.0,
        description="Seconds that Kafka may take to acknowledge an OTLP request; then 503. OpenTelemetry's exporters "
        "wait for 10 s by default.",
        ge=1,
        le=600,
    )

    # Query API
    readers: int = Field(4, description="Queries that may run at the same time.", ge=1, le=64)
    query_timeout_seconds: float = Field(
        30.0, description="Seconds after which a query is stopped and answered with 504.", gt=0, le=600
    )
    query_memory_bytes: int = Field(
        1 << 30, description="Bytes of memory that one query may use (1 GiB).", ge=16_000_000, le=1 << 40
    )

    @field_validator("role", mode="before")
    @classmethod
    def _roles(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        names = [name.strip() for name in value.split(",") if name.strip()]
        if "all" in names:
            return frozenset(ROLES)
        unknown = sorted(set(names) - set(ROLES))
        if unknown or not names:
            raise ValueError(f"write all, ingest, api or otlp (several separated by commas), not {value!r}")
        return frozenset(names)

    @field_validator("grpc_port", mode="before")
    @classmethod
    def _off_is_none(cls, value: Any) -> Any:
        return None if value in _OFF else value

    @field_validator("topic_replication")
    @classmethod
    def _replicas(cls, value: int) -> int:
        if value == 0:
            raise ValueError("write -1 for the brokers' default, or how many replicas, not 0")
        return value

    @field_validator("clickhouse")
    @classmethod
    def _address(cls, value: str) -> str:
        parse_dsn(value)
        return value

    @field_validator("kafka")
    @classmethod
    def _bootstrap(cls, value: str) -> str:
        servers = [server.strip() for server in value.split(",")]
        for server in servers:
            host, _, port = server.rpartition(":")
            if not host or not port.isdigit() or not 0 < int(port) < 65536:
                raise ValueError(f"write host:port, several separated by commas, not {server!r}")
        return ",".join(servers)

    @field_validator("mask_patterns")
    @classmethod
    def _patterns(cls, value: str) -> str:
        read_patterns(value)
        return value

    @field_validator("mask_keys")
    @classmethod
    def _keys(cls, value: str) -> str:
        read_keys(value)
        return value

    @field_validator("prices_file", "kafka_ssl_cafile", "keys_file", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("prices_file", "kafka_ssl_cafile")
    @classmethod
    def _readable(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"there is no file {value}")
        return value

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.kafka_security_protocol.startswith("SASL") and not (
            self.kafka_sasl_username and self.kafka_sasl_password.get_secret_value()
        ):
            raise ValueError(
                f"SPANWISE_KAFKA_SECURITY_PROTOCOL={self.kafka_security_protocol} needs SPANWISE_KAFKA_SASL_USERNAME "
                "and SPANWISE_KAFKA_SASL_PASSWORD"
            )
        if self.otlp_in_flight_bytes < self.otlp_body_bytes + self.otlp_decoded_bytes:
            raise ValueError(
                "SPANWISE_OTLP_IN_FLIGHT_BYTES is less than SPANWISE_OTLP_BODY_BYTES and SPANWISE_OTLP_DECODED_BYTES "
                "together, so that a request of that size would never be taken. Raise the first or lower the others."
            )
        if self.clickhouse_cluster and self.clickhouse.startswith("chdb"):
            raise ValueError(
                "SPANWISE_CLICKHOUSE_CLUSTER needs a ClickHouse server in SPANWISE_CLICKHOUSE, not chdb://"
            )
        return self


def load(**overrides: Any) -> Settings:
    """The settings from the environment.

    Args:
        overrides: values by field name that win over the environment (command line options).

    Raises:
        SettingsError: with every wrong setting, and no secret in it.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError("\n".join(_line(dict(problem)) for problem in error.errors(include_input=False))) from None


def _line(problem: dict[str, Any]) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ")
    if not problem["loc"]:
        return message
    name = PREFIX + str(problem["loc"][0]).upper()
    allowed = Settings.model_fields[str(problem["loc"][0])].description or ""
    return f"{name}: {message}. {allowed}"
