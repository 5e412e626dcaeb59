"""Child processes of `spanwise up`: started in their own session, logged to a file, stopped with a bound."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

LOG_TAIL_BYTES = 16_384


def last_lines(path: Path, count: int = 15) -> list[str]:
    """The last `count` lines of a log file that say something; empty when there is no such file."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LOG_TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    return [line for line in text.splitlines() if line.strip()][-count:]


class Child:
    """One process. Its own session, so that Ctrl-C reaches only `spanwise up`, which stops the parts in order."""

    def __init__(self, name: str, command: Sequence[str], *, environ: Mapping[str, str], log_path: Path) -> None:
        self.name = name
        self.log_path = log_path
        self._command = list(command)
        self._environ = dict(environ)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; returns at once."""
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own commands
                self._command,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id; 0 before `start`."""
        return 0 if self._process is None else self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs or before `start`; negative for the signal that ended it."""
        return None if self._process is None else self._process.poll()

    def terminate(self) -> None:
        """Ask it to stop (SIGTERM); does nothing when it is not running."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self, timeout_s: float) -> bool:
        """Wait for its end; whether it has ended."""
        if self._process is None:
            return True
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, *, timeout_s: float) -> None:
        """Ask, wait, then kill; safe to call at any time and again."""
        self.terminate()
        if not self.wait(timeout_s) and self._process is not None:
            self._process.kill()
            self._process.wait()
