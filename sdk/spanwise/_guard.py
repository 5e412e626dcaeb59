"""The promise that telemetry never breaks the application, kept in one place.

Code that runs inside a user's call catches what goes wrong in our own part and hands it to `report`. Nothing else in
this package swallows an exception.
"""

import logging
import threading
from typing import Final

logger: Final = logging.getLogger("spanwise")
PROMISE: Final = "Your code is running on, only with less telemetry."

_MAX_REMEMBERED: Final = 256


class Guard:
    """Counts internal errors and logs each kind once.

    Attributes:
        reraise: set by Spanwise's own tests, so that they see what users must not.
    """

    def __init__(self) -> None:
        self.reraise = False
        self.errors = 0
        self._seen: set[tuple[str, str]] = set()
        # Reentrant: a finalizer run by the garbage collector may report while a report is being made.
        self._lock = threading.RLock()

    def report(self, where: str, error: Exception) -> None:
        """Count an internal error; log it the first time this kind happens at this place.

        Args:
            where: what Spanwise was doing, as a phrase that fits after "failed to".
            error: what went wrong.

        Raises:
            Exception: the error itself, only when `reraise` is set.
        """
        if self.reraise:
            raise error
        key = (where, type(error).__name__)
        with self._lock:
            self.errors += 1
            if key in self._seen or len(self._seen) >= _MAX_REMEMBERED:
                return
            self._seen.add(key)
        logger.warning("Spanwise failed to %s (%s: %s). %s", where, key[1], describe(error), PROMISE)

    def after_fork(self) -> None:
        """In a forked child: another thread may have held the lock when the process was copied."""
        self._lock = threading.RLock()


guard: Final = Guard()


def describe(error: BaseException) -> str:
    """The error's message, also when its own `__str__` fails."""
    try:
        return str(error)
    except Exception as failure:  # a user's exception class may be broken; its type name says enough
        return f"<no message: {type(failure).__name__} in __str__>"
