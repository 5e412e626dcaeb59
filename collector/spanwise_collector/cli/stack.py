"""The running parts of one `spanwise up`: start in order, watch, drain in order."""

import os
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from spanwise_collector.cli.children import Child, last_lines
from spanwise_collector.cli.datadir import DataDirectory, UpState
from spanwise_collector.cli.errors import CommandError, UsageError
from spanwise_collector.cli.http import get
from spanwise_collector.cli.plan import (
    DRAIN_SECONDS,
    HOST,
    USUAL_COLLECTOR_PORT,
    USUAL_DASHBOARD_PORT,
    USUAL_GRPC_PORT,
    USUAL_KAFKA_PORT,
    UpOptions,
    collector_command,
    collector_environ,
    dashboard_command,
    dashboard_environ,
)
from spanwise_collector.cli.ports import choose_port
from spanwise_collector.cli.terminal import Terminal
from spanwise_collector.embedded.broker import BrokerUnavailableError, EmbeddedBroker
from spanwise_schemas.secret_files import SecretFileError, secret_of

READY_TIMEOUT_S = 120.0
"""Far above the few seconds that a start takes, for machines that are busy or cold."""
POLL_S = 0.1
DASHBOARD_STOP_S = 2.0
"""Streamlit can take long to say goodbye; it holds nothing that could be lost."""


class Part(Protocol):
    """What the stack watches."""

    name: str
    log_path: Path

    @property
    def pid(self) -> int:
        """Process id; 0 before it started."""

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""

    def stop(self, *, timeout_s: float) -> None:
        """Stop it, killing it after `timeout_s` seconds."""


class PartDiedError(CommandError):
    """A part ended by itself; the message has its last log lines."""

    def __init__(self, part: Part) -> None:
        code = part.exit_code
        how = f"was ended by signal {-code}" if code is not None and code < 0 else f"stopped with code {code}"
        said = "\n".join(f"    {line}" for line in last_lines(part.log_path)) or "    (nothing)"
        super().__init__(f"The {part.name} {how}. The end of {part.log_path}:\n{said}")
        self.part = part


