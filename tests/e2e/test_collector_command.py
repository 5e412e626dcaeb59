"""`spanwise collector` as a cluster runs it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from spanwise_collector.cli.http import get
from spanwise_collector.embedded.broker import free_port
from tests.support.running import PATIENCE_S, ROOT, ask, clean_environ, command, eventually

COLLECTOR = ("spanwise_collector.cli", "collector")


def _fails(**environ: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", *COLLECTOR],
        env=clean_environ(**environ),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("setting", "value", "remedy"),
    [
        ("SPANWISE_PORT", "http", "SPANWISE_PORT: "),
        ("SPANWISE_ROLE", "everything", "write all, ingest, api, otlp, alerts or evals"),
        ("SPANWISE_KAFKA", "broker", "write host:port"),
        ("SPANWISE_CLICKHOUSE", "mysql://db", "SPANWISE_CLICKHOUSE: "),
        ("SPANWISE_BATCH_SECONDS", "0", "SPANWISE_BATCH_SECONDS: "),
    ],
)
def test_a_wrong_setting_stops_the_start_with_its_name(setting: str, value: str, remedy: str) -> None:
    """Wrong configuration fails at once, with exit code 2, the setting and what to write; no traceback."""
    code, said = _fails(**{setting: value})

    assert code == 2
    assert said.startswith(f"spanwise collector: {setting}: ")
    assert remedy in said
    assert "Traceback" not in said


def test_the_api_role_answers_without_kafka(tmp_path: Path) -> None:
    """A collector with the role `api` needs no broker: it is ready, and answers from the store."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with command(
        *COLLECTOR,
        "--role",
        "api",
        "--port",
        str(port),
        output=tmp_path / "log",
        SPANWISE_CLICKHOUSE=f"chdb://{tmp_path / 'engine'}",
        SPANWISE_KAFKA=f"127.0.0.1:{free_port()}",
    ) as collector:

        def is_ready() -> bool | None:
            assert collector.process.poll() is None, collector.output
            answer = get(f"{base}/readyz")
            return True if answer is not None and answer.status == 200 else None

        eventually(is_ready, what="the API")
        projects = ask(base, "/api/v1/projects")
        collector.process.send_signal(signal.SIGTERM)
        code = collector.process.wait(PATIENCE_S)

    assert (projects, code) == ({"items": []}, 0)


def test_two_signals_stop_it_at_once(tmp_path: Path) -> None:
    """With the broker away draining would take its whole time; the second signal ends that, with exit code 0."""
    port = free_port()
    with command(
        *COLLECTOR,
        "--port",
        str(port),
        output=tmp_path / "log",
        SPANWISE_CLICKHOUSE=f"chdb://{tmp_path / 'engine'}",
        SPANWISE_KAFKA=f"127.0.0.1:{free_port()}",
        SPANWISE_DRAIN_SECONDS="600",
    ) as collector:
        eventually(lambda: get(f"http://127.0.0.1:{port}/healthz"), what="the API")
        collector.process.send_signal(signal.SIGTERM)
        collector.process.send_signal(signal.SIGTERM)
        code = collector.process.wait(PATIENCE_S)

    assert code == 0
    assert "ingest stopped" in collector.output
