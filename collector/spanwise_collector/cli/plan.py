"""What `spanwise up` runs, worked out from its options without touching anything."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
"""Everything listens on loopback only: without API keys, whoever is on this machine is served."""

USUAL_KAFKA_PORT = 9092
USUAL_COLLECTOR_PORT = 4318
USUAL_GRPC_PORT = 4317
USUAL_DASHBOARD_PORT = 8501
DRAIN_SECONDS = 30.0
"""How long Ctrl-C waits for records that are in Kafka but not yet stored."""


@dataclass(frozen=True, slots=True)
class UpOptions:
    """Options of `spanwise up`.

    Attributes:
        data_dir: tables and logs.
        port: of the collector; None for the usual one or the next free.
        grpc_port: of its OTLP/gRPC receiver, likewise.
        dashboard_port: likewise.
        kafka_port: of the packaged broker, likewise.
        kafka: `host:port` of an existing broker; empty to start the packaged one.
        clickhouse: DSN of an existing server; empty for the embedded engine.
        dashboard: whether to start it.
        open_browser: whether to open the dashboard in a browser.
    """

    data_dir: Path
    port: int | None = None
    grpc_port: int | None = None
    dashboard_port: int | None = None
    kafka_port: int | None = None
    kafka: str = ""
    clickhouse: str = ""
    dashboard: bool = True
    open_browser: bool = False


def collector_command() -> list[str]:
    """How the collector is started: the same command that a cluster runs."""
    return [sys.executable, "-m", "spanwise_collector.cli", "collector", "--role", "all"]


def collector_environ(
    base: Mapping[str, str],
    *,
    kafka: str,
    clickhouse: str,
    port: int,
    grpc_port: int,
    keys_file: Path,
    alerts_file: Path,
    operator_key: str,
    packaged_broker: bool,
) -> dict[str, str]:
    """Environment of the collector: the user's own, with the addresses of this start put over it."""
    environ = {
        **base,
        "SPANWISE_KAFKA": kafka,
        "SPANWISE_CLICKHOUSE": clickhouse,
        "SPANWISE_HOST": HOST,
        "SPANWISE_PORT": str(port),
        "SPANWISE_GRPC_PORT": str(grpc_port),
        "PYTHONUNBUFFERED": "1",
    }
    environ["SPANWISE_OPERATOR_KEY"] = operator_key
    environ.pop("SPANWISE_OPERATOR_KEY_FILE", None)
    environ.setdefault("SPANWISE_DRAIN_SECONDS", str(DRAIN_SECONDS))
    environ.setdefault("SPANWISE_KEYS_FILE", str(keys_file))
    environ.setdefault("SPANWISE_ALERTS_FILE", str(alerts_file))
    if packaged_broker:
        # It takes 23 s for a group's first join and keeps no commit metadata: assign partitions by configuration.
        environ["SPANWISE_ASSIGNMENT"] = "static"
        environ["SPANWISE_PARTITIONS"] = "all"
        environ["SPANWISE_TOPIC_REPLICATION"] = "1"
    return environ


def dashboard_environ(base: Mapping[str, str], *, api_key: str) -> dict[str, str]:
    """Environment of the dashboard: the user's own, with the key of this start put over it."""
    environ = {**base, "PYTHONUNBUFFERED": "1", "SPANWISE_API_KEY": api_key}
    environ.pop("SPANWISE_API_KEY_FILE", None)
    return environ


def dashboard_command(*, collector: str, port: int) -> list[str]:
    """How the dashboard is started."""
    options = ["--api", collector, "--host", HOST, "--port", str(port)]
    return [sys.executable, "-m", "spanwise_collector.cli", "dashboard", *options]


def first_trace(kafka: str) -> str:
    """The ten lines that send a first trace to this start."""
    address = "" if kafka == f"{HOST}:{USUAL_KAFKA_PORT}" else f', kafka="{kafka}"'
    return "\n".join(
        [
            "import spanwise",
            "",
            f'spanwise.init(project="default"{address})',
            "",
            "@spanwise.observe",
            "def answer(question: str) -> str:",
            '    return "forty-two"',
            "",
            'print(answer("What is six times seven?"))',
        ]
    )
