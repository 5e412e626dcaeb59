"""Parts that a killed `spanwise up` left running."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from spanwise_collector.cli.errors import CommandError
from spanwise_collector.cli.terminal import Terminal

STOP_TIMEOUT_S = 45.0
"""Above the time in which a collector drains."""
ORDER = ("collector", "dashboard", "broker")
"""The collector first: it stores what the broker still holds."""
_OURS = ("spanwise_collector", "tansu")
"""Words in the command lines of our parts. A process id alone may belong to another program by now."""


def stop_leftovers(pids: Mapping[str, int], terminal: Terminal) -> None:
    """Stop what is still running of an earlier start.

    Args:
        pids: process id of each part, as that start has published them.
        terminal: where it is told.

    Raises:
        CommandError: a part did not stop.
    """
    for part in ORDER:
        pid = pids.get(part, 0)
        if not pid or not _is_ours(pid):
            continue
        started = time.monotonic()
        _terminate(pid)
        while _is_ours(pid):
            if time.monotonic() - started > STOP_TIMEOUT_S:
                raise CommandError(
                    f"The {part} of an earlier start still runs and does not stop: end process {pid} first."
                )
            terminal.waiting(f"{part:<10} of a start that was killed: stopping it")
            time.sleep(0.1)
        terminal.done(part, "of a start that was killed: stopped", time.monotonic() - started)


def _terminate(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return  # it ended by itself in this moment


def _is_ours(pid: int) -> bool:
    return any(word in command_line(pid) for word in _OURS)


def command_line(pid: int) -> str:
    """Program and arguments of a process; empty when there is none with that id, or it has ended."""
    proc = Path("/proc")
    if (proc / "self").exists():
        try:
            return (proc / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    shown = subprocess.run(  # noqa: S603 - a number is all that is put in
        ["ps", "-o", "command=", "-p", str(pid)],  # noqa: S607 - wherever the system has it
        capture_output=True,
        text=True,
        check=False,
    )
    return shown.stdout.strip()
