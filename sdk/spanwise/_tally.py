"""Counters that many threads add to and anyone reads."""

import threading


class Tally:
    """Named counters.

    Adding takes a lock, reading does not: `stats` and the signal handler read while the interrupted thread may be
    adding. The lock is reentrant because the garbage collector and signal handlers can end a span in the middle of an
    addition.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._counts: dict[str, int] = {}

    def add(self, name: str, amount: int = 1) -> None:
        """Add to one counter."""
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + amount

    def get(self, name: str) -> int:
        """One counter, 0 when nothing was added to it."""
        return self._counts.get(name, 0)

    def total(self) -> int:
        """Sum of all counters."""
        return sum(list(self._counts.values()))

    def as_dict(self) -> dict[str, int]:
        """All counters."""
        return dict(self._counts)
