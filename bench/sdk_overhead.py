"""What the SDK costs and what it keeps: one JSON line.

`python -m bench.sdk_overhead`; about a minute and a half. Each figure names its unit in its key. Times are medians;
where two things are compared they alternate within one process (calls) or one after the other (imports), so that a
busy machine slows both.
"""

import asyncio
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from spanwise_collector.embedded.broker import EmbeddedBroker, free_port
from tests.support.sdk_process import Reader, make_topics, program, run, start, unique_name

ROUNDS = 15
CALLS = 2_000
BURST = 50_000
CALLS_WHILE_AWAY = 100_000
PENDING = 10


def overhead() -> dict[str, Any]:  # noqa: C901 (the two sides stand next to each other, sync and async)
    """Decorated call against the bare OpenTelemetry span with the same attributes.

    The bare side hands its finished spans to nobody; ours queues them, and what the background threads then do is
    counted in as far as it happens during the calls.
    """
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    import spanwise
    from spanwise._client import Client, start_client
    from spanwise._config import load
    from tests.support.fake_transport import FakeTransport

    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("bare")
    provider = TracerProvider(shutdown_on_exit=False)
    start_client(
        Client(load({"tracer_provider": provider, "handle_sigterm": False}), lambda config, producer: FakeTransport())
    )

    def answer(question: str, limit: int = 3) -> list[str]:
        return ["one", "two"]

    async def answer_later(question: str, limit: int = 3) -> list[str]:
        return ["one", "two"]

    def write_output(span: trace.Span, result: object) -> None:
        span.set_attribute("output.value", json.dumps(result))
        span.set_attribute("output.mime_type", "application/json")

    def bare(question: str, limit: int = 3) -> list[str]:
        content = {
            "input.value": json.dumps({"question": question, "limit": limit}),
            "input.mime_type": "application/json",
        }
        with tracer.start_as_current_span("answer", attributes=content) as span:
            result = answer(question, limit=limit)
            write_output(span, result)
        return result

    async def bare_later(question: str, limit: int = 3) -> list[str]:
        content = {
            "input.value": json.dumps({"question": question, "limit": limit}),
            "input.mime_type": "application/json",
        }
        with tracer.start_as_current_span("answer", attributes=content) as span:
            result = await answer_later(question, limit=limit)
            write_output(span, result)
        return result

    question = "What does the pro plan cost per seat and month?"
    observed, observed_later = spanwise.observe(answer), spanwise.observe(answer_later)

    def sync_calls(call: Callable[..., Any]) -> Callable[[], None]:
        def repeat() -> None:
            for _ in range(CALLS):
                call(question, limit=2)

        return repeat

    def async_calls(call: Callable[..., Any]) -> Callable[[], None]:
        async def repeat() -> None:
            for _ in range(CALLS):
                await call(question, limit=2)

        return lambda: asyncio.run(repeat())

    found: dict[str, Any] = {}
    for name, plain, ours in (
        ("sync", sync_calls(bare), sync_calls(observed)),
        ("async", async_calls(bare_later), async_calls(observed_later)),
    ):
        turns = _alternate(plain, ours, after=lambda: spanwise.flush(30))
        found[f"{name}_bare_us"] = round(statistics.median(bare_turn.wall for bare_turn, _ in turns) / CALLS * 1e6, 1)
        found[f"{name}_observe_us"] = round(statistics.median(our_turn.wall for _, our_turn in turns) / CALLS * 1e6, 1)
        found[f"{name}_ratio"] = round(statistics.median(b.wall / a.wall for a, b in turns), 2)
        found[f"{name}_cpu_ratio"] = round(statistics.median(b.cpu / a.cpu for a, b in turns), 2)
    spanwise.shutdown()
    return found


@dataclass(frozen=True, slots=True)
class Turn:
    """Seconds of one turn: on the clock, and of the calling thread's processor time, for busy machines."""

    wall: float
    cpu: float


def _alternate(
    first: Callable[[], None], second: Callable[[], None], after: Callable[[], object]
) -> list[tuple[Turn, Turn]]:
    """Both by turns; what the second leaves in the background is done before the first's next turn."""

    def turn(call: Callable[[], None]) -> Turn:
        wall, cpu = time.perf_counter(), time.thread_time()
        call()
        return Turn(time.perf_counter() - wall, time.thread_time() - cpu)

    first()
    second()
    after()
    turns = []
    for _ in range(ROUNDS):
        turns.append((turn(first), turn(second)))
        after()
    return turns


def imports() -> dict[str, Any]:
    """`import spanwise` against `import opentelemetry.sdk.trace`, each in fresh processes by turns."""

    def seconds(module: str) -> float:
        code = f"import time; began = time.perf_counter(); import {module}; print(time.perf_counter() - began)"
        return float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout)

    modules = ("opentelemetry.sdk.trace", "spanwise")
    for module in modules:
        seconds(module)
    times = [[seconds(module) for module in modules] for _ in range(11)]
    return {
        "import_opentelemetry_sdk_trace_ms": round(statistics.median(a for a, _ in times) * 1e3, 1),
        "import_spanwise_ms": round(statistics.median(b for _, b in times) * 1e3, 1),
        "import_ratio": round(statistics.median(b / a for a, b in times), 2),
    }


