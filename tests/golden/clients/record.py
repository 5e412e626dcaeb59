"""Record anew what the clients send: `python -m tests.golden.clients.record [client ...]`."""

import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from gzip import decompress
from pathlib import Path
from typing import Any, Final

from tests.golden.clients.environments import ROOT, InstallError, environment
from tests.golden.clients.programs.shared import material
from tests.golden.clients.recording import PROGRAMS, Recording, save
from tests.golden.clients.stub.receiver import Sent
from tests.golden.clients.stub.server import Stub, serve

TIMEOUT_S: Final = 180
# Long enough for the stub to notice that the client of the last case has gone.
SETTLE_S: Final = 10


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a program.

    Attributes:
        client: name of its folder.
        variant: from `client.toml`, or "".
        title: for the table.
        env: what the variant sets.
        timeout_s: when it is ended.
    """

    client: str
    variant: str
    title: str
    env: dict[str, str]
    timeout_s: float

    @property
    def name(self) -> str:
        """Of the recording."""
        return f"{self.client}-{self.variant}" if self.variant else self.client


def clients() -> list[str]:
    """Names of all programs."""
    return sorted(one.name for one in PROGRAMS.iterdir() if any((one / run).exists() for run in ("run.py", "run.mjs")))


def runs_of(client: str, folder: Path = PROGRAMS) -> list[Run]:
    """The runs of a program: one, or one per variant in its `client.toml`."""
    path = folder / client / "client.toml"
    found: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    title, timeout_s, env = found.get("title", client), found.get("timeout_s", TIMEOUT_S), found.get("env", {})
    variants = found.get("variants", {"": {}})
    return [
        Run(
            client,
            name,
            one.get("title", f"{title}, {name}" if name else title),
            env | one.get("env", {}),
            timeout_s,
        )
        for name, one in variants.items()
    ]


def without_folders(body: bytes, folders: list[str]) -> bytes:
    """A request without this machine's folders; these keep their length, which protobuf has noted."""
    for folder in folders:
        body = body.replace(folder.encode(), b"/" + b"x" * (len(folder.encode()) - 1))
    return body


def unpacked(sent: Sent, folders: list[str]) -> Sent:
    """A request with its body as it was before compression, without folders."""
    body = sent.body
    match sent.headers.get("content-encoding"):
        case "gzip":
            body = decompress(body)
        case "deflate":
            body = zlib.decompress(body)
    return Sent(sent.method, sent.path, sent.headers, without_folders(body, folders))


def variables(run: Run, url: str, home: str) -> dict[str, str]:
    """The environment variables of a program: nothing of this shell but the path."""
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": home,
        "TMPDIR": home,
        "DO_NOT_TRACK": "1",
        "PYTHONPATH": str(PROGRAMS / "shared"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "SPANWISE_SHARED": str(PROGRAMS / "shared"),
        "SPANWISE_STUB_URL": url,
        "SPANWISE_MATERIAL": str(Path(home) / "material.json"),
        "SPANWISE_VARIANT": run.variant,
        "OPENAI_BASE_URL": url + "/v1",
        "OPENAI_API_KEY": "unused",
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "unused",
        "GOOGLE_GEMINI_BASE_URL": url,
        "GEMINI_API_KEY": "unused",
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_SERVICE_NAME": "app",
        "OTEL_RESOURCE_ATTRIBUTES": "spanwise.project=golden",
        "NO_PROXY": "127.0.0.1",
        **run.env,
    }


def record(run: Run) -> Recording:
    """Run a program once against a stub of its own.

    Raises:
        InstallError: when its environment cannot be made.
        RuntimeError: when the program fails or takes too long; the message has its last lines.
    """
    command, packages = environment(PROGRAMS / run.client)
    with tempfile.TemporaryDirectory() as home, serve() as stub:
        (Path(home) / "material.json").write_text(json.dumps(material.as_json()), encoding="utf-8")
        output = Path(home) / "output.txt"
        with output.open("wb") as out:
            try:
                done = subprocess.run(
                    command,
                    env=variables(run, stub.url, home),
                    cwd=home,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    timeout=run.timeout_s,
                    check=False,
                )
                ended = f"exit code {done.returncode}" if done.returncode else ""
            except subprocess.TimeoutExpired:
                ended = f"no end after {run.timeout_s:g} s (timeout_s in its client.toml)"
        if ended:
            raise RuntimeError(f"{run.name}: {ended}. It said:\n{output.read_text(errors='replace')[-4_000:]}")
        settle(stub)
        installed = Path(command[1]).parent if command[0] == "node" else Path(command[0]).parents[1]
        folders = [home, str(installed), str(ROOT), sys.base_prefix]
        return Recording(
            run.client,
            run.variant,
            run.title,
            int(time.time() * 1000),
            packages,
            [one.as_json() for one in stub.truth.entries],
            [unpacked(one, folders) for one in stub.receiver.sent],
        )


def settle(stub: Stub) -> None:
    """Wait until the stub has noticed the end of every answer.

    Raises:
        RuntimeError: when an answer is still open after `SETTLE_S`.
    """
    end = time.monotonic() + SETTLE_S
    while is_open := [one.case for one in stub.truth.entries if one.ended == "open"]:
        if time.monotonic() > end:
            raise RuntimeError(f"the stub still answers {is_open}")
        time.sleep(0.05)


def record_all(wanted: list[str]) -> Iterator[tuple[Run, str]]:
    """Record clients; yields each run and what went wrong, "" when nothing did."""
    for client in wanted:
        for run in runs_of(client):
            print(f"{run.name} ...", flush=True)
            started = time.monotonic()
            try:
                found = record(run)
            except (InstallError, RuntimeError, subprocess.SubprocessError) as error:
                yield run, str(error)
                continue
            path = save(found)
            print(
                f"  {len(found.truth)} answers, {len(found.sent)} requests, {path.stat().st_size:,} bytes,"
                f" {time.monotonic() - started:.0f} s",
                flush=True,
            )
            yield run, ""


def main(arguments: list[str]) -> int:
    """Record the named clients, or all; 1 when one failed."""
    known = clients()
    unknown = [one for one in arguments if one not in known]
    if unknown:
        print(f"no program {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    failures = [(run, error) for run, error in record_all(arguments or known) if error]
    for run, error in failures:
        print(f"\n{run.name} failed: {error}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
