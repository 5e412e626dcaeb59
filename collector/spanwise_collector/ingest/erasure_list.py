"""Keeps the snapshot of what was erased up to date."""

import time
from collections.abc import Callable
from typing import Final, Protocol, cast

from spanwise_collector.ingest.erased import NOTHING, Erased, Kind, Mark
from spanwise_collector.ingest.seen import Queries

REFRESH_S: Final = 2.0
"""An erasure is obeyed by batches that are begun so much later; those before are looked through by the erasure."""
TRACES_PER_QUERY: Final = 500_000


class ErasureList(Protocol):
    """What the loop needs of it."""

    def current(self) -> Erased:
        """What was erased, as far as is known now.

        Raises:
            StoreError: the store does not answer.
        """
        ...

    def at(self, version: int) -> Erased:
        """What was erased up to a version, read anew where it is later than what is known.

        Raises:
            StoreError: the store does not answer.
        """
        ...


class StoredErasures:
    """Reads `erasure_marks` on. Used by one thread.

    Args:
        store: the database.
        clock: monotonic seconds.
    """

    def __init__(self, store: Queries, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._known = NOTHING
        self._read_at = -float("inf")

    def current(self) -> Erased:
        """See `ErasureList.current`."""
        if self._clock() - self._read_at >= REFRESH_S:
            self._read_on()
        return self._known

    def at(self, version: int) -> Erased:
        """See `ErasureList.at`."""
        if version > self._known.version:
            self._read_on()
        return self._known.at(version)

    def _read_on(self) -> None:
        began = self._clock()
        # A mark is written after its traces, so that all of them are there for whoever sees it.
        rows = self._store.query(
            "SELECT number, project_id, kind, digest, toUnixTimestamp64Micro(before) FROM erasure_marks "
            "WHERE number > {known:UInt64} ORDER BY number LIMIT 1 BY number",
            {"known": self._known.version},
        ).rows
        if rows:
            last = max(int(row[0]) for row in rows)
            marks = [
                Mark(int(number), project, cast("Kind", kind), (digest,), int(before_us))
                for number, project, kind, digest, before_us in rows
                if kind != "traces"
            ]
            self._known = self._known.with_marks([*marks, *self._traces(last)], last)
        self._read_at = began

    def _traces(self, last: int) -> list[Mark]:
        found: dict[tuple[int, str], list[bytes]] = {}
        offset = 0
        while True:
            rows = self._store.query(
                "SELECT number, project_id, trace_id FROM erased_traces WHERE number > {known:UInt64} "
                "AND number <= {last:UInt64} ORDER BY number, project_id, trace_id "
                "LIMIT {limit:UInt64} OFFSET {offset:UInt64}",
                {"limit": TRACES_PER_QUERY, "known": self._known.version, "last": last, "offset": offset},
            ).rows
            for number, project, trace in rows:
                found.setdefault((int(number), project), []).append(bytes(trace))
            if len(rows) < TRACES_PER_QUERY:
                return [Mark(number, project, "traces", tuple(ids)) for (number, project), ids in found.items()]
            offset += TRACES_PER_QUERY
