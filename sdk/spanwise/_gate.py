"""Imports on background threads, kept apart from forks."""

import importlib
import threading
from typing import Final


class ImportGate:
    """Held while a background thread imports, and while the process forks.

    A fork copies an import that is under way in another thread half-done: its lock is never released in the child,
    and the next import of the same module there never ends. So background threads import everything that they will
    need here, also what their libraries would import later by themselves.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forking = False
        self._settled = threading.Event()
        self._settled.set()

    def starting(self) -> None:
        """Background threads are about to be started."""
        self._settled.clear()

    def settled(self) -> None:
        """They have loaded what they need, or cannot go on for now."""
        self._settled.set()

    def load(self, *modules: str) -> None:
        """Import modules, unless the process is forking just now; then wait for that."""
        with self._lock:
            for module in modules:
                importlib.import_module(module)

    def before_fork(self) -> None:
        """Wait for threads that are just starting, not for long: then the children need not import it all again."""
        self._settled.wait(timeout=1.5)
        self._forking = self._lock.acquire(timeout=5.0)

    def after_fork_in_parent(self) -> None:
        """Let imports go on."""
        if self._forking:
            self._forking = False
            self._lock.release()

    def after_fork_in_child(self) -> None:
        """The thread that may have held it does not exist here."""
        self._lock = threading.Lock()
        self._forking = False
        self._settled = threading.Event()
        self._settled.set()


import_gate: Final = ImportGate()