class Stack:
    """Broker, collector and dashboard of one data directory."""

    def __init__(
        self, options: UpOptions, data: DataDirectory, terminal: Terminal, *, interrupted: Callable[[], int]
    ) -> None:
        """Nothing is started yet.

        Args:
            options: what the user asked for.
            data: the claimed data directory.
            terminal: where progress goes.
            interrupted: how often the user has asked to stop: 1 drains, 2 stops at once.

        Raises:
            UsageError: the operator's key of the environment cannot be had.
        """
        self._options = options
        self._data = data
        self._terminal = terminal
        self._interrupted = interrupted
        self._broker: EmbeddedBroker | None = None
        self._collector: Child | None = None
        self._dashboard: Child | None = None
        # Opens the collector to the dashboard and to this user's commands, also when the key file is in use.
        self._key = _operator_key(os.environ) or secrets.token_urlsafe(32)
        self.kafka = options.kafka
        self.collector_url = ""
        self.grpc = ""
        self.dashboard_url = ""

    def start(self) -> bool:
        """Start every part and wait until each is ready.

        Returns:
            False when the user asked to stop before all was ready.

        Raises:
            CommandError: a port is taken, a part died or did not become ready.
        """
        options, terminal = self._options, self._terminal
        given: set[int] = set()
        kafka_note = "" if options.kafka else self._start_broker(given)
        collector_port = choose_port(
            part="collector",
            option="--port",
            host=HOST,
            asked=options.port,
            usual=USUAL_COLLECTOR_PORT,
            taken=frozenset(given),
        )
        given.add(collector_port.number)
        grpc_port = choose_port(
            part="OTLP/gRPC receiver",
            option="--grpc-port",
            host=HOST,
            asked=options.grpc_port,
            usual=USUAL_GRPC_PORT,
            taken=frozenset(given),
        )
        given.add(grpc_port.number)
        self.grpc = f"{HOST}:{grpc_port.number}"
        self.collector_url = f"http://{HOST}:{collector_port.number}"
        if options.dashboard:
            dashboard_port = choose_port(
                part="dashboard",
                option="--dashboard-port",
                host=HOST,
                asked=options.dashboard_port,
                usual=USUAL_DASHBOARD_PORT,
                taken=frozenset(given),
            )
            self.dashboard_url = f"http://{HOST}:{dashboard_port.number}"
        if options.kafka:
            terminal.done("broker", f"{options.kafka} (yours)")
        else:
            terminal.done("broker", self.kafka + kafka_note)
        started = time.monotonic()
        self._collector = Child(
            "collector",
            collector_command(),
            environ=collector_environ(
                os.environ,
                kafka=self.kafka,
                clickhouse=options.clickhouse or f"chdb://{self._data.engine.resolve()}",
                port=collector_port.number,
                grpc_port=grpc_port.number,
                keys_file=self._data.keys.resolve(),
                alerts_file=self._data.alerts.resolve(),
                operator_key=self._key,
                packaged_broker=not options.kafka,
            ),
            log_path=self._data.fresh_log("collector"),
        )
        self._collector.start()
        if options.dashboard:
            # Both start side by side: each needs a few seconds of imports.
            self._dashboard = Child(
                "dashboard",
                dashboard_command(collector=self.collector_url, port=dashboard_port.number),
                environ=dashboard_environ(os.environ, api_key=self._key),
                log_path=self._data.fresh_log("dashboard"),
            )
            self._dashboard.start()
        if not self._ready(self._collector, f"{self.collector_url}/readyz"):
            return False
        note = f"  [{collector_port.note}]" if collector_port.note else ""
        grpc_note = f"  [{grpc_port.note}]" if grpc_port.note else ""
        terminal.done(
            "collector", f"{self.collector_url}{note}, OTLP/gRPC on {self.grpc}{grpc_note}", time.monotonic() - started
        )
        if self._dashboard is not None:
            if not self._ready(self._dashboard, f"{self.dashboard_url}/_stcore/health"):
                return False
            note = f"  [{dashboard_port.note}]" if dashboard_port.note else ""
            terminal.done("dashboard", self.dashboard_url + note, time.monotonic() - started)
        self._data.write_state(
            UpState(
                pid=os.getpid(),
                kafka=self.kafka,
                collector=self.collector_url,
                dashboard=self.dashboard_url,
                pids={part.name: part.pid for part in self._parts()},
                grpc=self.grpc,
                key=self._key,
            )
        )
        return True

    def watch(self) -> None:
        """Return when the user asks to stop.

        Raises:
            PartDiedError: a part ended by itself.
        """
        while not self._interrupted():
            self._check_alive()
            time.sleep(POLL_S)

    def stop(self, *, drain: bool) -> None:
        """Stop what runs: the collector first, which stores what is in Kafka; the broker last. Safe at any time.

        Args:
            drain: wait until the collector has stored what the broker holds; False stops it at once.
        """
        self._data.state.unlink(missing_ok=True)
        if self._collector is not None and self._collector.exit_code is None:
            self._stop_collector(self._collector, drain=drain)
        if self._dashboard is not None:
            self._dashboard.stop(timeout_s=DASHBOARD_STOP_S)
        if self._broker is not None:
            self._broker.stop()

    def _start_broker(self, given: set[int]) -> str:
        started = time.monotonic()
        port = choose_port(
            part="broker", option="--kafka-port", host=HOST, asked=self._options.kafka_port, usual=USUAL_KAFKA_PORT
        )
        given.add(port.number)
        self._broker = EmbeddedBroker(port=port.number, log_path=self._data.fresh_log("broker"), host=HOST)
        try:
            self._broker.start()
        except BrokerUnavailableError as error:
            raise CommandError(str(error)) from error
        self.kafka = self._broker.bootstrap
        note = f"  [{port.note}]" if port.note else ""
        return f"{note}  ({time.monotonic() - started:.1f} s)"

    def _parts(self) -> list[Part]:
        found: list[Part | None] = [self._broker, self._collector, self._dashboard]
        return [part for part in found if part is not None]

    def _check_alive(self) -> None:
        for part in self._parts():
            if part.exit_code is not None:
                raise PartDiedError(part)

    def _ready(self, child: Child, url: str) -> bool:
        started = time.monotonic()
        reason = "it does not answer yet"
        while time.monotonic() - started < READY_TIMEOUT_S:
            if self._interrupted():
                return False
            self._check_alive()
            answer = get(url)
            if answer is not None and answer.status == 200:
                return True
            if answer is not None:
                reason = _unready_checks(answer.json()) or f"it answers {answer.status}"
            self._terminal.waiting(f"{child.name:<10} {reason}  ({time.monotonic() - started:.0f} s)")
            time.sleep(POLL_S)
        said = "\n".join(f"    {line}" for line in last_lines(child.log_path))
        raise CommandError(
            f"The {child.name} was not ready after {READY_TIMEOUT_S:.0f} s: {reason}.\n"
            f"The end of {child.log_path}:\n{said}"
        )

    def _stop_collector(self, collector: Child, *, drain: bool) -> None:
        started = time.monotonic()
        collector.terminate()
        drained = drain
        if not drain:
            collector.terminate()  # the second request skips draining
        # Beyond the collector's own bound there is only killing it.
        while not collector.wait(POLL_S) and time.monotonic() - started < DRAIN_SECONDS + 15.0:
            if drained and self._interrupted() > 1:
                drained = False
                collector.terminate()
            self._terminal.waiting(f"collector  storing what is still in Kafka{self._lag_note()}")
        collector.stop(timeout_s=5.0)
        took = time.monotonic() - started
        if collector.exit_code == 0 and drained:
            self._terminal.done("collector", "drained and stopped", took)
        elif collector.exit_code == 0:
            self._terminal.done("collector", "stopped", took)
        else:
            self._terminal.failed("collector", f"stopped with code {collector.exit_code}; see {collector.log_path}")

    def _lag_note(self) -> str:
        answer = get(f"{self.collector_url}/api/v1/pipeline", key=self._key, timeout_s=0.5)
        totals = answer.json().get("totals") if answer is not None and answer.status == 200 else None
        lag = totals.get("lag") if isinstance(totals, dict) else None
        return f": {lag} records to go" if isinstance(lag, int) else ""


def _operator_key(environ: Mapping[str, str]) -> str:
    try:
        return secret_of(environ, "SPANWISE_OPERATOR_KEY")
    except SecretFileError as error:
        raise UsageError(f"{error}.") from error


def _unready_checks(health: dict[str, object]) -> str:
    checks = health.get("checks")
    if not isinstance(checks, dict):
        return ""
    return "; ".join(f"{part}: {state}" for part, state in checks.items() if state != "ok")
