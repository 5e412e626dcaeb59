"""The end of the process, for what is waiting: a wait that a stop cuts short."""

import threading


class StoppedError(Exception):
    """The collector stops; what was begun is done again at the next start."""


class Stopping:
    """A stop that threads wait for. Thread-safe."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def stop(self) -> None:
        """Wake all who wait."""
        self._event.set()

    @property
    def is_set(self) -> bool:
        """Whether a stop was asked for."""
        return self._event.is_set()

    def wait(self, seconds: float) -> None:
        """Sleep.

        Raises:
            StoppedError: a stop came.
        """
        if self._event.wait(seconds):
            raise StoppedError("the collector stops")
