"""`spanwise up`: broker, collector and dashboard on one machine."""

import signal
import webbrowser
from pathlib import Path
from types import FrameType

from spanwise_collector.cli.datadir import claimed
from spanwise_collector.cli.errors import EXIT_FAILED, EXIT_OK, UsageError
from spanwise_collector.cli.extras import require
from spanwise_collector.cli.leftovers import stop_leftovers
from spanwise_collector.cli.plan import UpOptions, first_trace
from spanwise_collector.cli.stack import PartDiedError, Stack
from spanwise_collector.cli.terminal import Terminal
from spanwise_collector.embedded.broker import BrokerUnavailableError, broker_binary
from spanwise_collector.embedded.engine import engine_missing


class StopRequests:
    """Counts SIGINT, SIGTERM and SIGHUP instead of being interrupted by them."""

    def __init__(self) -> None:
        self.count = 0

    def install(self) -> None:
        """Take over the signals of this process."""
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):  # Windows has no SIGHUP
                signal.signal(getattr(signal, name), self._received)

    def _received(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1


def run_up(options: UpOptions, terminal: Terminal) -> int:
    """Run everything until the user asks to stop.

    Returns:
        The exit code.

    Raises:
        CommandError: something could not start, or a part died.
    """
    _check_combination(options)
    require("spanwise up", "collector", *(["dashboard"] if options.dashboard else []))
    _check_embedded(options)
    requests = StopRequests()
    requests.install()
    with claimed(options.data_dir) as data:
        terminal.line(f"Starting Spanwise; tables and logs in {_shown(options.data_dir)}")
        if before := data.read_state():
            # Only a killed start leaves its state behind.
            stop_leftovers(before.pids, terminal)
            data.state.unlink()
        stack = Stack(options, data, terminal, interrupted=lambda: requests.count)
        drain = True
        try:
            if stack.start():
                _announce(stack, options, terminal)
                stack.watch()
                terminal.line("Stopping (press Ctrl-C again to skip storing what is left) ...")
            else:
                drain = False
        except PartDiedError as death:
            terminal.line()
            terminal.failed(death.part.name, str(death))
            # Without a broker there is nothing to drain from.
            drain = death.part.name != "broker"
            return EXIT_FAILED
        finally:
            stack.stop(drain=drain)
    terminal.line("Stopped.")
    return EXIT_OK


def _check_combination(options: UpOptions) -> None:
    """Refuse options that would be ignored."""
    if options.kafka and options.kafka_port is not None:
        raise UsageError(
            "--kafka-port is the port of the packaged broker, which --kafka leaves out. Give one of the two."
        )
    if not options.dashboard and options.dashboard_port is not None:
        raise UsageError("--dashboard-port has no use with --no-dashboard. Give one of the two.")


def _check_embedded(options: UpOptions) -> None:
    """Say at once what cannot run here, before anything is started."""
    if not options.kafka:
        try:
            broker_binary()
        except BrokerUnavailableError as error:
            raise UsageError(str(error)) from error
    if not options.clickhouse and (missing := engine_missing()):
        raise UsageError(missing)


def _announce(stack: Stack, options: UpOptions, terminal: Terminal) -> None:
    page = stack.dashboard_url or f"{stack.collector_url}/docs"
    terminal.line()
    terminal.line(f"Spanwise is up: {page}")
    terminal.line()
    terminal.line("Send a first trace from another terminal:")
    terminal.line()
    for line in first_trace(stack.kafka).splitlines():
        terminal.line(f"    {line}" if line else "")
    terminal.line()
    terminal.line(f"OpenTelemetry exporters send to it with OTEL_EXPORTER_OTLP_ENDPOINT={stack.collector_url}")
    terminal.line()
    terminal.line("Ctrl-C stores what is still in Kafka and stops everything.")
    if options.open_browser:
        webbrowser.open(page)


def _shown(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path.resolve())
