"""Runs the dashboard as users run it: a Streamlit process on a free port."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import httpx

from spanwise_collector.embedded.broker import free_port

CHROMIUM_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
START_SECONDS = 90.0


def app_file() -> Path:
    """Where app.py lies, without importing Streamlit here."""
    spec = find_spec("spanwise_dashboard")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "app.py"


def chromium() -> str:
    """Path of the browser.

    Raises:
        FileNotFoundError: there is none; the browser tests must run, not be skipped.
    """
    path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    if not Path(path).is_file():
        raise FileNotFoundError(f"No browser at {path}. Install Debian's chromium, or set CHROMIUM to its path.")
    return path


@contextmanager
def dashboard(
    api_url: str, log: Path, variables: Mapping[str, str] | None = None, *, port: int | None = None
) -> Iterator[str]:
    """The dashboard over `api_url`, with more environment variables; yields its address once it answers."""
    port = port or free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(app_file())]
    flags = ["--server.port", str(port), "--server.address", "127.0.0.1"]
    environment = {**os.environ, "SPANWISE_API_URL": api_url, **(variables or {})}
    with (
        log.open("w") as output,
        subprocess.Popen([*command, *flags], env=environment, stdout=output, stderr=output) as process,
    ):
        url = f"http://127.0.0.1:{port}"
        try:
            _await_health(url, process, log)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _await_health(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if httpx.get(f"{url}/_stcore/health", timeout=2, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"The dashboard did not start. Its output:\n{log.read_text()}")
