"""How long a span takes from its end in the application to the API: `python -m bench.freshness` prints one JSON line.

A real collector process reads the packaged broker; this process emits one trace at a time through the SDK, beside a
steady load of others, and asks for it until the API has it. The time runs from the end of the root span.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import spanwise
from spanwise_collector.embedded.broker import EmbeddedBroker, free_port

LIMIT_S: Final = 3.0
"""99 of 100 spans must be visible within this time."""
TIMEOUT_S: Final = 60.0
ASK_EVERY_S: Final = 0.02


@contextmanager
def collector(
    bootstrap: str, directory: Path, port: int, settings: Mapping[str, str] = MappingProxyType({})
) -> Iterator[int]:
    """A collector with the embedded engine, as a process; its process id.

    Args:
        bootstrap: address of the broker.
        directory: for the store and the log.
        port: of its API.
        settings: environment variables; without any all settings have their defaults.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SPANWISE_")}
    environ |= {
        "SPANWISE_KAFKA": bootstrap,
        "SPANWISE_CLICKHOUSE": f"chdb://{directory / 'store'}",
        "SPANWISE_ASSIGNMENT": "static",
        "SPANWISE_PORT": str(port),
        **settings,
    }
    with (directory / "collector.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "spanwise_collector.cli", "collector"], env=environ, stdout=log, stderr=log
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/readyz", process)
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Ask until the address answers 200."""
    deadline = time.monotonic() + TIMEOUT_S
    while not answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"{url} does not answer")
        time.sleep(ASK_EVERY_S)


def answers(url: str) -> bool:
    """Whether it answers 200."""
    try:
        with urlopen(url, timeout=TIMEOUT_S) as answer:
            return bool(answer.status == 200)
    except (HTTPError, URLError):
        return False


def emit() -> str:
    """One trace of two spans; returns its id."""
    with spanwise.span("question") as root:
        root.set_input("where is my order?")
        with spanwise.span("answer", kind="llm") as call:
            call.set_output("on its way")
        return root.trace_id


def load(per_second: int, stop: threading.Event) -> None:
    """Emit traces at a steady rate."""
    while not stop.wait(1 / per_second):
        emit()


def measure(base: str, traces: int) -> list[float]:
    """Seconds until visible, for each of some traces."""
    times: list[float] = []
    for _ in range(traces):
        trace_id = emit()
        began = time.perf_counter()
        while not answers(f"{base}/api/v1/traces/{trace_id}?project=bench"):
            if time.perf_counter() - began > TIMEOUT_S:
                raise SystemExit(f"trace {trace_id} did not become visible within {TIMEOUT_S:.0f} s")
            time.sleep(ASK_EVERY_S)
        times.append(time.perf_counter() - began)
        # Not in step with the batches: else all would wait equally long.
        time.sleep(len(times) * 0.037 % 1)
    return times


def quantile(times: list[float], share: float) -> float:
    """The value that `share` of the times do not exceed."""
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=int, default=100, help="traces to wait for (default 100)")
    parser.add_argument("--load", type=int, default=50, help="further traces per second meanwhile (default 50)")
    given = parser.parse_args()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(EmbeddedBroker(port=free_port(), log_path=directory / "broker.log"))
        port = free_port()
        stack.enter_context(collector(broker.bootstrap, directory, port))
        spanwise.init(project="bench", kafka=broker.bootstrap)
        stop = threading.Event()
        background = threading.Thread(target=load, args=(given.load, stop), daemon=True)
        background.start()
        measure(f"http://127.0.0.1:{port}", 3)  # the first ones wait for imports and caches
        times = measure(f"http://127.0.0.1:{port}", given.traces)
        stop.set()
        background.join(5)
        spanwise.shutdown()
    figures = {
        "traces": len(times),
        "p50_s": round(quantile(times, 0.5), 3),
        "p99_s": round(quantile(times, 0.99), 3),
        "max_s": round(max(times), 3),
        "limit_p99_s": LIMIT_S,
    }
    print(json.dumps({"benchmark": "freshness", **figures}))


if __name__ == "__main__":
    main()
