"""Kafka records to rows: what one pinned range of one partition becomes.

Pure and deterministic. The same records and the same `seen` give the same rows in the same order, however often and on
whichever machine, because after a crash a batch is rebuilt and its rows must meet the insert tokens of the first
attempt. So there is no clock, no I/O and no randomness here; times are judged against the record's own timestamp. Only
validation refuses; any other exception is a bug and stops ingest before anything is committed.
"""

import builtins
import gc
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from spanwise_collector.ingest.accounts import Accounts, RecordAccount, Rejection, reject_row
from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.records import Record
from spanwise_collector.normalise.columns import SPANS, TABLES, Row, load_arrow, record_batch
from spanwise_collector.normalise.context import read_scope, read_sender
from spanwise_collector.normalise.decode import Decoded, decode
from spanwise_collector.normalise.limits import MAX_RECORD_BYTES, MAX_RECORD_MS, MIN_RECORD_MS
from spanwise_collector.normalise.problems import Refused
from spanwise_collector.normalise.raw_attributes import RawAttributes
from spanwise_collector.normalise.scores import read_score
from spanwise_collector.normalise.spans import SpanReader
from spanwise_collector.normalise.traces import Item, Traces, read_traces
from spanwise_collector.normalise.usage import Call, Claim, counted_elsewhere
from spanwise_collector.normalise.where import Where, stand
from spanwise_schemas.wire import LOGS_TOPIC, Envelope, project_from_headers

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Batch", "Rejection", "Transformer"]

_SPAN_ID, _START, _DURATION, _COUNTS, _WARNINGS, _REASON = (
    SPANS.get_field_index(name)
    for name in ("span_id", "start_time", "duration_us", "counts_usage", "warnings", "usage_reason")
)
_MAX_RETENTION_DAYS: Final = 65_535


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that one pinned range of one partition becomes.

    Attributes:
        tables: target table to its rows; only non-empty ones, in the order to insert.
        rejections: what was refused; the records go to the topic spanwise_rejects.
        spans: rows for `spans`.
        scores: rows for `scores`.
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
    rejected: int
    duplicates: int
    warnings: int
    bytes: int
    span_ids: "list[builtins.bytes]"


class Transformer:
    """Turns records into rows. Holds only configuration and pure caches.

    Args:
        prices: what model calls cost.
        retention_days: spans are deleted this long after their start; older ones are refused, since they would be
            deleted at once.
        max_record_bytes: larger records are refused.

    Raises:
        ValueError: when `retention_days` is outside 1 to 65,535.
    """

    def __init__(
        self, *, prices: PriceBook, retention_days: int = 30, max_record_bytes: int = MAX_RECORD_BYTES
    ) -> None:
        if not 1 <= retention_days <= _MAX_RETENTION_DAYS:
            raise ValueError(f"SPANWISE_RETENTION_DAYS is {retention_days}; give 1 to {_MAX_RETENTION_DAYS} days")
        self._spans = SpanReader(prices)
        self._attributes = RawAttributes()
        self._retention_days = retention_days
        self._max_record_bytes = max_record_bytes
        load_arrow()

    def transform(self, records: Sequence[Record], seen: Container[bytes]) -> Batch:
        """Rows of a batch.

        Args:
            records: of one partition, in order of offset.
            seen: trace id and span id (24 bytes) of spans stored from the offsets before; these are dropped and
                counted.
        """
        with _no_collection():
            draft = _Draft(seen)
            for record in records:
                self._record(record, draft)
            batch = draft.finish(records)
            del draft  # before collection goes on, or it would walk all rows once more
            return batch

    def _record(self, record: Record, draft: "_Draft") -> None:
        envelope = Envelope.from_headers(record.headers)
        account = draft.accounts.of_record(record, envelope)
        book = _Refusals(record, envelope, draft)
        try:
            value = self._checked_value(record)
            if record.topic == LOGS_TOPIC:
                decoded_logs = decode(ExportLogsServiceRequest, value)
                items = _read_logs(decoded_logs, record, draft, account, book)
                lost = decoded_logs.lost
            else:
                traces = read_traces(value, self._attributes)
                items = self._read_spans(traces, record, draft, account, book)
                lost = traces.lost
            if lost:
                book.add(Refused("bad_item"), lost)
                account.add(None, items=lost, rejected=lost)
            elif not items:
                raise Refused("no_items", f"{len(value)} bytes:")
        except Refused as refused:
            book.add(refused, account.expected)
            account.add(None, items=account.expected, rejected=account.expected)
        book.close()

    def _checked_value(self, record: Record) -> bytes:
        value = record.value
        if not value:
            raise Refused("empty")
        if len(value) > self._max_record_bytes:
            raise Refused("too_large", f"{len(value):,} bytes, the limit is {self._max_record_bytes:,}.")
        if not MIN_RECORD_MS <= record.timestamp_ms <= MAX_RECORD_MS:
            raise Refused("bad_record_time", f"Timestamp {record.timestamp_ms} ms.")
        return value

    def _read_spans(
        self, traces: Traces, record: Record, draft: "_Draft", account: RecordAccount, book: "_Refusals"
    ) -> int:
        total = 0
        topic = f"{record.topic}/{record.topic_id}"
        project = project_from_headers(record.headers)
        for resource, scopes in traces.groups:
            sender = read_sender(resource, project)
            items = refused = duplicates = 0
            for scope, spans in scopes:
                where = stand(
                    sender,
                    read_scope(scope),
                    record_ms=record.timestamp_ms,
                    retention_days=self._retention_days,
                    topic=topic,
                    partition=record.partition,
                    offset=record.offset,
                )
                items += len(spans)
                for item in spans:
                    try:
                        duplicates += not draft.add_span(self._spans, item, where)
                    except Refused as reason:
                        refused += 1
                        book.add(reason, 1)
            if items:
                account.add(sender, items=items, rejected=refused, duplicates=duplicates)
            total += items
        return total


