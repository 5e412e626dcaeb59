"""The bounded queue between the application's threads and the encoding thread.

`queue.SimpleQueue` is written in C and its `put` is reentrant, so a span may be ended by a signal handler or by the
garbage collector in the middle of another `put`, and the SIGTERM handler may wait for the background threads without
holding anything that they need.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_POLL_S: Final = 0.001
STALL_S: Final = 1.0
"""How long the consumer may stand still before puts stop waiting for it: its start (imports) takes 0.2 s on a quiet
machine, and whatever takes longer would hold up every call of the application."""


class IntakeQueue(Generic[T]):
    """Bounded by weight. Many producers, one consumer.

    Args:
        max_weight: bound, in bytes as estimated by the producers.
        clock: seconds, monotonic.
        sleep: waits that many seconds.
    """

    def __init__(
        self,
        max_weight: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._max_weight = max_weight
        self._wake_weight = max_weight * 2 // 3
        self._clock = clock
        self._sleep = sleep
        self._items: queue.SimpleQueue[tuple[T, int] | None] = queue.SimpleQueue()
        self._wakes: queue.SimpleQueue[None] = queue.SimpleQueue()
        # Numbers that only grow, one side written by the producers and one by the consumer, so that neither waits for
        # the other. The lock is reentrant for the reason above.
        self._lock = threading.RLock()
        self._accepted = 0
        self._added = 0
        self._removed = 0
        self._stalled_at = -1
        self._stalled_since = 0.0
        self._held: tuple[T, int] | None = None

    @property
    def weight(self) -> int:
        """What waits, in estimated bytes."""
        return self._added - self._removed

    @property
    def accepted(self) -> int:
        """How many items were ever added."""
        return self._accepted

    def put(self, item: T, weight: int, timeout_s: float) -> bool:
        """Add an item; when the queue is full, wait a little for the consumer to make room.

        Returns:
            False when there was no room in time; the item was not added.
        """
        before = self._added - self._removed
        if before + weight > self._max_weight and before > 0:
            if not self._room(weight, timeout_s):
                return False
            before = self.weight
        with self._lock:
            self._added += weight
            self._accepted += 1
        self._items.put((item, weight))
        if before < self._wake_weight <= before + weight:
            self._wakes.put(None)
        return True

    def _room(self, weight: int, timeout_s: float) -> bool:
        # Polling: a condition variable would need a lock that a signal handler could find taken by the thread it
        # interrupts.
        began = self._clock()
        if self._stalled_at != self._removed:
            self._stalled_at, self._stalled_since = self._removed, began
        deadline = began + min(timeout_s, self._stalled_since + STALL_S - began)
        while self._clock() < deadline:
            self._sleep(_POLL_S)
            waiting = self.weight
            if waiting + weight <= self._max_weight or waiting == 0:
                return True
            if self._stalled_at != self._removed:
                self._stalled_at, self._stalled_since = self._removed, self._clock()
                deadline = began + timeout_s
        return False

    def wake(self) -> None:
        """Make the consumer hand out at once what is there."""
        self._items.put(None)
        self._wakes.put(None)

    def wait(self, linger_s: float) -> None:
        """Consumer: wait for the first item, then a little longer for others to travel with it."""
        first = self._items.get()
        if first is None:
            return
        self._held = first
        if self.weight < self._wake_weight:
            with contextlib.suppress(queue.Empty):
                self._wakes.get(timeout=linger_s)
        while not self._wakes.empty():
            self._wakes.get_nowait()

    def rest(self, seconds: float) -> None:
        """Consumer: leave the processor to the producers for a while, unless the queue is half full."""
        if self.weight < self._wake_weight:
            with contextlib.suppress(queue.Empty):
                self._wakes.get(timeout=seconds)

    def take(self, max_items: int, max_weight: int) -> list[T]:
        """Consumer: what is there, at most so many items and about so much weight; empty when nothing is."""
        taken: list[T] = []
        weight = 0
        while len(taken) < max_items and weight < max_weight:
            entry, self._held = self._held, None
            if entry is None:
                try:
                    entry = self._items.get_nowait()
                except queue.Empty:
                    break
                if entry is None:
                    continue
            taken.append(entry[0])
            weight += entry[1]
        self._removed += weight
        return taken
