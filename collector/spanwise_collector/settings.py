"""Every setting of the collector: environment variables with the prefix `SPANWISE_`.

docs/configuration.md is made from the descriptions here. Wrong values stop the start with the name of the variable
and what to write.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from spanwise_collector.alerts.channels.addresses import read_networks
from spanwise_collector.store.dsn import parse_dsn
from spanwise_schemas.masking_settings import read_keys, read_patterns
from spanwise_schemas.secret_files import SecretFileError, secret_of

PREFIX: Final = "SPANWISE_"
Role = Literal["ingest", "api", "otlp", "alerts", "evals"]
ROLES: Final[tuple[Role, ...]] = ("ingest", "api", "otlp", "alerts", "evals")
MIN_OPERATOR_KEY: Final = 24
"""Characters of an operator's key at least, so that it cannot be guessed."""
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
        "OTLP and writes it to Kafka), `alerts` (evaluates alert rules and delivers notifications), `evals` (scores "
        "spans, as SPANWISE_EVALS_FILE says), or `all`; several separated by commas.",
    )
    host: str = Field(
        "127.0.0.1",
        description="Address that the HTTP API and the OTLP receivers listen on. Others than this machine need an API "
        "key (SPANWISE_KEYS_FILE), and TLS, which a proxy in front does; see docs/security.md.",
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
    reject_limit: float = Field(
        0.5,
        description="When more than this share of a partition's last items (1,000 at least) would be refused, the "
        "partition is held before them: nothing is lost, and nothing is drained into spanwise_rejects. Put right what "
        "is wrong and restart, or set it to 1, which refuses without a limit.",
        gt=0,
        le=1,
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
    retention_file: Path | None = Field(
        None,
        description="File that says which projects keep what for a shorter time, see docs/erasure.md; it is read again "
        "every hour. Empty: none.",
    )

    # Alerts
    alerts_file: Path | None = Field(
        None,
        description="File with alert rules and channels, see docs/alerts.md; it is read again when it changes. "
        "Collectors with the roles `api` and `alerts` read the same one.",
    )
    alerts_seconds: float = Field(
        60.0,
        description="Seconds between two looks at whether alert rules have something to evaluate; 0 turns evaluating "
        "off.",
        ge=0,
        le=3600,
    )
    sql_evals_seconds: float = Field(
        5.0,
        description="With the role `evals`: seconds from the end of a round of the SQL evaluators to the next; 0 turns "
        "them off.",
        ge=0,
        le=3600,
    )
    exports_file: Path | None = Field(
        None,
        description="File that says which datasets and scores are written out on a schedule, see docs/exports.md; it "
        "is read again at each look. A collector with the role `alerts` does it.",
    )
    export_directory: Path | None = Field(
        None,
        description="Absolute path of the directory for exports. ClickHouse writes there: of a server it is a "
        "directory of its machine inside its `user_files_path`.",
    )
    export_s3_url: str = Field(
        "",
        description="Bucket for exports instead of a directory, of any S3-compatible storage: "
        "`https://host/bucket/prefix`. ClickHouse writes there.",
        pattern=r"^(https?://[^/\s]+/\S+)?$",
    )
    export_s3_key_id: str = Field(
        "", description="Access key for SPANWISE_EXPORT_S3_URL. Empty: the engine's own credentials."
    )
    export_s3_secret: SecretStr = Field(SecretStr(""), description="Secret of SPANWISE_EXPORT_S3_KEY_ID.")
    exports_seconds: float = Field(
        60.0, description="Seconds between two looks at whether an export is due.", gt=0, le=3600
    )
    alerts_built_in: bool = Field(
        True,
        description="Whether every project has the built-in alert rules, which tell nobody as long as there are no "
        "channels; see docs/alerts.md.",
    )
    alerts_private_networks: str = Field(
        "",
        description="Private networks that webhooks may go to, such as `10.0.0.0/8,127.0.0.1`. Empty: notifications go "
        "to public addresses alone.",
    )
    dashboard_url: str = Field(
        "",
        description="Address at which people open the dashboard, such as `https://spanwise.example.com`, for links in "
        "notifications. Empty: they have none.",
    )

    # Evals
    evals_file: Path | None = Field(
        None,
        description="File with evaluators and judges that score spans as they come, see docs/judges.md; it is read "
        "again when it changes. Empty: nothing is scored here.",
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

    # Who may come in
    keys_file: Path | None = Field(
        None,
        description="File with the API keys that the OTLP receivers and the API accept, written by `spanwise keys`; it "
        "is read again when it changes. While there is no such file, only this machine's loopback address is served.",
    )
    operator_key: SecretStr = Field(
        SecretStr(""),
        description="A secret of at least 24 characters that opens everything, besides the keys of the file: for the "
        "dashboard and the commands of whoever runs this, which send it as SPANWISE_API_KEY. Empty: none.",
    )

    # OTLP receivers
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
    sql_at_once: int = Field(
        2,
        description="Questions in SQL (`spanwise sql`) that may run at the same time; 0 switches them off.",
        ge=0,
        le=64,
    )
    sql_seconds: float = Field(
        30.0, description="Seconds after which a question in SQL is stopped and answered with 504.", gt=0, le=600
    )
    sql_memory_bytes: int = Field(
        1_000_000_000, description="Bytes of memory that a question in SQL may use.", ge=16_000_000, le=1 << 40
    )
    sql_rows_read: int = Field(
        100_000_000, description="Rows of tables that a question in SQL may read.", ge=1_000, le=1 << 60
    )
    sql_rows: int = Field(
        10_000, description="Rows that a question in SQL is answered with at most.", ge=1, le=1_000_000
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
            raise ValueError(
                f"write all, ingest, api, otlp, alerts or evals (several separated by commas), not {value!r}"
            )
        return frozenset(names)

    @field_validator("grpc_port", mode="before")
    @classmethod
    def _off_is_none(cls, value: Any) -> Any:
        return None if value in _OFF else value

    @field_validator("operator_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < MIN_OPERATOR_KEY:
            raise ValueError(f"write at least {MIN_OPERATOR_KEY} characters, such as those of `openssl rand -hex 32`")
        return value

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

    @field_validator("alerts_private_networks")
    @classmethod
    def _networks(cls, value: str) -> str:
        read_networks(value)
        return value

    @field_validator("dashboard_url")
    @classmethod
    def _dashboard(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError(f"write an address that begins with https:// or http://, not {value!r}")
        return value.rstrip("/")

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

    @field_validator(
        "prices_file",
        "kafka_ssl_cafile",
        "keys_file",
        "alerts_file",
        "evals_file",
        "exports_file",
        "export_directory",
        mode="before",
    )
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
        if self.exports_file is not None and (self.export_directory is None) == (not self.export_s3_url):
            raise ValueError(
                "SPANWISE_EXPORTS_FILE needs SPANWISE_EXPORT_DIRECTORY or SPANWISE_EXPORT_S3_URL, one of them"
            )
        if self.export_directory is not None and not self.export_directory.is_absolute():
            raise ValueError(f"SPANWISE_EXPORT_DIRECTORY={self.export_directory} is not an absolute path")
        if bool(self.export_s3_key_id) != bool(self.export_s3_secret.get_secret_value()):
            raise ValueError("SPANWISE_EXPORT_S3_KEY_ID and SPANWISE_EXPORT_S3_SECRET need each other")
        if self.clickhouse_cluster and self.clickhouse.startswith("chdb"):
            raise ValueError(
                "SPANWISE_CLICKHOUSE_CLUSTER needs a ClickHouse server in SPANWISE_CLICKHOUSE, not chdb://"
            )
        return self


SECRETS: Final = (
    "clickhouse",
    *(name for name, field in Settings.model_fields.items() if field.annotation is SecretStr),
)
"""Settings that a file can hold, named by the variable with `_FILE` behind it."""


def load(**overrides: Any) -> Settings:
    """The settings from the environment.

    Args:
        overrides: values by field name that win over the environment (command line options).

    Raises:
        SettingsError: with every wrong setting, and no secret in it.
    """
    try:
        return Settings(**{**_secrets_of_files(os.environ), **overrides})
    except ValidationError as error:
        raise SettingsError("\n".join(_line(dict(problem)) for problem in error.errors(include_input=False))) from None


def _secrets_of_files(environ: Mapping[str, str]) -> dict[str, str]:
    """Secrets, and addresses that may hold one, from the files that `<variable>_FILE` names.

    Raises:
        SettingsError: a file cannot be read, or its secret is in the environment as well.
    """
    variables = {name: f"{PREFIX}{name.upper()}" for name in SECRETS}
    try:
        return {
            name: secret_of(environ, variable)
            for name, variable in variables.items()
            if environ.get(f"{variable}_FILE")
        }
    except SecretFileError as error:
        raise SettingsError(str(error)) from error


def _line(problem: dict[str, Any]) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ")
    if not problem["loc"]:
        return message
    name = PREFIX + str(problem["loc"][0]).upper()
    allowed = Settings.model_fields[str(problem["loc"][0])].description or ""
    return f"{name}: {message}. {allowed}"
