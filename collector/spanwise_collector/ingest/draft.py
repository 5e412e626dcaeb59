"""A batch in the making: rows as they come, refusals, and which of several spans bears the bill of a call."""

import builtins
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spanwise_collector.ingest.accounts import Accounts, Rejection, reject_row
from spanwise_collector.ingest.bills import Bills
from spanwise_collector.ingest.erased import NOTHING, Erased
from spanwise_collector.ingest.records import Record
from spanwise_collector.normalise.columns import SPANS, TABLES, Row, record_batch, with_columns
from spanwise_collector.normalise.problems import Refused
from spanwise_collector.normalise.spans import SpanReader
from spanwise_collector.normalise.traces import Item
from spanwise_collector.normalise.where import Where
from spanwise_schemas.wire import Envelope

if TYPE_CHECKING:
    import pyarrow as pa

_COUNTS, _WARNINGS, _START, _USER, _SESSION = (
    SPANS.get_field_index(name) for name in ("counts_usage", "warnings", "start_time", "user_id", "session_id")
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that one pinned range of one partition becomes.

    Attributes:
        tables: target table to its rows; only non-empty ones, in the order to insert.
        rejections: what was refused; the records go to the topic spanwise_rejects.
        spans: rows for `spans`.
        scores: log records that are scores; those that spans carry are not counted here.
        contents: log records with message content.
        rejected: spans and log records refused.
        duplicates: spans dropped because they are stored already.
        warnings: flags raised on stored rows.
        bytes: size of all record values.
        span_ids: trace id and span id (24 bytes) of the rows for `spans`, in their order.
        carried_scores: numbers of the rows for `scores` that spans carry: parts of an item, not items.
        erased: spans and log records left out because they were erased.
        erasures: version of the list of what was erased.
    """

    tables: "dict[str, pa.RecordBatch]"
    rejections: list[Rejection]
    spans: int
    scores: int
    contents: int
    rejected: int
    duplicates: int
    warnings: int
    bytes: int
    span_ids: "list[builtins.bytes]"
    carried_scores: frozenset[int] = frozenset()
    erased: int = 0
    erasures: int = 0


@dataclass(slots=True)
class Draft:
    """A batch in the making.

    Attributes:
        seen: trace id and span id of spans stored before.
        erased: what was erased.
        dropped: (project, mark, trace id) to items left out, and the latest time of their records.
    """

    seen: Container[bytes]
    erased: Erased = NOTHING
    dropped: dict[tuple[str, int, bytes], tuple[int, int]] = field(default_factory=dict)
    erased_items: int = 0
    spans: list[Row] = field(default_factory=list)
    io: list[Row] = field(default_factory=list)
    contents: list[Row] = field(default_factory=list)
    content_records: int = 0
    scores: list[Row] = field(default_factory=list)
    score_records: int = 0
    carried_scores: set[int] = field(default_factory=set)
    rejects: list[Row] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    accounts: Accounts = field(default_factory=Accounts)
    bills: Bills = field(default_factory=Bills)
    ids: dict[bytes, None] = field(default_factory=dict)
    duplicates: int = 0
    warnings: int = 0

    def add_span(self, reader: SpanReader, item: Item, where: Where) -> bool:
        """Read a span; False when it is stored already, or was erased.

        Raises:
            Refused: when it cannot be stored.
        """
        span, filled, warnings = item
        erased = self.erased.projects.get(where.sender.project)
        if erased is not None:
            mark = erased.of_trace(span.trace_id)
            if mark:
                self.leave_out(where.sender.project, mark, span.trace_id, where.record_ms)
                return False
        key = span.trace_id + span.span_id
        if key in self.ids or key in self.seen:
            self.duplicates += 1
            return False
        row, io, scores = reader.read(span, filled, where, warnings)
        if erased is not None:
            mark = erased.of_people(row[_USER], row[_SESSION], row[_START])
            if mark:
                self.leave_out(where.sender.project, mark, span.trace_id, where.record_ms)
                return False
        self.ids[key] = None
        if scores:
            self.carried_scores.update(range(len(self.scores), len(self.scores) + len(scores)))
            self.scores += scores
        if row[_COUNTS]:
            self.bills.add(len(self.ids) - 1, row)
        self.warnings += len(row[_WARNINGS])
        self.spans.append(row)
        if io is not None:
            self.io.append(io)
        return True

    def leave_out(self, project: str, mark: int, trace_id: bytes, record_ms: int) -> None:
        """Count an item that was erased.

        Args:
            project: of the item.
            mark: number of the mark that names it.
            trace_id: of the item; zeros where it has none.
            record_ms: timestamp of its record, milliseconds.
        """
        self.erased_items += 1
        items, latest = self.dropped.get((project, mark, trace_id), (0, 0))
        self.dropped[project, mark, trace_id] = (items + 1, max(latest, record_ms))

    def finish(self, records: Sequence[Record]) -> Batch:
        """The batch."""
        drops: list[Row] = [(*key, *counted) for key, counted in sorted(self.dropped.items())]
        rows = (self.spans, self.io, self.contents, self.scores, self.accounts.rows(), self.rejects, drops)
        tables = {
            name: record_batch(schema, found)
            for (name, schema), found in zip(TABLES.items(), rows, strict=True)
            if found
        }
        reasons = self.bills.reasons(self.spans)
        if reasons:
            tables["spans"] = _without_bill(tables["spans"], reasons)
        return Batch(
            tables=tables,
            rejections=self.rejections,
            spans=len(self.ids),
            scores=self.score_records,
            contents=self.content_records,
            rejected=sum(one.items for one in self.rejections),
            duplicates=self.duplicates,
            warnings=self.warnings,
            bytes=sum(len(record.value or b"") for record in records),
            span_ids=list(self.ids),
            carried_scores=frozenset(self.carried_scores),
            erased=self.erased_items,
            erasures=self.erased.version,
        )


def _without_bill(spans: "pa.RecordBatch", reasons: dict[int, str]) -> "pa.RecordBatch":
    """The spans, of which some do not bear their bill.

    Args:
        spans: for the table `spans`.
        reasons: position to the reason why it does not.
    """
    counts, why = spans["counts_usage"].to_pylist(), spans["usage_reason"].to_pylist()
    for position, reason in reasons.items():
        counts[position], why[position] = False, reason
    return with_columns(spans, {"counts_usage": counts, "usage_reason": why})


class Refusals:
    """What is refused of one record, by reason."""

    def __init__(self, record: Record, envelope: Envelope | None, draft: Draft) -> None:
        self._record = record
        self._envelope = envelope
        self._draft = draft
        self._found: dict[str, tuple[str, int]] = {}

    def add(self, refused: Refused, items: int) -> None:
        """Note refused items; of one reason the first detail is kept."""
        detail, already = self._found.get(refused.reason, (refused.detail, 0))
        self._found[refused.reason] = (detail, already + items)

    def close(self) -> None:
        """Write them to the draft."""
        for reason, (detail, items) in self._found.items():
            rejection = Rejection(self._record, reason, detail, items)
            self._draft.rejections.append(rejection)
            self._draft.rejects.append(reject_row(rejection, self._envelope))
