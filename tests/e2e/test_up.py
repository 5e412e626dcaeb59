"""`spanwise up` as a person uses it: real processes, real ports, real signals."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from spanwise_collector.cli.datadir import DataDirectory, UpState
from spanwise_collector.cli.http import get
from spanwise_collector.embedded.broker import free_port
from tests.support.running import (
    PATIENCE_S,
    ROOT,
    Command,
    clean_environ,
    command,
    eventually,
    is_alive,
    ready,
    run_program,
    traces,
    up_arguments,
)

CALLS = 200
PROGRAM = f"""
import spanwise

spanwise.init()

@spanwise.observe
def work(number: int) -> int:
    return number * number

for number in range({CALLS}):
    work(number)
"""


@dataclass(frozen=True, slots=True)
class Up:
    """A `spanwise up` that is ready."""

    command: Command
    data_dir: Path
    state: UpState


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """All of it, with the dashboard, for tests that do not stop it."""
    directory = tmp_path_factory.mktemp("up")
    arguments = up_arguments(directory / "data", "--dashboard-port", str(free_port()))
    with command(*arguments, output=directory / "output") as running:
        yield Up(running, directory / "data", ready(running, directory / "data"))


def spanwise(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "spanwise_collector.cli", *arguments],
        env=clean_environ(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_it_prints_addresses_and_a_first_trace_that_works(up: Up) -> None:
    """The program that `up` prints, run as it is printed, makes a trace that the API has."""
    program = [line[4:] for line in up.command.output.splitlines() if line.startswith("    ")]
    run_program("\n".join(program))

    [trace] = traces(up.state.collector, "default", 1)
    assert (trace["name"], trace["status"], trace["output_preview"]) == ("answer", "unset", "forty-two")
    assert all(address in up.command.output for address in (up.state.kafka, up.state.collector, up.state.dashboard))


def test_the_dashboard_answers(up: Up) -> None:
    """The printed address is a Streamlit app."""
    page = get(up.state.dashboard, timeout_s=30.0)

    assert page is not None
    assert (page.status, b"<title>" in page.body) == (200, True)


def test_status_of_what_runs(up: Up) -> None:
    """`spanwise status` finds a running `up` by its data directory, and succeeds because it is ready."""
    done = spanwise("status", "--data-dir", str(up.data_dir))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"collector  {up.state.collector}  ok  ")


def test_everything_that_was_sent_is_accounted_for(up: Up) -> None:
    """`spanwise audit` finds nothing wrong, and says so by its exit code too; as JSON it says the same."""
    project = "audited"
    run_program(PROGRAM.replace("init()", f'init(project="{project}", kafka="{up.state.kafka}")'))
    traces(up.state.collector, project, CALLS)

    said = spanwise("audit", "--data-dir", str(up.data_dir))
    told = json.loads(spanwise("audit", "--json", "--data-dir", str(up.data_dir)).stdout)

    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.splitlines()[-1] == "Everything is accounted for."
    assert (told["problems"], told["emitted"] - told["stored"]) == ([], 0)
    assert told["stored"] >= CALLS


def test_a_second_one_on_the_same_data_is_refused(up: Up) -> None:
    """Two never share a data directory; the message names the process that has it, and the first goes on."""
    done = spanwise("up", "--data-dir", str(up.data_dir))

    assert (done.returncode, done.stdout, up.command.process.poll()) == (2, "", None)
    assert f"is in use by another `spanwise up` (process {up.state.pid})" in done.stderr


def test_once_there_are_keys_they_are_asked_for(up: Up) -> None:
    """Also on this machine; the dashboard and this user's commands go on with the key that `up` made for them."""
    api = f"{up.state.collector}/api/v1/projects"
    open_before = get(api)
    made = spanwise("keys", "create", "--project", "shop", "--scope", "read", "--data-dir", str(up.data_dir))
    key = next(line.strip() for line in made.stdout.splitlines() if line.startswith("    sw_"))

    refused = eventually(lambda: found if (found := get(api)) and found.status == 401 else None, what="the key file")

    assert open_before is not None
    assert open_before.status == 200
    assert "An API key is needed" in str(refused.json()["detail"])
    of_key, of_up = get(api, key=key), get(api, key=up.state.key)
    assert of_key is not None
    assert of_up is not None
    assert [one["name"] for one in of_key.json()["items"]] == []  # type: ignore[attr-defined]
    assert "default" in [one["name"] for one in of_up.json()["items"]]  # type: ignore[attr-defined]
    assert "last 24 h" in spanwise("status", "--data-dir", str(up.data_dir)).stdout
    assert up.state.key not in up.command.output + (up.data_dir / "logs" / "collector.log").read_text()


