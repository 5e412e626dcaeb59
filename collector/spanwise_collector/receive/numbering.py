"""Numbers of records, without gaps where nothing is missing."""

import heapq
import threading


class Numbering:
    """Gives each record its number (`spanwise-seq`). Used by several threads.

    The number of a record that Kafka did not take comes back and is given again: its sender was told to send it once
    more, so a gap would report a loss that there is not.
    """

    def __init__(self) -> None:
        self._next = 0
        self._returned: list[int] = []
        self._lock = threading.Lock()

    def take(self) -> int:
        """The lowest number that is free."""
        with self._lock:
            if self._returned:
                return heapq.heappop(self._returned)
            self._next += 1
            return self._next - 1

    def give_back(self, number: int) -> None:
        """A number whose record was not taken."""
        with self._lock:
            heapq.heappush(self._returned, number)
