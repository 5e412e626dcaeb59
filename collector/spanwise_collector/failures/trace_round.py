"""Rounds over traces: what was stored since the last one is judged, and what is found is written to `failures`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import pyarrow as pa

from spanwise_collector.failures.trace_steps import (
    Candidate,
    Key,
    StoredTrace,
    candidates,
    known,
    load,
    rows_of,
    services_with_roots,
    token_of,
)
from spanwise_collector.failures.traces import TraceFailure, trace_failures, unfinished
from spanwise_collector.query.values import micros
from spanwise_collector.query.window import HOUR
from spanwise_collector.settle.ledger import LedgerReader
from spanwise_collector.store.database import Reader

TRACES_AT_ONCE: Final = 200
MAX_WAITING: Final = 100_000
"""Traces whose root is waited for; beyond, the ones that have waited longest are given up."""


class Store(Reader, Protocol):
    """What a round needs of the database; `Database` fulfils it."""

    def insert(self, table: str, rows: pa.RecordBatch, *, token: str) -> None:
        """See `Database.insert`."""
        ...


@dataclass(frozen=True, slots=True)
class TraceRound:
    """What a round did.

    Attributes:
        traces: that were judged.
        failures: that were found and not known before.
        more: whether another round has work already.
    """

    traces: int = 0
    failures: int = 0
    more: bool = False


class TraceWatcher:
    """Finds failures of whole traces.

    What it remembers can be lost: a new one begins with the whole window again and stores nothing twice.

    Args:
        store: the database.
        window: spans that start before are left as they are.
        unfinished_after: how long after a trace's last span its root is waited for.
        now: the time of day, UTC.
    """

    def __init__(
        self, store: Store, *, window: timedelta, unfinished_after: timedelta, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._window = window
        self._unfinished_after = unfinished_after // timedelta(microseconds=1)
        self._now = now
        self._ledger = LedgerReader()
        self._waiting: dict[Key, int] = {}

    def round(self) -> TraceRound:
        """Judge what is new, and the traces whose root has been waited for long enough.

        Raises:
            StoreError: as the store says; nothing is lost, the next round begins where this one did.
        """
        now = micros(self._now())
        low = now - self._window // timedelta(microseconds=1)
        stretches, more = self._ledger.next(self._store, low // 1000)
        touched = candidates(self._store, stretches, low)
        waiting = self._waiting_with(touched, low)
        due = {key: end for key, end in waiting.items() if now - end >= self._unfinished_after}
        found = self._judge([one.key for one in touched if one.may_repeat], due, now, low)
        self._waiting = {key: end for key, end in waiting.items() if key not in due}
        self._ledger.done()
        return TraceRound(len(touched) + len(due), found, more)

    def _waiting_with(self, touched: Sequence[Candidate], low: int) -> dict[Key, int]:
        """Traces without a root, the longest waiting first.

        One that got its root is touched but no candidate any more, or one with its root: so each is asked about again
        when it is due.
        """
        waiting = {key: end for key, end in self._waiting.items() if end >= low}
        for one in touched:
            waiting.pop(one.key, None)
            if not one.has_root:
                waiting[one.key] = one.end_us
        return dict(list(waiting.items())[-MAX_WAITING:])

    def _services_with_roots(self, due: Mapping[Key, int], low: int) -> set[tuple[str, str]]:
        """Project and service of those whose traces had roots when the ones that are due came."""
        if not due:
            return set()
        since = max(low, min(due.values()) - HOUR)
        return services_with_roots(self._store, {project for project, _ in due}, since)

    def _judge(self, repeating: Sequence[Key], due: Mapping[Key, int], now: int, low: int) -> int:
        projects = sorted({project for project, _ in (*repeating, *due)})
        with_roots = self._services_with_roots(due, low)
        stored = 0
        for project in projects:
            traces = sorted({trace for one, trace in (*repeating, *due) if one == project})
            waited_for = {trace for one, trace in due if one == project}
            services = {service for one, service in with_roots if one == project}
            for start in range(0, len(traces), TRACES_AT_ONCE):
                some = traces[start : start + TRACES_AT_ONCE]
                loaded = load(self._store, project, some, low)
                stored += self._write(project, self._found(project, loaded, waited_for, services, now))
        return stored

    def _found(
        self, project: str, loaded: Mapping[bytes, StoredTrace], waited_for: set[bytes], services: set[str], now: int
    ) -> list[tuple[bytes, StoredTrace, TraceFailure]]:
        found = []
        for trace_id, trace in sorted(loaded.items()):
            failures = trace_failures(project, trace.steps)
            ending = unfinished(project, trace.steps, now, self._unfinished_after) if trace_id in waited_for else None
            if ending is not None and trace.described[ending.span]["service"] in services:
                failures.append(ending)
            found += [(trace_id, trace, one) for one in failures]
        return found

    def _write(self, project: str, found: Sequence[tuple[bytes, StoredTrace, TraceFailure]]) -> int:
        """Store what is not stored yet: of each class one failure in a trace."""
        if not found:
            return 0
        there = known(self._store, project, [trace for trace, _, _ in found])
        first: dict[tuple[bytes, str], tuple[bytes, StoredTrace, TraceFailure]] = {}
        for one in found:
            first.setdefault((one[0], one[2].failure.failure_class), one)
        new = [one for key, one in first.items() if key not in there]
        if new:
            self._store.insert("failures", rows_of(project, new), token=token_of(project, new))
        return len(new)
