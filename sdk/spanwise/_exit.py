"""The end of the process: by return, exception or `sys.exit` (atexit), by SIGTERM, and in children of multiprocessing.

`os._exit` and SIGKILL run nothing: what is pending then is lost. Call `spanwise.flush()` before `os._exit`.
"""

import atexit
import os
import signal
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from spanwise._guard import guard

if TYPE_CHECKING:
    from spanwise._client import _Process


class _Hooks:
    """What is installed in this process."""

    def __init__(self) -> None:
        self.process: _Process | None = None
        self.at_exit = False
        self.previous: Any = None
        self.in_handler = False


_hooks: Final = _Hooks()


def install(process: "_Process", *, handle_sigterm: bool) -> None:
    """Install the hooks, each once per process."""
    _hooks.process = process
    if not _hooks.at_exit:
        _hooks.at_exit = True
        atexit.register(_close)
    _finalize_multiprocessing_child()
    if handle_sigterm:
        _install_sigterm()


def _close() -> None:
    try:
        from spanwise._client import shutdown

        shutdown()
    except Exception as error:
        guard.report("send what is pending at exit", error)


def _install_sigterm() -> None:
    if threading.current_thread() is not threading.main_thread():
        return  # Python allows it only there
    current = signal.getsignal(signal.SIGTERM)
    # None: a handler that was not installed from Python and could not be called from here.
    if current in {None, signal.SIG_IGN, _on_sigterm}:
        return
    _hooks.previous = current
    signal.signal(signal.SIGTERM, _on_sigterm)


def _on_sigterm(number: int, frame: FrameType | None) -> None:
    """Send what is pending, then do what SIGTERM would have done without us."""
    if not _hooks.in_handler:  # a second SIGTERM does not wait again
        _hooks.in_handler = True
        try:
            _flush()
        finally:
            _hooks.in_handler = False
    previous = _hooks.previous
    if callable(previous):
        previous(number, frame)
    else:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _flush() -> None:
    client = None if _hooks.process is None else _hooks.process.client
    if client is None:
        return
    try:
        client.flush(client.config.exit_timeout_s)
    except Exception as error:
        guard.report("send what is pending on SIGTERM", error)


def _finalize_multiprocessing_child() -> None:
    """A child of multiprocessing ends with `os._exit` after its own finalizers, so ours must be one of them."""
    processes = sys.modules.get("multiprocessing.process")
    if processes is not None and processes.parent_process() is not None:
        from multiprocessing.util import Finalize

        Finalize(None, _close, exitpriority=100)


def after_fork_in_child() -> None:
    """Prepare a forked child of multiprocessing, which clears all finalizers before it runs."""
    _hooks.in_handler = False
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.register_after_fork(_hooks, lambda _: _finalize_multiprocessing_child())
