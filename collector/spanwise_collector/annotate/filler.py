"""Fills queues: stretch by stretch of time, each looked at once."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from spanwise_collector.alerts.claims import Store
from spanwise_collector.annotate.candidates import read_candidates
from spanwise_collector.annotate.choosing import choose
from spanwise_collector.annotate.items import Items
from spanwise_collector.annotate.queues import Queues, StoredQueue
from spanwise_collector.query.values import micros, time_of
from spanwise_collector.query.window import DAY, Window
from spanwise_collector.store.errors import StoreError, TransientStoreError

log = logging.getLogger(__name__)

EVERY_S: Final = 30.0
STRETCHES: Final = 40
"""At most so many are looked at in one go: a new queue's whole past, or what a collector missed."""
COUNTS: Final = {
    "items": "Items that came into annotation queues.",
    "passed": "Stretches of time left out: full queues.",
}


class Filler:
    """Fills queues.

    Args:
        store: the database.
        queues: of all projects.
        items: of all queues.
        now: the time of day, UTC.
    """

    def __init__(self, store: Store, queues: Queues, items: Items, now: Callable[[], datetime]) -> None:
        self._store = store
        self._queues = queues
        self._items = items
        self._now = now

    def step(self) -> Mapping[str, int]:
        """Fill all queues that are enabled; one that cannot be filled says so and does not stop the others.

        Returns:
            What was done, by the names of `COUNTS`.

        Raises:
            TransientStoreError: the store is away.
        """
        done = dict.fromkeys(COUNTS, 0)
        for known in self._queues.all():
            for name, count in self.fill(known).items():
                done[name] += count
        return done

    def fill(self, known: StoredQueue) -> Mapping[str, int]:
        """Fill one queue up to now, less its delay.

        Raises:
            TransientStoreError: the store is away.
        """
        done = dict.fromkeys(COUNTS, 0)
        if not known.queue.enabled:
            return done
        for window in stretches(known, self._now()):
            note = ""
            try:
                room = known.queue.max_open - self._open(known)
                added = self._one(known, window, room) if room > 0 else None
            except TransientStoreError:
                raise
            except StoreError as error:
                log.warning(
                    "the annotation queue %r of %r cannot be filled: %s", known.queue.name, known.project, error
                )
                self._queues.filled(known, time_of(window.start), f"It could not be filled: {error}")
                return done
            if added is None:
                done["passed"] += 1
                note = (
                    f"{known.queue.max_open} items wait already, so nothing is added. Review some, raise "
                    "`max_open`, or lower the shares."
                )
            else:
                done["items"] += added
            self._queues.filled(known, time_of(window.end), note)
        return done

    def _one(self, known: StoredQueue, window: Window, room: int) -> int:
        candidates = read_candidates(self._store, known.project, known.queue_id, known.queue, window)
        chosen = choose(known.queue_id, known.queue, candidates, room)
        self._items.add(known.project, known.queue_id, chosen, window, self._now())
        return len(chosen)

    def _open(self, known: StoredQueue) -> int:
        return sum(item.state == "open" for item in self._items.of(known.project, known.queue_id))


def stretches(known: StoredQueue, now: datetime) -> list[Window]:
    """The stretches of time that a queue has not looked at, the oldest first, each at most a day.

    Where a queue is full a stretch is passed over as a whole, which leaves the probabilities of all others as they are.
    """
    begin = known.filled_to or now - timedelta(hours=known.queue.lookback_hours)
    end = micros(now - timedelta(minutes=known.queue.delay_minutes))
    start = micros(begin)
    found: list[Window] = []
    while start < end and len(found) < STRETCHES:
        found.append(Window(start, min(start + DAY, end)))
        start = found[-1].end
    return found
