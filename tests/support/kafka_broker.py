"""Apache Kafka 4 in KRaft mode as a child process, from the jars that tests/kafka/pom.xml names."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from spanwise_collector.embedded.broker import free_port

JARS = Path(__file__).resolve().parents[1] / "kafka" / "target" / "dependency"
START_TIMEOUT_S = 90.0


class ApacheKafka:
    """One node on loopback, broker and controller in one, or a second broker; also a context manager."""

    def __init__(
        self,
        directory: Path,
        *,
        doors: Mapping[int, int] = MappingProxyType({}),
        joins: "ApacheKafka | None" = None,
        replicas: int = 1,
    ) -> None:
        """Prepare a node that keeps its log in `directory`.

        Args:
            directory: of its log and settings.
            doors: further ports on which it listens, each with the port that it tells clients who come there: a
                proxy's.
            joins: the first node of a cluster, of which this one is the second broker.
            replicas: of the topic in which groups keep their offsets.

        Raises:
            RuntimeError: the jars are not there.
        """
        if not any(JARS.glob("kafka_2.13-4.*.jar")):
            raise RuntimeError(f"No Kafka jars under {JARS}: run the tests by `make test-kafka`, which fetches them.")
        self._directory = directory
        self._config = directory / "server.properties"
        self.log_path = directory / "kafka.log"
        self.port = free_port()
        self._doors = doors
        self._replicas = replicas
        self._process: subprocess.Popen[bytes] | None = None
        self._joins = joins is not None
        self.controller_port: int = free_port() if joins is None else joins.controller_port
        self._format()

    @property
    def bootstrap(self) -> str:
        """Address for clients, `host:port`."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and wait until it answers.

        Raises:
            RuntimeError: it stopped or did not come up in time.
        """
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._java("-Xmx512m", "-Xms256m"), "kafka.Kafka", str(self._config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"Apache Kafka did not start:\n{self.log_path.read_text()[-4000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop it in order; safe to call twice."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """End it without warning, as a power cut would."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def pause(self) -> None:
        """Let it hang: its connections stay open and nobody answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after `pause`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if self._process is None:
            raise RuntimeError("Apache Kafka does not run: call start() first.")
        self._process.send_signal(number)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _java(self, *options: str) -> list[str]:
        return ["java", *options, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{JARS}{os.sep}*"]

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.5).close()
        except OSError:
            return False
        return True

    def _format(self) -> None:
        logs = self._directory / "logs"
        doors = list(self._doors.items())
        listeners = [f"DOOR{index}://127.0.0.1:{port}" for index, (port, _) in enumerate(doors)]
        advertised = [f"DOOR{index}://127.0.0.1:{port}" for index, (_, port) in enumerate(doors)]
        names = [f"DOOR{index}:PLAINTEXT" for index in range(len(doors))]
        controller = [] if self._joins else [f"CONTROLLER://127.0.0.1:{self.controller_port}"]
        settings = {
            "process.roles": "broker" if self._joins else "broker,controller",
            "node.id": "2" if self._joins else "1",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{self.controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": ",".join([f"PLAINTEXT://127.0.0.1:{self.port}", *controller, *listeners]),
            "advertised.listeners": ",".join([f"PLAINTEXT://127.0.0.1:{self.port}", *advertised]),
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": ",".join(["PLAINTEXT:PLAINTEXT", "CONTROLLER:PLAINTEXT", *names]),
            "log.dirs": str(logs),
            "auto.create.topics.enable": "false",
            "offsets.topic.num.partitions": "1",
            "offsets.topic.replication.factor": str(self._replicas),
            "transaction.state.log.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            # Of two brokers a dead one is missed soon.
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
            # Rebalances of tests need not wait for more members.
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "1000",
            # Topics hold a few records: no need to set aside 10 MB of index for each of their segments.
            "log.index.size.max.bytes": "1048576",
            "num.network.threads": "2",
            "num.io.threads": "4",
            "log.cleaner.enable": "false",
        }
        self._config.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        command = [
            *self._java("-Xmx256m"),
            "kafka.tools.StorageTool",
            "format",
            *([] if self._joins else ["--standalone"]),
            "--cluster-id",
            "U3Bhbndpc2VUZXN0c0E5MQ",
            "--config",
            str(self._config),
        ]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False
        )
        if done.returncode:
            raise RuntimeError(f"Kafka's storage could not be formatted:\n{done.stdout}\n{done.stderr}")