@contextmanager
def _no_collection() -> Iterator[None]:
    """Garbage collection paused: rows hold no cycles, and looking for some took a fifth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _read_logs(
    decoded: Decoded[ExportLogsServiceRequest],
    record: Record,
    draft: "_Draft",
    account: RecordAccount,
    book: "_Refusals",
) -> int:
    total = 0
    draft.warnings += sum(map(len, decoded.notes.values()))
    project = project_from_headers(record.headers)
    for group in decoded.request.resource_logs:
        sender = read_sender(group.resource, project)
        items = refused = 0
        for scoped in group.scope_logs:
            for entry in scoped.log_records:
                items += 1
                try:
                    row, warnings = read_score(entry, sender, record)
                except Refused as reason:
                    refused += 1
                    book.add(reason, 1)
                    continue
                draft.scores.append(row)
                draft.warnings += len(warnings)
        if items:
            account.add(sender, items=items, rejected=refused)
        total += items
    return total


class _Refusals:
    """What is refused of one record, by reason."""

    def __init__(self, record: Record, envelope: Envelope | None, draft: "_Draft") -> None:
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


@dataclass(slots=True)
class _Draft:
    """A batch in the making."""

    seen: Container[bytes]
    rows: list[Row] = field(default_factory=list)
    io: list[Row] = field(default_factory=list)
    scores: list[Row] = field(default_factory=list)
    rejects: list[Row] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    accounts: Accounts = field(default_factory=Accounts)
    claims: dict[Claim, list[int]] = field(default_factory=dict)
    ids: dict[bytes, None] = field(default_factory=dict)
    duplicates: int = 0
    warnings: int = 0

    def add_span(self, reader: SpanReader, item: Item, where: Where) -> bool:
        """Read a span; False when it is stored already.

        Raises:
            Refused: when it cannot be stored.
        """
        span, attributes, warnings = item
        key = span.trace_id + span.span_id
        if key in self.ids or key in self.seen:
            self.duplicates += 1
            return False
        found = reader.read(span, attributes, where, warnings)
        self.ids[key] = None
        if found.claim is not None:
            self.claims.setdefault(found.claim, []).append(len(self.rows))
        self.rows.append(found.row)
        if found.io is not None:
            self.io.append(found.io)
        return True

    def finish(self, records: Sequence[Record]) -> Batch:
        """The batch."""
        for position in sorted(counted_elsewhere(self._contested())):
            row = list(self.rows[position])
            row[_COUNTS] = False
            row[_REASON] = "same_response"
            row[_WARNINGS] = sorted([*row[_WARNINGS], "usage_counted_elsewhere"])
            self.rows[position] = tuple(row)
        rows = (self.rows, self.io, self.scores, self.accounts.rows(), self.rejects)
        tables = {
            name: record_batch(schema, found)
            for (name, schema), found in zip(TABLES.items(), rows, strict=True)
            if found
        }
        return Batch(
            tables=tables,
            rejections=self.rejections,
            spans=len(self.rows),
            scores=len(self.scores),
            rejected=sum(one.items for one in self.rejections),
            duplicates=self.duplicates,
            warnings=self.warnings + sum(len(row[_WARNINGS]) for row in self.rows),
            bytes=sum(len(record.value or b"") for record in records),
            span_ids=list(self.ids),
        )

    def _contested(self) -> Iterator[Call]:
        for claim, positions in self.claims.items():
            if len(positions) > 1:
                for position in positions:
                    row = self.rows[position]
                    yield Call(position, claim, row[_START], row[_START] + row[_DURATION], row[_SPAN_ID])
