"""What an application notices while the broker is away: `python -m bench.outage` prints one JSON line.

Two processes call the same function at the same rate, by turns: one observes it and sends to Apache Kafka, one has no
Spanwise. The broker works, is away, and works again; once it hangs (SIGSTOP), once it is killed and started on the
same log directory. Then all records are read from Kafka and compared with what the SDK says. Needs the jars that
`make test-kafka` fetches.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from bench.outage.app import FIELDS, FLUSH_S, READY, Plan
from bench.outage.figures import Call, account, latency, unpacked
from bench.samples import Memory, watched
from tests.support.kafka_broker import ApacheKafka
from tests.support.sdk_process import Reader, make_topics

LIMIT_MS: Final = 1.0
"""99 of 100 calls must not take longer than this longer."""
LIMIT_MB: Final = 30.0
"""Memory may grow by this much while the broker is away, as in bench.sdk_overhead."""
WARM_UP_S: Final = 5.0
"""Imports, connections and first allocations; not measured."""

Outage = tuple[Callable[[ApacheKafka], None], Callable[[ApacheKafka], None]]
OUTAGES: Final[dict[str, Outage]] = {
    "hangs": (ApacheKafka.pause, ApacheKafka.resume),
    "killed": (ApacheKafka.kill, ApacheKafka.start),
}


class App:
    """One of the two processes."""

    def __init__(self, directory: Path, name: str, *, rate: float, offset_s: float = 0.0, kafka: str = "") -> None:
        self._calls = directory / f"{name}.calls"
        plan = Plan(calls=str(self._calls), rate=rate, offset_s=offset_s, kafka=kafka)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.outage.app", json.dumps(vars(plan))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def wait_ready(self) -> None:
        """Until it calls.

        Raises:
            SystemExit: it ended instead.
        """
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != READY:
            raise SystemExit("the application did not start")

    def stats(self) -> dict[str, Any]:
        """The SDK's counts now."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def end(self) -> tuple[list[Call], dict[str, Any]]:
        """Stop it; all its calls and its last counts (empty for the one without Spanwise)."""
        out, _ = self._process.communicate(timeout=FLUSH_S + 30)
        if self._process.returncode:
            raise SystemExit(f"the application ended with status {self._process.returncode}")
        numbers = array("d")
        with self._calls.open("rb") as file:
            numbers.fromfile(file, self._calls.stat().st_size // numbers.itemsize // FIELDS * FIELDS)
        return unpacked(numbers), json.loads(out) if out else {}

    def kill(self) -> None:
        """End it, if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def measure(how: str, *, rate: float, seconds: float) -> dict[str, Any]:
    """Figures of one outage, of a broker of its own."""
    away, back = OUTAGES[how]
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        kafka = stack.enter_context(ApacheKafka(directory))
        make_topics(kafka.bootstrap)
        observed = App(directory, f"{how}-observed", rate=rate, kafka=kafka.bootstrap)
        stack.callback(observed.kill)
        bare = App(directory, f"{how}-bare", rate=rate, offset_s=0.5 / rate)
        stack.callback(bare.kill)
        memory = stack.enter_context(watched(observed.pid))
        observed.wait_ready()
        bare.wait_ready()
        time.sleep(WARM_UP_S)
        marks = [time.monotonic()]
        time.sleep(seconds / 4)
        marks.append(time.monotonic())
        away(kafka)
        time.sleep(seconds)
        back(kafka)  # a broker that was killed needs some seconds more
        marks.append(time.monotonic())
        counts = observed.stats()
        time.sleep(seconds / 2)
        marks.append(time.monotonic())
        calls, last = observed.end()
        plain, _ = bare.end()
        reader = Reader(kafka.bootstrap, from_start=True).read()
        reader.close()
    ours = [one for one in reader.envelopes if one.producer == last["producer"]]
    return {
        "away_s": round(marks[2] - marks[1], 1),
        **phases(calls, plain, memory, marks),
        "queued_at_end_of_outage": counts["queued"],
        "dropped_at_end_of_outage": sum(counts["dropped"].values()),
        **account(last, reader.spans, ours),
    }


def phases(calls: list[Call], plain: list[Call], memory: Memory, marks: list[float]) -> dict[str, Any]:
    """Latency and memory before, while and after the broker is away."""
    found: dict[str, Any] = {}
    for name, begin, end in zip(("before", "outage", "after"), marks, marks[1:], strict=False):
        ours, others = ([one for one in some if begin <= one.at < end] for some in (calls, plain))
        found[name] = {**latency(ours, others), **memory.between(begin, end)}
    found["memory_growth_mb"] = round(
        max(found["outage"]["max_mb"], found["after"]["max_mb"]) - found["before"]["median_mb"], 1
    )
    return found


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the broker is away (default 60)")
    parser.add_argument("--rate", type=float, default=200.0, help="calls per second, two spans each (default 200)")
    parser.add_argument("--how", choices=list(OUTAGES), action="append", help="only these (default: both)")
    given = parser.parse_args()
    figures = {how: measure(how, rate=given.rate, seconds=given.seconds) for how in given.how or OUTAGES}
    asked = {"seconds": given.seconds, "calls_per_second": given.rate}
    print(json.dumps({"benchmark": "outage", **asked, **figures, "limit_p99_ms": LIMIT_MS, "limit_mb": LIMIT_MB}))


if __name__ == "__main__":
    main()
