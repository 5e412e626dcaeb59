"""Spanwise as users run it: commands in processes of their own, and questions over HTTP."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from spanwise_collector.cli.datadir import DataDirectory, UpState
from spanwise_collector.cli.http import get
from spanwise_collector.cli.leftovers import command_line
from spanwise_collector.embedded.broker import free_port

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
PATIENCE_S = 120.0
"""Far beyond what anything here takes, for slow and loaded machines; only a failing test waits so long."""


def clean_environ(**more: str) -> dict[str, str]:
    """The environment without settings that would change what is tested, and with a free port for gRPC."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPANWISE_", "OPENAI_", "OTEL_"))}
    return {**kept, "SPANWISE_GRPC_PORT": "0", **more}


def eventually(read: Callable[[], T | None], *, what: str) -> T:
    """The first value that is not None.

    Raises:
        AssertionError: there was none within `PATIENCE_S`.
    """
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        value = read()
        if value is not None:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {PATIENCE_S:.0f} s")


def ask(base: str, path: str, *, api_key: str = "", **parameters: object) -> dict[str, Any]:
    """The JSON that the API answers."""
    answer = get(f"{base}{path}?{urlencode(parameters)}", key=api_key, timeout_s=30.0)
    assert answer is not None, f"{base} does not answer"
    assert answer.status == 200, answer.body.decode()
    return answer.json()


def traces(base: str, project: str, count: int) -> list[dict[str, Any]]:
    """The traces of a project, newest first, as soon as there are `count` of them."""

    def read() -> list[dict[str, Any]] | None:
        items: list[dict[str, Any]] = ask(base, "/api/v1/traces", project=project, limit=200)["items"]
        return items if len(items) >= count else None

    return eventually(read, what=f"{count} traces of {project}")


def span_detail(base: str, project: str, trace_id: str, span_id: str) -> dict[str, Any]:
    """A span with its bodies, which are stored a moment after it."""

    def read() -> dict[str, Any] | None:
        found = ask(base, f"/api/v1/traces/{trace_id}/spans/{span_id}", project=project)
        return found if found["bodies"] == "stored" else None

    return eventually(read, what=f"the bodies of span {span_id}")


def run_program(program: str, **environ: str) -> str:
    """Run Python text as a user's application would run; its output.

    At its end it may take longer to send than the usual 3 s: what a loaded machine drops then is no subject here.
    """
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=clean_environ(**{"SPANWISE_EXIT_TIMEOUT_S": "60"} | environ),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Command:
    """A command that runs until it is told to stop; its output, both streams, is in a file."""

    def __init__(self, arguments: list[str], *, environ: Mapping[str, str], output: Path) -> None:
        self._output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                env=dict(environ),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._output.read_text()

    def interrupt(self) -> int:
        """Ctrl-C; its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE_S)

    def end(self) -> None:
        """Stop it whatever it does; does nothing when it has ended."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@contextmanager
def command(*arguments: str, output: Path, **environ: str) -> Iterator[Command]:
    """`python -m ...`, ended at the end of the block."""
    running = Command(list(arguments), environ=clean_environ(**environ), output=output)
    try:
        yield running
    finally:
        running.end()


def up_arguments(data_dir: Path, *options: str) -> list[str]:
    """`spanwise up` on free ports."""
    ports = ["--port", str(free_port()), "--kafka-port", str(free_port())]
    return ["spanwise_collector.cli", "up", "--data-dir", str(data_dir), *ports, *options]


def ready(running: Command, data_dir: Path) -> UpState:
    """The addresses of a `spanwise up`, as soon as all of it is ready."""

    def read() -> UpState | None:
        assert running.process.poll() is None, running.output
        return DataDirectory(data_dir).read_state()

    return eventually(read, what="spanwise up")


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not yet asked for by its parent does not."""
    return bool(command_line(pid))
