"""Takes up what was asked to be erased, and looks after what was on its way meanwhile."""

import logging
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from spanwise_collector.erase.book import Erasure, ErasureBook
from spanwise_collector.erase.eraser import Eraser
from spanwise_collector.store.errors import StoreError

log = logging.getLogger(__name__)

COUNTS: Final = {
    "passes": "Times that an erasure went through what is stored.",
    "late": "Passes for what was on its way when the erasure was asked for.",
}
SKEW_MS: Final = 300_000
"""Clocks of collectors differ by less: a batch that landed so long before a mark is looked through as well."""
LOOK_BACK: Final = timedelta(days=1)
LOOK_EVERY: Final = timedelta(seconds=10)
AGAIN: Final = timedelta(minutes=10)
"""So long after its first pass an erasure goes through once more, for what is written beside ingest: alerts, groups of
failures, items to review."""


class Keeper:
    """Erases what was asked for.

    Args:
        book: of erasures.
        eraser: does it.
        now: the time of day, UTC.
    """

    def __init__(self, book: ErasureBook, eraser: Eraser, now: Callable[[], datetime]) -> None:
        self._book = book
        self._eraser = eraser
        self._now = now
        self._handled: set[tuple[str, int, int]] = set()
        self._drops = 0
        self._looked_at: datetime | None = None

    def step(self) -> Mapping[str, int]:
        """One round; what it did, by name of the count."""
        marks = self._book.marks()
        late = self._late(marks)
        known = {(one.project, one.id): one for one in self._book.all()} if marks else {}
        wanted = {one.id: one for one in self._book.all(only_open=True)}
        first = len(wanted)
        touched = {(project, erasure) for built_by in late.values() for *_, project, erasure in marks[built_by:]}
        drops = self._book.count_of_drops()
        unknown = set(self._book.with_unknown_traces()) if drops != self._drops else set()
        again = {key for key, one in known.items() if self._is_due_again(one)}
        for key in sorted(touched | unknown | again):
            one = known.get(key) or self._book.get(*key)
            if one is not None:
                wanted.setdefault(one.id, one)
        for one in sorted(wanted.values(), key=lambda one: (one.asked_at, one.id)):
            self._run(one)
        self._handled |= late.keys()
        self._drops = drops
        return {"passes": len(wanted), "late": len(wanted) - first}

    def _run(self, erasure: Erasure) -> None:
        try:
            done = self._eraser.run(erasure)
        except StoreError as error:
            latest = self._book.get(erasure.project, erasure.id) or erasure
            self._book.save(latest, progress=replace(latest.progress, failure=str(error)))
            raise
        log.info("erased %s %s of %s: %d traces", erasure.kind, erasure.id, erasure.project, done.progress.traces)

    def _is_due_again(self, one: Erasure) -> bool:
        return one.state == "done" and one.progress.passes == 1 and one.changed_at + AGAIN <= self._now()

    def _late(self, marks: Iterable[tuple[int, int, str, str]]) -> dict[tuple[str, int, int], int]:
        """Batches that may hold what was erased: to the place of the first mark that they were not built by."""
        marks, now = list(marks), self._now()
        if not marks or (self._looked_at is not None and now - self._looked_at < LOOK_EVERY):
            return {}
        self._looked_at = now
        numbers, times = [number for number, *_ in marks], [at for _, at, *_ in marks]
        since = int((now - LOOK_BACK).timestamp() * 1000)
        found = {}
        for key, (built_by, landed_ms) in self._book.batches(since, numbers[-1]).items():
            place = bisect_right(numbers, built_by)
            if key not in self._handled and min(times[place:]) <= landed_ms + SKEW_MS:
                found[key] = place
        return found
