"""Goes through everything that is stored of what is to be erased. Each step may be done again: a crash is harmless."""

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol

from spanwise_collector.erase.book import TIMEOUT_S, Erasure, ErasureBook, Store
from spanwise_collector.erase.rollups import ROLLUPS, Day, RollupMaker
from spanwise_collector.erase.scrub import DOCUMENTS, quoting, scrub
from spanwise_collector.erase.tables import OF_SPANS, REMOVED, Removal, remembered, removals, traces_of
from spanwise_collector.store.amend import Amender, AmendmentBusyError
from spanwise_collector.store.change import literal
from spanwise_collector.store.errors import TransientStoreError

log = logging.getLogger(__name__)

TRIES: Final = 5
BUSY_TRIES: Final = 120
BUSY_WAIT_S: Final = 1.0


class EraserStore(Store, Protocol):
    """What the eraser needs of the database; `Database` fulfils it."""

    @property
    def span_inserts(self) -> AbstractContextManager[object]:
        """Who holds it keeps this process from inserting spans."""
        ...


class LostLeaseError(TransientStoreError):
    """Another collector may have gone on with it."""


class Eraser:
    """Erases, one after the other.

    Args:
        store: the database.
        book: of erasures.
        amender: keeps changes of spans away meanwhile.
        may_go_on: whether this process is still the one to do it; asked before each step.
        sleep: waits, in seconds.
        on_step: is told each step; what it raises stops there.
    """

    def __init__(
        self,
        store: EraserStore,
        book: ErasureBook,
        amender: Amender,
        *,
        may_go_on: Callable[[], bool] = lambda: True,
        sleep: Callable[[float], None] = time.sleep,
        on_step: Callable[[str], object] = str,
    ) -> None:
        self._store = store
        self._book = book
        self._amender = amender
        self._may_go_on = may_go_on
        self._sleep = sleep
        self._on_step = on_step

    def counted(self, erasure: Erasure) -> tuple[int, dict[str, int]]:
        """What an erasure would remove: traces, and rows by table. Writes nothing."""
        traces = traces_of(erasure)
        count = int(
            self._store.query(
                f"SELECT count() FROM (SELECT DISTINCT trace_id FROM ({traces}))", timeout_s=TIMEOUT_S
            ).rows[0][0]
        )
        rows = self._found(erasure, traces) if count else {}
        # A trace that is named is not therefore stored; the cache of verdicts is everybody's.
        return (count, rows) if rows.keys() - {"judge_cache"} else (0, {})

    def run(self, erasure: Erasure) -> Erasure:
        """Erase it, or go on with it; how it stands at the end.

        Raises:
            StoreError: as the store says; what was done stays, and another run goes on.
        """
        erasure = self._book.save(erasure, state="running", progress=replace(erasure.progress, failure=""))
        if erasure.kind != "trace" and not self._book.is_marked(erasure):
            self._book.mark_people(erasure)
        self._step("marked")
        self._book.mark_traces(erasure, traces_of(erasure))
        self._step("remembered")
        erasure = self._planned(erasure)
        self._step("planned")
        self._note_offsets(erasure)
        for removal in removals(erasure, remembered(erasure)):
            if self._count(removal):
                self._remove(removal)
            self._step(removal.table)
        for date in erasure.progress.days:
            erasure = self._of_day(erasure, date)
            self._step(date)
        scrub(self._store, erasure.project, remembered(erasure))
        self._step("scrubbed")
        self._rewrite()
        progress = replace(erasure.progress, passes=erasure.progress.passes + 1)
        self._step("rewritten")
        return self._book.save(erasure, state="done", progress=progress)

    def _step(self, name: str) -> None:
        self._on_step(name)
        if not self._may_go_on():
            raise LostLeaseError("Another collector goes on with erasing.")

    def _planned(self, erasure: Erasure) -> Erasure:
        """Note what there is before anything is removed, so that the report and the days outlive a crash."""
        progress, traces = erasure.progress, remembered(erasure)
        days = self._store.query(
            f"SELECT DISTINCT toString(toDate(start_time)) AS day FROM spans "
            f"WHERE project_id = {literal(erasure.project)} AND trace_id IN ({traces}) ORDER BY day",
            timeout_s=TIMEOUT_S,
        ).rows
        counts = dict(progress.counts)
        if not counts or progress.passes:
            for table, rows in self._found(erasure, traces).items():
                counts[table] = counts.get(table, 0) + rows
        count = self._store.query(f"SELECT uniqExact(trace_id) FROM ({traces})").rows[0][0]
        return self._book.save(
            erasure,
            progress=replace(
                progress,
                counts=counts,
                traces=int(count),
                days=tuple(sorted({*progress.days, *(day for (day,) in days)})),
            ),
        )

    def _found(self, erasure: Erasure, traces: str) -> dict[str, int]:
        own = f"project_id = {literal(erasure.project)} AND trace_id IN ({traces})"
        wanted = [*removals(erasure, traces), *(Removal(table, own) for table in OF_SPANS)]
        counts = {one.table: self._count(one) for one in wanted}
        counts |= {table: len(quoting(self._store, table, erasure.project, traces)) for table in DOCUMENTS}
        return {table: rows for table, rows in counts.items() if rows}

    def _count(self, removal: Removal) -> int:
        sql = f"SELECT count() FROM {removal.table} WHERE {removal.where}"
        return int(self._store.query(sql, timeout_s=TIMEOUT_S).rows[0][0])

    def _remove(self, removal: Removal, part: str = "") -> None:
        self._store.command(
            f"DELETE FROM {self._local(removal.table)} {part} WHERE {removal.where} "
            "SETTINGS lightweight_deletes_sync = 2, allow_nondeterministic_mutations = 1"
        )

    def _note_offsets(self, erasure: Erasure) -> None:
        """Which records had them, so that the audit does not miss them."""
        self._store.command(
            "INSERT INTO removed_offsets SELECT ktopic, kpart, koff, "
            f"{literal(f'erasure {erasure.id}')}, count(), now64(3) FROM spans "
            f"WHERE project_id = {literal(erasure.project)} AND trace_id IN ({remembered(erasure)}) "
            "GROUP BY ktopic, kpart, koff SETTINGS insert_deduplicate = 0"
        )

    def _of_day(self, erasure: Erasure, date: str) -> Erasure:
        day = Day(erasure.project, date)
        start = int(datetime.fromisoformat(f"{date}T00:00:00+00:00").timestamp()) * 1_000_000
        for attempt in range(BUSY_TRIES):
            try:
                with self._amender.alone("erase", erasure.project, start, start + 86_400_000_000):
                    made, kept = self._make_day(erasure, day)
                break
            except AmendmentBusyError as error:
                if attempt + 1 == BUSY_TRIES:
                    raise TransientStoreError(str(error)) from error
                self._sleep(BUSY_WAIT_S)
        progress = erasure.progress
        rolled = {name: progress.rolled_up.get(name, 0) + rows for name, rows in made.items()}
        return self._book.save(
            erasure,
            progress=replace(
                progress,
                days=tuple(one for one in progress.days if one != date),
                rolled_up=rolled,
                kept=progress.kept + kept,
            ),
        )

    def _make_day(self, erasure: Erasure, day: Day) -> tuple[dict[str, int], int]:
        """Spans of a day, and the roll-ups without them."""
        erased = f"trace_id IN ({remembered(erasure)})"
        with self._store.span_inserts:
            makers = [RollupMaker(self._store, rollup, day, erased) for rollup in ROLLUPS]
            for _ in range(TRIES):
                rows = {maker.name: maker.make() for maker in makers}
                self._on_step(f"made {day.date}")
                for table, column in (("spans", "start_time"), ("trace_agg", "bucket")):
                    self._remove(Removal(table, f"{day.of(column)} AND {erased}"), day.part_of(table))
                # Collectors that this process cannot keep away may have stored something in between.
                if not any(maker.differs() for maker in makers):
                    return rows, sum(maker.kept for maker in makers)
        raise TransientStoreError(
            f"The roll-ups of {day.date} of the project {day.project} did not come to rest: spans of that day are "
            "being stored by other collectors. It is tried again."
        )

    def _rewrite(self) -> None:
        """Have the engine write the parts anew in which rows are only marked as removed."""
        levels = [level for rollup in ROLLUPS for level in rollup.levels]
        wanted = [*REMOVED, *OF_SPANS, *levels]
        if not self._store.cluster:
            rows = self._store.query(
                "SELECT DISTINCT table FROM system.parts WHERE database = currentDatabase() AND active "
                "AND has_lightweight_delete"
            ).rows
            wanted = sorted({table for (table,) in rows}.intersection(wanted))
        for table in wanted:
            self._store.command(f"ALTER TABLE {self._local(table)} APPLY DELETED MASK SETTINGS mutations_sync = 2")

    def _local(self, table: str) -> str:
        return f"{table}_local ON CLUSTER {self._store.cluster}" if self._store.cluster else table
