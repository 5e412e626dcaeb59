"""The whole of Spanwise with something to see.

Starts `spanwise up`, lets customers talk to the support bot, and writes four weeks of history through the same road.

    make demo
    python -m examples.support_bot.demo --exit-when-ready
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType

import spanwise
from examples.support_bot.backfill import backfill
from examples.support_bot.bot import SupportBot
from examples.support_bot.customers import talk
from examples.support_bot.model_service import model_service, uses_own_service
from examples.support_bot.review_queue import ReviewError, fill_queue
from spanwise_collector.cli.datadir import DataDirectory, UpState
from spanwise_collector.cli.http import get

PROJECT = "default"
RELEASE = "1.4.1"
START_TIMEOUT_S = 150.0
STORED_TIMEOUT_S = 300.0
RULES_TIMEOUT_S = 180.0
ALERT_RULES = Path(__file__).parent / "alerts.toml"
POLL_S = 0.25


class DemoError(Exception):
    """The demo cannot go on; the message says why."""


def main() -> int:
    """Run the demo.

    Returns:
        The exit code.
    """
    options = _parser().parse_args()
    stop = threading.Event()

    def stop_asked(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop_asked)
    with _running(options, stop) as up:
        try:
            if up.state is not None:
                _fill(up.state, options, stop)
                _say(f"\nThe demo is ready: {up.state.dashboard or up.state.collector + '/docs'}")
                _say("Ctrl-C stops everything; the data stays in " + str(options.data_dir))
            while not options.exit_when_ready and up.alive and not stop.wait(POLL_S):
                pass
        except DemoError as error:
            _say(f"demo: {error}")
            up.failed = True
    return up.exit_code


class _Up:
    """The `spanwise up` of this demo."""

    def __init__(self, process: "subprocess.Popen[bytes]", data: DataDirectory) -> None:
        self._process = process
        self._data = data
        self.state: UpState | None = None
        self.failed = False

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def exit_code(self) -> int:
        return 1 if self.failed else (self._process.returncode or 0)

    def wait_ready(self, stop: threading.Event) -> None:
        """Until it has published its addresses, or ended, or was asked to stop."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while self.alive and not stop.wait(POLL_S) and time.monotonic() < deadline:
            # Its own addresses only: a killed run may have left others behind.
            state = self._data.read_state()
            if state is not None and state.pid == self._process.pid:
                self.state = state
                return
        self.failed = not stop.is_set()

    def end(self) -> None:
        """Stop it, which stores what is still in Kafka."""
        if self.alive:
            self._process.send_signal(signal.SIGINT)
        self._process.wait()


@contextmanager
def _running(options: argparse.Namespace, stop: threading.Event) -> Iterator[_Up]:
    command = [sys.executable, "-m", "spanwise_collector.cli", "up", "--data-dir", str(options.data_dir), *options.up]
    # The demo's own rules take the place of the built-in ones, once there is a history that says what is usual.
    environ = {"SPANWISE_ALERTS_BUILT_IN": "false", "SPANWISE_ALERTS_SECONDS": "5", **os.environ}
    # Its own session: Ctrl-C comes to the demo, which stops sending before it stops the rest.
    up = _Up(subprocess.Popen(command, start_new_session=True, env=environ), DataDirectory(options.data_dir))
    try:
        up.wait_ready(stop)
        yield up
    finally:
        up.end()


def _fill(state: UpState, options: argparse.Namespace, stop: threading.Event) -> None:
    """Customers talk while the history is written; returns when all of it can be seen."""
    _say("")
    expected = _arrived(state)
    customers = threading.Thread(target=_live, args=(state, options.conversations, options.seed), name="customers")
    customers.start()
    if options.history_traces and not _has_history(state):
        started = time.monotonic()
        _say(f"Writing four weeks of history: {options.history_traces} traces through Kafka ...")
        written = backfill(
            kafka=state.kafka,
            project=PROJECT,
            traces=options.history_traces,
            until=datetime.now(UTC) - timedelta(minutes=1),
            seed=options.seed,
            progress=_every_second(lambda count: _say(f"  {count} spans and scores written")),
        )
        _say(f"  {written} spans and scores written in {time.monotonic() - started:.1f} s")
        expected += written
    customers.join()
    _wait_stored(state, expected + spanwise.stats().sent, stop)
    try:
        _say("  " + fill_queue(state.collector, PROJECT))
    except ReviewError as error:
        raise DemoError(f"the annotation queue: {error}") from error
    _watch(state, DataDirectory(options.data_dir).alerts, stop)


