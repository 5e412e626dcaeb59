"""The Node example as a reader runs it. Needs node, and `npm ci` in examples/node_otlp (`make test-node` does it)."""

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spanwise_collector.cli.datadir import UpState
from tests.support.running import (
    PATIENCE_S,
    ROOT,
    ask,
    clean_environ,
    command,
    eventually,
    ready,
    span_detail,
    up_arguments,
)

EXAMPLE = ROOT / "examples" / "node_otlp"
# gpt-4.1-mini, in nano-dollars a token: input 400, cached input 100, output 1600.
COST_NANOUSD = 1000 * 400 + 200 * 100 + 50 * 1600


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpState]:
    """`spanwise up` without the dashboard."""
    directory = tmp_path_factory.mktemp("up")
    arguments = up_arguments(directory / "data", "--no-dashboard")
    with command(*arguments, output=directory / "output") as running:
        yield ready(running, directory / "data")


def run_example(**environ: str) -> str:
    """`npm start` with only the variables given; its output."""
    done = subprocess.run(
        ["npm", "--silent", "start"],
        cwd=EXAMPLE,
        env=clean_environ(**environ),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json", "grpc"])
def test_an_exporter_in_another_language_needs_only_standard_variables(up: UpState, protocol: str) -> None:
    """Tree, model, tokens, cost, messages, session, user and errors are in the API, whatever form of OTLP is chosen."""
    project = f"node-{uuid.uuid4().hex}"

    said = run_example(
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{up.grpc}" if protocol == "grpc" else up.collector,
        OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
        OTEL_EXPORTER_OTLP_COMPRESSION="gzip",
        OTEL_RESOURCE_ATTRIBUTES=f"spanwise.project={project},service.name=shop",
    )

    def complete() -> list[dict[str, Any]] | None:
        items = ask(up.collector, "/api/v1/traces", project=project)["items"]
        return items if sorted(item["spans"] for item in items) == [2, 3, 3] else None

    items = {item["user_id"]: item for item in eventually(complete, what="three whole traces")}
    assert said.splitlines()[-1] == "When are you open in Atlantis? Sorry: there is no shop in Atlantis."
    assert {user: (item["name"], item["session_id"], item["status"]) for user, item in items.items()} == {
        "ada": ("invoke_agent shop-assistant", "node-ada", "unset"),
        "bo": ("invoke_agent shop-assistant", "node-bo", "unset"),
        "cy": ("invoke_agent shop-assistant", "node-cy", "error"),
    }
    for user in ("ada", "bo"):
        item = items[user]
        assert (item["input_tokens"], item["output_tokens"], item["cost_nanousd"]) == (1200, 50, COST_NANOUSD)
    trace_id = items["bo"]["trace_id"]
    spans = ask(up.collector, f"/api/v1/traces/{trace_id}", project=project)["spans"]
    root = next(span["span_id"] for span in spans if not span["parent_span_id"])
    assert {(span["name"], span["kind"], span["parent_span_id"]) for span in spans} == {
        ("invoke_agent shop-assistant", "agent", ""),
        ("execute_tool opening_hours", "tool", root),
        ("chat gpt-4.1-mini", "llm", root),
    }
    [call] = [span["span_id"] for span in spans if span["kind"] == "llm"]
    detail = span_detail(up.collector, project, trace_id, call)
    assert "When are you open in Zürich?" in detail["input"]
    assert "8:30 to 20:00" in detail["output"]


def test_the_lock_names_no_registry() -> None:
    """Packages come from wherever npm is configured to look, held to their hashes."""
    lock = (EXAMPLE / "package-lock.json").read_text()

    assert '"resolved"' not in lock
    assert lock.count('"integrity"') > 50
    assert Path(EXAMPLE / ".npmrc").read_text() == "omit-lockfile-registry-resolved=true\n"