def test_ctrl_c_stores_what_was_sent_and_a_restart_shows_it(tmp_path: Path) -> None:
    """Everything that was in Kafka at Ctrl-C is in the tables afterwards, although the broker forgets its log."""
    data = tmp_path / "data"
    with command(*up_arguments(data, "--no-dashboard"), output=tmp_path / "first") as first:
        state = ready(first, data)
        run_program(PROGRAM, SPANWISE_KAFKA=state.kafka, SPANWISE_PROJECT="drained")
        code = first.interrupt()

        assert (code, [part for part, pid in state.pids.items() if is_alive(pid)]) == (0, [])
        assert "drained and stopped" in first.output

    with command(*up_arguments(data, "--no-dashboard"), output=tmp_path / "second") as second:
        found = traces(ready(second, data).collector, "drained", CALLS)

    assert sorted(int(trace["output_preview"]) for trace in found) == [number * number for number in range(CALLS)]


def test_a_taken_port_is_refused_with_its_option(tmp_path: Path) -> None:
    """Who asks for a port that is taken is told which option to change; nothing is left running."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = spanwise("up", "--data-dir", str(tmp_path), "--kafka-port", str(free_port()), "--port", str(port))

    assert done.returncode == 2
    assert f"Port {port} for the collector is taken on 127.0.0.1. Choose another with --port PORT" in done.stderr


@pytest.mark.parametrize("part", ["broker", "collector"])
def test_a_part_that_dies_is_reported_and_everything_stops(part: str, tmp_path: Path) -> None:
    """When a part dies, `up` says which and how, shows the end of its log, stops the rest and fails."""
    data = tmp_path / "data"
    with command(*up_arguments(data, "--no-dashboard"), output=tmp_path / "output") as running:
        state = ready(running, data)
        os.kill(state.pids[part], signal.SIGKILL)
        code = running.process.wait(PATIENCE_S)

    assert code == 1
    assert f"The {part} was ended by signal 9. The end of {data / 'logs' / part}.log:" in running.output
    eventually(
        lambda: None if any(is_alive(pid) for pid in state.pids.values()) else True, what="the end of the other parts"
    )


def test_ctrl_c_while_it_starts_leaves_nothing_running(tmp_path: Path) -> None:
    """Stopping in the middle of the start is clean, too: exit code 0, and the directory can be used again."""
    data = tmp_path / "data"
    with command(*up_arguments(data, "--no-dashboard"), output=tmp_path / "output") as running:
        eventually(lambda: True if (data / "logs" / "collector.log").exists() else None, what="the start")
        code = running.interrupt()

    assert code == 0
    with command(*up_arguments(data, "--no-dashboard"), output=tmp_path / "again") as again:
        assert ready(again, data).pid == again.process.pid


def test_what_a_killed_start_left_running_is_stopped_by_the_next(tmp_path: Path) -> None:
    """After SIGKILL the parts run on; the next start stops them in order, so that nothing is lost, and takes over."""
    data = tmp_path / "data"
    with command(*up_arguments(data, "--no-dashboard"), output=tmp_path / "killed") as killed:
        before = ready(killed, data)
        killed.process.kill()
        killed.process.wait()
    run_program(PROGRAM, SPANWISE_KAFKA=before.kafka, SPANWISE_PROJECT="left")

    def new_state() -> UpState | None:
        assert again.process.poll() is None, again.output
        state = DataDirectory(data).read_state()
        return state if state is not None and state.pid == again.process.pid else None

    with command(*up_arguments(data, "--no-dashboard"), output=tmp_path / "again") as again:
        after = eventually(new_state, what="the next start")
        found = traces(after.collector, "left", CALLS)

    assert len(found) == CALLS
    assert [part for part, pid in before.pids.items() if is_alive(pid)] == []
    assert "collector  of a start that was killed: stopped" in again.output


def test_a_broker_that_does_not_answer_is_waited_for_in_words(tmp_path: Path) -> None:
    """With --kafka and nobody there, the collector stays unready and says what it waits for."""
    data, nobody = tmp_path / "data", f"127.0.0.1:{free_port()}"
    port = str(free_port())
    options = ["--data-dir", str(data), "--no-dashboard", "--kafka", nobody, "--port", port]
    with command("spanwise_collector.cli", "up", *options, output=tmp_path / "output") as running:

        def said() -> str | None:
            answer = get(f"http://127.0.0.1:{port}/readyz")
            text = answer.body.decode() if answer is not None and answer.status == 503 else ""
            return text if "SPANWISE_KAFKA" in text else None

        assert nobody in eventually(said, what="the reason")
        assert running.interrupt() == 0