def _watch(state: UpState, alerts_file: Path, stop: threading.Event) -> None:
    """Give Spanwise alert rules now that there is a history for them, and wait until they have been tried on it."""
    if not alerts_file.exists():
        shutil.copyfile(ALERT_RULES, alerts_file)
    started = time.monotonic()
    _say("Trying alert rules on the history ...")
    while time.monotonic() - started < RULES_TIMEOUT_S and not stop.wait(POLL_S):
        answer = get(f"{state.collector}/api/v1/rules?project={PROJECT}", timeout_s=30.0)
        rules = answer.json().get("items") if answer is not None and answer.status == 200 else None
        if isinstance(rules, list) and rules and all(rule["last_evaluated"] for rule in rules if rule["enabled"]):
            firing = sum(bool(rule["firing"]) for rule in rules)
            _say(f"  {len(rules)} rules tried in {time.monotonic() - started:.1f} s; {firing} of them fire, see Alerts")
            return
    _say("  still at it; see the Alerts page in a while")


def _live(state: UpState, conversations: int, seed: int) -> None:
    spanwise.init(project=PROJECT, kafka=state.kafka, service="support-bot", environment="production", release=RELEASE)
    if uses_own_service():
        conversations = min(conversations, 5)  # these cost money
    with model_service() as (client, what):
        _say(f"{conversations} customers talk to the support bot; the model is {what} ...")
        outcome = talk(SupportBot(client), conversations=conversations, seed=seed, done=lambda _: None)
    spanwise.flush()
    _say(f"  {outcome.answered} questions answered, {outcome.failed} failed (such traces are worth a look, too)")


def _wait_stored(state: UpState, expected: int, stop: threading.Event) -> None:
    """Until so many spans and scores have arrived in the tables; or the user asks to stop."""
    started = time.monotonic()
    arrived = 0
    while time.monotonic() - started < STORED_TIMEOUT_S:
        arrived = _arrived(state)
        if arrived >= expected:
            _say(f"  all of it stored and visible after another {time.monotonic() - started:.1f} s")
            return
        if stop.wait(POLL_S):
            return
    raise DemoError(
        f"After {STORED_TIMEOUT_S:.0f} s only {arrived} of {expected} spans and scores are stored; the log of the "
        "collector is in the data directory."
    )


def _has_history(state: UpState) -> bool:
    """Whether an earlier demo has written the history into this data directory."""
    now = datetime.now(UTC)
    window = f"from={_rfc3339(now - timedelta(days=20))}&to={_rfc3339(now - timedelta(days=2))}"
    answer = get(f"{state.collector}/api/v1/overview?project={PROJECT}&{window}", timeout_s=30.0)
    current = answer.json().get("current") if answer is not None and answer.status == 200 else None
    found = isinstance(current, dict) and bool(current.get("requests"))
    if found:
        _say("The history of an earlier demo is there already.")
    return found


def _arrived(state: UpState) -> int:
    """Spans and scores of the last 24 hours in the ledger."""
    answer = get(f"{state.collector}/api/v1/pipeline", timeout_s=30.0)
    totals = answer.json().get("totals") if answer is not None and answer.status == 200 else None
    return int(totals["emitted"]) if isinstance(totals, dict) else 0


def _rfc3339(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _every_second(report: Callable[[int], None]) -> Callable[[int], None]:
    last = time.monotonic()

    def throttled(value: int) -> None:
        nonlocal last
        if time.monotonic() - last >= 1.0:
            last = time.monotonic()
            report(value)

    return throttled


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="demo",
        description="Start Spanwise with an example application and four weeks of history.",
        epilog="Options after `--` go to `spanwise up`:  make demo DEMO_ARGS='-- --no-dashboard --port 4400'",
    )
    parser.add_argument(
        "--data-dir", type=Path, default=Path(".demo"), metavar="DIR", help="tables and logs (default: .demo)"
    )
    parser.add_argument("--conversations", type=int, default=24, metavar="N", help="live conversations (default: 24)")
    parser.add_argument("--history-traces", type=int, default=12_000, metavar="N", help="0 for none (default: 12000)")
    parser.add_argument("--seed", type=int, default=int(time.strftime("%Y%m%d")), metavar="N", help="default: the date")
    parser.add_argument(
        "--exit-when-ready", action="store_true", help="stop as soon as everything is stored, for scripts"
    )
    parser.add_argument("up", nargs="*", metavar="-- OPTION", help="options of `spanwise up`")
    return parser


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
