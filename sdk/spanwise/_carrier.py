"""Threads that are there before they are needed.

Since Python 3.12 no thread can be started once the interpreter has begun to end, and that is when a short program has
spans to send: its last line may run before the first connection stands. kafka-python starts a thread for each producer.
"""

import queue
import threading
from collections.abc import Callable


class Carrier:
    """One waiting thread, which runs what it is given, one after the other."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._last: Run | None = None
        threading.Thread(target=self._loop, name="spanwise-carrier", daemon=True).start()

    @property
    def busy(self) -> bool:
        """Whether it still runs, or has still to run, what it was given."""
        return self._last is not None and not self._last.wait(0)

    def run(self, work: Callable[[], None]) -> "Run":
        """Have it run next; returns at once."""
        self._last = Run(work)
        self._work.put(self._last)
        return self._last

    def end(self) -> None:
        """Let the thread end after what it was given."""
        self._work.put(None)

    def _loop(self) -> None:
        while (work := self._work.get()) is not None:
            work()


class Run:
    """One piece of work."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._ended = threading.Event()

    def __call__(self) -> None:
        """Do it; on the carrier's thread."""
        try:
            self._work()
        finally:
            self._ended.set()

    def wait(self, timeout_s: float | None) -> bool:
        """Wait for its end; whether it has ended."""
        return self._ended.wait(timeout_s)
