"""Apache Kafka 4 in KRaft mode as a child process, from the jars that tests/kafka/pom.xml names."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from spanwise_collector.embedded.broker import free_port

JARS = Path(__file__).resolve().parents[1] / "kafka" / "target" / "dependency"
START_TIMEOUT_S = 90.0


class ApacheKafka:
    """One node, broker and controller in one, on loopback; also a context manager."""

    def __init__(self, directory: Path) -> None:
        """Prepare a node that keeps its log in `directory`.

        Raises:
            RuntimeError: the jars are not there.
        """
        if not any(JARS.glob("kafka_2.13-4.*.jar")):
            raise RuntimeError(f"No Kafka jars under {JARS}: run the tests by `make test-kafka`, which fetches them.")
        self._directory = directory
        self._config = directory / "server.properties"
        self.log_path = directory / "kafka.log"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._format(free_port())

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

    def _format(self, controller_port: int) -> None:
        logs = self._directory / "logs"
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": str(logs),
            "auto.create.topics.enable": "false",
            "offsets.topic.num.partitions": "1",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
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
            "--standalone",
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
