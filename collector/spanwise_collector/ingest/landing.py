"""Storing one pinned batch: its tables, its ledger row, its rejects, in this order.

Runs on a worker thread, while the loop polls and builds the next batch. It may run any number of times for one batch:
what had landed is recognised by its token.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

import pyarrow as pa

from spanwise_collector.ingest.accounts import Rejection
from spanwise_collector.ingest.draft import Batch
from spanwise_collector.ingest.ledger import LEDGER_TABLE, Counts, Range, ledger_row
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.refusals import RefusedRow, insert_without_refused, rejections_of
from spanwise_collector.ingest.source import Reject, RejectSink
from spanwise_collector.ingest.steps import OnStep, Step
from spanwise_collector.store.errors import PermanentStoreError

REJECT_HEADER: Final = "spanwise-reject-"


class Store(Protocol):
    """What landing needs of the database."""

    def insert(self, table: str, rows: pa.RecordBatch, *, token: str) -> None:
        """See `Database.insert`."""
        ...


@dataclass(slots=True)
class Work:
    """A batch on its way.

    Attributes:
        covered: its range of offsets.
        records: the records in the range.
        batch: what they became.
        redo: it was pinned by an earlier run, or by another collector.
        landed: tables that an earlier attempt has filled; they need not be sent again.
        refused: rows that an earlier attempt found to be refused.
    """

    covered: Range
    records: Sequence[Record]
    batch: Batch
    redo: bool = False
    landed: set[str] = field(default_factory=set)
    refused: list[RefusedRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Landed:
    """Everything of the batch is stored, and acknowledged where refused.

    Attributes:
        counts: what became of its items.
        refused_rows: how many of its rows for spans and scores the store refused.
        seconds: how long it took.
    """

    counts: Counts
    refused_rows: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Refused:
    """The store refuses the block of the batch's first table; nothing of the batch has landed."""

    error: PermanentStoreError


class Lander:
    """Stores batches. Thread-safe as far as its store and its sink are."""

    def __init__(
        self,
        store: Store,
        rejects: RejectSink,
        *,
        code_version: str,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        on_step: OnStep,
    ) -> None:
        self._store = store
        self._rejects = rejects
        self._code_version = code_version
        self._clock = clock
        self._now = now
        self._on_step = on_step

    def land(self, work: Work) -> Landed | Refused:
        """Store a pinned batch.

        Raises:
            TransientStoreError, TransientSourceError: call again with the same work.
            StoreError, SourceError: a person has to look; the pin stays.
        """
        began = self._clock()
        for position, (table, rows) in enumerate(work.batch.tables.items()):
            if table in work.landed:
                continue
            try:
                self._insert(table, rows, work.covered.token(table))
            except PermanentStoreError as error:
                # As long as nothing has landed, a smaller batch keeps every promise. Later only the refused rows are
                # left out, by tokens below the batch's own.
                if position == 0 and len(work.records) > 1:
                    return Refused(error)
                work.refused += insert_without_refused(
                    lambda part, token, table=table: self._insert(table, part, token),  # type: ignore[misc]
                    table,
                    rows,
                    work.covered.token(table),
                )
            work.landed.add(table)
        counts, refused_rows = _counts(work)
        rejections = [*work.batch.rejections, *rejections_of(work.refused, work.records, work.batch)]
        self._record(work, counts)
        if rejections:
            self._rejects.publish([to_reject(rejection, code_version=self._code_version) for rejection in rejections])
            self._on_step(Step.PUBLISHED)
        return Landed(counts, refused_rows, self._clock() - began)

    def _insert(self, table: str, rows: pa.RecordBatch, token: str) -> None:
        self._on_step(Step.INSERTING)
        self._store.insert(table, rows, token=token)
        self._on_step(Step.INSERTED)

    def _record(self, work: Work, counts: Counts) -> None:
        row = ledger_row(
            work.covered,
            work.records,
            counts,
            code_version=self._code_version,
            now=self._now(),
            erasures=work.batch.erasures,
        )
        self._store.insert(LEDGER_TABLE, row, token=work.covered.token(LEDGER_TABLE))
        self._on_step(Step.RECORDED)


def _counts(work: Work) -> tuple[Counts, int]:
    batch = work.batch
    items = [row.table for row in work.refused if row.is_item(batch.carried_scores)]
    refused: Mapping[str, int] = {table: items.count(table) for table in ("spans", "scores")}
    rows = len(items)
    return (
        Counts(
            spans=batch.spans - refused["spans"],
            scores=batch.scores - refused["scores"],
            contents=batch.contents,
            rejected=batch.rejected + rows,
            duplicates=batch.duplicates,
            # Any other refused row is a body, a score that its span carried, or a note about a producer: left out, and
            # flagged.
            warnings=batch.warnings + len(work.refused) - rows,
            bytes=batch.bytes,
            erased=batch.erased,
        ),
        rows,
    )


def to_reject(rejection: Rejection, *, code_version: str) -> Reject:
    """A refused record with its original bytes and headers, and headers that say where it lay and what was wrong."""
    record = rejection.record
    about: dict[str, object] = {
        "topic": record.topic,
        "topic-id": record.topic_id,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp-ms": record.timestamp_ms,
        "reason": rejection.reason,
        "detail": rejection.detail,
        "items": rejection.items,
        "code-version": code_version,
    }
    original = tuple((key, value) for key, value in record.headers if value is not None)
    return Reject(
        key=record.key,
        value=record.value,
        headers=(*original, *((REJECT_HEADER + name, str(value).encode()) for name, value in about.items())),
    )
