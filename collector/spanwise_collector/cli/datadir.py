"""The directory in which one `spanwise up` keeps its tables and logs, and the lock that makes it one."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from spanwise_collector.cli.errors import CommandError, UsageError

STATE_FILE = "up.json"
LOCK_FILE = "up.lock"
KEYS_FILE = "keys.toml"
ALERTS_FILE = "alerts.toml"


@dataclass(frozen=True, slots=True)
class UpState:
    """Where a running `spanwise up` can be reached; empty strings for what it does not run.

    Attributes:
        pid: process id of `spanwise up`.
        kafka: bootstrap address.
        collector: base URL of the HTTP API.
        dashboard: base URL.
        pids: process id per part that it started.
        grpc: `host:port` of the collector's OTLP/gRPC receiver.
        key: the operator's key of this start.
    """

    pid: int
    kafka: str
    collector: str
    dashboard: str
    pids: dict[str, int]
    grpc: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """Paths below one data directory."""

    root: Path

    @property
    def engine(self) -> Path:
        """Files of the embedded ClickHouse engine."""
        return self.root / "clickhouse"

    @property
    def alerts(self) -> Path:
        """Alert rules and channels; a person writes it."""
        return self.root / ALERTS_FILE

    @property
    def keys(self) -> Path:
        """API keys; `spanwise keys` makes it."""
        return self.root / KEYS_FILE

    @property
    def state(self) -> Path:
        """Addresses and process ids, present while `spanwise up` is ready."""
        return self.root / STATE_FILE

    def log(self, part: str) -> Path:
        """Log file of a part."""
        return self.root / "logs" / f"{part}.log"

    def fresh_log(self, part: str) -> Path:
        """An empty log file for a new run; the run before stays beside it as `.log.1`."""
        path = self.log(part)
        if path.exists():
            path.replace(path.with_suffix(".log.1"))
        path.touch()
        return path

    def write_state(self, state: UpState) -> None:
        """Publish the addresses, in one step so that no reader sees half a file."""
        unfinished = self.state.with_suffix(".tmp")
        # It holds the key: for its owner alone, from the first byte on.
        unfinished.unlink(missing_ok=True)
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(json.dumps(asdict(state), indent=2) + "\n")
        unfinished.replace(self.state)

    def read_state(self) -> UpState | None:
        """The addresses, or None when nothing is ready here."""
        try:
            return UpState(**json.loads(self.state.read_text()))
        except FileNotFoundError:
            return None
        except (TypeError, ValueError) as error:
            raise CommandError(
                f"{self.state} was not written by this version of Spanwise: {error}. Delete it and start again."
            ) from error


@contextlib.contextmanager
def claimed(root: Path) -> Iterator[DataDirectory]:
    """The data directory, made when missing and held against a second `spanwise up` until the end of the block.

    Raises:
        UsageError: another `spanwise up` holds it, or it cannot be written.
    """
    try:
        (root / "logs").mkdir(parents=True, exist_ok=True)
        handle = os.open(root / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise UsageError(
            f"The data directory {root} cannot be used: {error.strerror}. Choose another with --data-dir."
        ) from error
    data = DataDirectory(root)
    try:
        if not _lock(handle):
            holder = os.read(handle, 32).decode("ascii", "replace").strip() or "unknown"
            raise UsageError(
                f"{root} is in use by another `spanwise up` (process {holder}). Stop that one, or give this one "
                "its own directory with --data-dir."
            )
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield data
    finally:
        # Closing gives the lock back, as the end of the process would. The file stays: deleting it would race with the
        # next holder.
        os.close(handle)


@contextlib.contextmanager
def claimed_file(path: Path) -> Iterator[None]:
    """Hold a lock file, made when missing, during the block.

    Raises:
        CommandError: another process holds it.
        OSError: it cannot be written.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _lock(handle):
            raise CommandError(f"{path} is held by another command; try again in a moment.")
        yield
    finally:
        os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> bool:
        # A byte far beyond the process id, which others must be able to read.
        os.lseek(handle, 1 << 20, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