def packages() -> dict[str, Any]:
    """How many packages `pip install spanwise` brings, itself included, and their size as installed."""
    from packaging.requirements import Requirement

    seen: dict[str, int] = {}

    def visit(name: str) -> None:
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in seen:
            return
        found = distribution(name)
        seen[key] = sum(file.size or 0 for file in found.files or ())
        for text in found.requires or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                visit(requirement.name)

    visit("spanwise")
    return {"packages": len(seen), "packages_mb": round(sum(seen.values()) / 1e6, 1)}


def burst(bootstrap: str) -> dict[str, Any]:
    """Calls back to back on a healthy broker; every span is read back from it."""
    name = unique_name()
    reader = Reader(bootstrap)
    body = f"""
        began = time.perf_counter()
        for n in range({BURST}):
            work(n)
        took = time.perf_counter() - began
        spanwise.flush(60)
        stats = spanwise.stats()
        print(took, time.perf_counter() - began, stats.sent, stats.dropped_total)
    """
    done = run(program(body, kafka=bootstrap), name)
    took, all_sent, sent, dropped = done.stdout.split()
    stored, twice = reader.read().count(name)
    reader.close()
    return {
        "burst_calls": BURST,
        "burst_s": round(float(took), 2),
        "burst_until_sent_s": round(float(all_sent), 2),
        "burst_in_broker": stored,
        "burst_twice": twice,
        "burst_dropped_counted": int(dropped),
        "burst_lost_uncounted": BURST - stored - int(dropped),
        "burst_sent": int(sent),
    }


def away() -> dict[str, Any]:
    """Calls with no broker: how much memory grows, and how long the exit takes."""
    body = f"""
        def rss():
            with open("/proc/self/status") as status:
                return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        before = rss()
        for n in range({CALLS_WHILE_AWAY}):
            work({{"number": n, "text": os.urandom(100).hex()}})
        grown = rss() - before
        stats = spanwise.stats()
        print(grown / 1024, stats.emitted, stats.dropped_total, stats.queued, time.time(), flush=True)
    """
    done = run(program(body, kafka=f"127.0.0.1:{free_port()}", exit_timeout_s=3), unique_name())
    ended = time.time()
    grown, emitted, dropped, queued, at = done.stdout.split()
    return {
        "away_calls": int(emitted),
        "away_memory_mb": round(float(grown), 1),
        "away_dropped_counted": int(dropped),
        "away_queued": int(queued),
        "away_exit_s": round(ended - float(at), 2),
    }


def exits(bootstrap: str) -> dict[str, Any]:
    """Seconds from a program's last line to its end, with a broker that is healthy, refuses or hangs."""
    body = f"""
        for n in range({PENDING}):
            work(n)
        print(time.time(), flush=True)
    """
    found = {}
    with socket.socket() as hung:
        hung.bind(("127.0.0.1", 0))
        hung.listen(64)
        brokers = {
            "healthy": bootstrap,
            "refused": f"127.0.0.1:{free_port()}",
            "hung": f"127.0.0.1:{hung.getsockname()[1]}",
        }
        for kind, address in brokers.items():
            done = run(program(body, kafka=address, exit_timeout_s=3), unique_name())
            found[f"exit_{kind}_s"] = round(time.time() - float(done.stdout), 2)
    return found


ENDS = {"return": "pass", "exception": "raise RuntimeError('fails')", "sys_exit": "sys.exit(3)"}

FORK = """
        for worker in range(4):
            if os.fork() == 0:
                for n in range(10):
                    work(n)
                sys.exit(0)
        for worker in range(4):
            os.wait()
"""


def pending(bootstrap: str) -> dict[str, Any]:
    """How many of ten pending spans arrive at each end of a process, and how many of forked children."""
    calls = f"for n in range({PENDING}): work(n)"
    found: dict[str, Any] = {"pending": PENDING}
    for end, code in ENDS.items():
        found[f"stored_at_{end}"] = _stored(bootstrap, f"\n{calls}\n{code}\n")[0]
    sigterm = f"\n{calls}\nprint('ready', flush=True)\ntime.sleep(60)\n"
    stored, status = _stored(bootstrap, sigterm, kill=True)
    found["stored_at_sigterm"], found["sigterm_status"] = stored, status
    code = "\n" + calls + "\n" + "".join(line[8:] + "\n" for line in FORK.splitlines())
    found["fork_emitted"], found["fork_stored"] = PENDING + 40, _stored(bootstrap, code)[0]
    return found


def _stored(bootstrap: str, body: str, *, kill: bool = False) -> tuple[int, int]:
    name = unique_name()
    reader = Reader(bootstrap)
    process = start(program(body, kafka=bootstrap, linger_ms=60_000, exit_timeout_s=3), name)
    if kill:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=90)
    stored, twice = reader.read().count(name)
    assert twice == 0
    reader.close()
    return stored, process.returncode


def main(arguments: Sequence[str] = ()) -> None:
    """Measure everything and print one line."""
    began = time.perf_counter()
    found: dict[str, Any] = {"bench": "sdk_overhead", "python": sys.version.split()[0], "cpus": os.cpu_count()}
    found |= imports() | packages() | overhead() | away()
    with (
        tempfile.TemporaryDirectory() as directory,
        EmbeddedBroker(port=free_port(), log_path=Path(directory) / "broker.log") as broker,
    ):
        make_topics(broker.bootstrap)
        found |= burst(broker.bootstrap) | exits(broker.bootstrap) | pending(broker.bootstrap)
    print(json.dumps(found | {"took_s": round(time.perf_counter() - began, 1)}))


if __name__ == "__main__":
    main()
