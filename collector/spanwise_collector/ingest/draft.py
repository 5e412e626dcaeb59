"""A batch in the making: rows as they come, refusals, and which of several spans bears the bill of a call."""

import builtins
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spanwise_collector.ingest.accounts import Accounts, Rejection, reject_row
from spanwise_collector.ingest.bills import Bills
from spanwise_collector.ingest.records import Record
from spanwise_collector.normalise.columns import SPANS, TABLES, Row, record_batch, with_columns
from spanwise_collector.normalise.problems import Refused
from spanwise_collector.normalise.spans import SpanReader
from spanwise_collector.normalise.traces import Item
from spanwise_collector.normalise.where import Where
from spanwise_schemas.wire import Envelope

if TYPE_CHECKING:
    import pyarrow as pa

_COUNTS, _WARNINGS = (SPANS.get_field_index(name) for name in ("counts_usage", "warnings"))


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that one pinned range of one partition becomes.

    Attributes:
        tables: target table to its rows; only non-empty ones, in the order to insert.
        rejections: what was refused; the records go to the topic spanwise_rejects.
        spans: rows for `spans`.
        scores: rows for `scores`.
        contents: log records with message content.
        rejected: spans and log records refused.
        duplicates: spans dropped because they are stored already.
        warnings: flags raised on stored rows.
        bytes: size of all record values.
        span_ids: trace id and span id (24 bytes) of the rows for `spans`, in their order.
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


@dataclass(slots=True)
class Draft:
    """A batch in the making.

    Attributes:
        seen: trace id and span id of spans stored before.
    """

    seen: Container[bytes]
    spans: list[Row] = field(default_factory=list)
    io: list[Row] = field(default_factory=list)
    contents: list[Row] = field(default_factory=list)
    content_records: int = 0
    scores: list[Row] = field(default_factory=list)
    rejects: list[Row] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    accounts: Accounts = field(default_factory=Accounts)
    bills: Bills = field(default_factory=Bills)
    ids: dict[bytes, None] = field(default_factory=dict)
    duplicates: int = 0
    warnings: int = 0

    def add_span(self, reader: SpanReader, item: Item, where: Where) -> bool:
        """Read a span; False when it is stored already.

        Raises:
            Refused: when it cannot be stored.
        """
        span, filled, warnings = item
        key = span.trace_id + span.span_id
        if key in self.ids or key in self.seen:
            self.duplicates += 1
            return False
        row, io = reader.read(span, filled, where, warnings)
        self.ids[key] = None
        if row[_COUNTS]:
            self.bills.add(len(self.ids) - 1, row)
        self.warnings += len(row[_WARNINGS])
        self.spans.append(row)
        if io is not None:
            self.io.append(io)
        return True

    def finish(self, records: Sequence[Record]) -> Batch:
        """The batch."""
        rows = (self.spans, self.io, self.contents, self.scores, self.accounts.rows(), self.rejects)
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
            scores=len(self.scores),
            contents=self.content_records,
            rejected=sum(one.items for one in self.rejections),
            duplicates=self.duplicates,
            warnings=self.warnings,
            bytes=sum(len(record.value or b"") for record in records),
            span_ids=list(self.ids),
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
