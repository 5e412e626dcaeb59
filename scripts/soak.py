"""`make soak`: thousands of schedules by several processes, each with its own broker, engine and seed; one sum.

A schedule mostly waits for sessions that end and requests that time out, so that more processes than cores pay.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUMS = ("steps", "faults", "records", "spans", "rejected", "reject_repeats", "lost", "doubled")
COUNTERS = ("faults_by_kind", "outcomes")
# Without pytest's records of the log, which would hold millions of lines.
PYTEST = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:logging", "-p", "no:cacheprovider"]
PYTEST += ["tests/kafka/test_schedules.py", "-k", "test_every_span_is_stored_once"]
PROGRESS_S = 60.0
STOP_S = 30.0


@dataclass
class Worker:
    """One process of pytest, and what it has said so far."""

    seed: int
    log: Path
    process: subprocess.Popen[bytes]

    def told(self) -> dict[str, Any]:
        """Its last line of figures; empty before the first."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        for line in reversed(lines):
            if line.startswith('{"schedules"'):
                with suppress(ValueError):  # half a line
                    return dict(json.loads(line))
        return {}


def summed(told: list[dict[str, Any]]) -> dict[str, Any]:
    """Figures of all workers together."""
    total: dict[str, Any] = {"schedules": sum(one.get("schedules", 0) for one in told)}
    total |= {name: sum(one.get(name, 0) for one in told) for name in SUMS}
    for name in COUNTERS:
        counts: Counter[str] = Counter()
        for one in told:
            counts.update(one.get(name, {}))
        total[name] = dict(counts.most_common())
    return total


def shares(schedules: int, workers: int) -> list[int]:
    """How many schedules each worker runs."""
    return [schedules // workers + (number < schedules % workers) for number in range(workers)]


def start(number: int, share: int, seed: int, directory: Path, more: list[str]) -> Worker:
    """Begin one worker's share."""
    log = directory / f"worker-{number}.log"
    # With CI the schedules would be the same for each worker.
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*PYTEST, f"--hypothesis-seed={seed}", *more],
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**environment, "SPANWISE_TEST_BROKER": "kafka", "SPANWISE_TEST_SCHEDULES": str(share)},
        )
    return Worker(seed, log, process)


def stop(worker: Worker) -> None:
    """End it, and its broker with it."""
    if worker.process.poll() is None:
        worker.process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            worker.process.wait(STOP_S)
    # A worker that is in the middle of a schedule may not listen; its broker, a session of its own, would outlive it.
    left = children(worker.process.pid)
    worker.process.kill()
    for child in left:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def children(pid: int) -> list[int]:
    """Processes that a process has started, from Linux's /proc; none where there is no such process."""
    with suppress(OSError):
        return [
            int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()
        ]
    return []


def watch(workers: list[Worker], began: float) -> None:
    """Until all have ended or one has failed; says every minute how far they are."""
    told_at = began
    while any(worker.process.poll() is None for worker in workers) and not any(w.process.poll() for w in workers):
        time.sleep(1)
        if time.monotonic() - told_at >= PROGRESS_S:
            told_at = time.monotonic()
            sums = summed([worker.told() for worker in workers])
            done = {name: sums[name] for name in ("schedules", "spans", "lost", "doubled")}
            print(json.dumps({"so far": done, "seconds": round(told_at - began)}), file=sys.stderr, flush=True)


def main() -> int:
    """Run, tell the sum every minute and at the end; 1 when a schedule went wrong, with what its worker said."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--schedules", type=int, default=5_000, help="together (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=3, help="processes, of 1.5 GB each (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=int(time.time()), help="of the first worker; the next ones count on"
    )
    options, more = parser.parse_known_args()
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            print(f"make soak needs {tool}: install Java 17 or later, and Maven.", file=sys.stderr)
            return 2
    subprocess.run(["mvn", "-q", "-B", "dependency:copy-dependencies"], cwd="tests/kafka", check=True)
    print(f"seed {options.seed}: SEED={options.seed} make soak draws the same schedules", flush=True)
    # Told to end, as by Ctrl-C: the sums so far, and no worker is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began, interrupted = time.monotonic(), False
    with ExitStack() as stack:
        directory = Path(tempfile.mkdtemp(prefix="spanwise-soak-"))
        workers: list[Worker] = []
        for number, share in enumerate(shares(options.schedules, options.workers)):
            workers.append(start(number, share, options.seed + number, directory, more))
            stack.callback(stop, workers[-1])
        try:
            watch(workers, began)
        except KeyboardInterrupt:
            interrupted = True
        failed = [] if interrupted else [worker for worker in workers if worker.process.poll()]
    figures = summed([worker.told() for worker in workers])
    figures |= {"seconds": round(time.monotonic() - began), "seed": options.seed, "workers": options.workers}
    print(json.dumps(figures | ({"interrupted": True} if interrupted else {})), flush=True)
    for worker in failed:
        print(f"\nThe worker with seed {worker.seed} failed; all it said is in {worker.log}:", file=sys.stderr)
        print("\n".join(worker.log.read_text(errors="replace").splitlines()[-60:]), file=sys.stderr)
    return 130 if interrupted else 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
