"""Kafka records to rows: what one pinned range of one partition becomes.

Pure and deterministic. The same records and the same `seen` give the same rows in the same order, however often and on
whichever machine, because after a crash a batch is rebuilt and its rows must meet the insert tokens of the first
attempt. So there is no clock, no I/O and no randomness here; times are judged against the record's own timestamp. Only
validation refuses; any other exception is a bug and stops ingest before anything is committed.
"""

import gc
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from spanwise_collector.ingest.accounts import RecordAccount
from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.draft import Batch, Draft, Refusals
from spanwise_collector.ingest.erased import NOTHING, Erased
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.replayed import ids_of_replayed
from spanwise_collector.normalise.columns import SCORES, load_arrow
from spanwise_collector.normalise.content_events import EVENTS
from spanwise_collector.normalise.contents import event_name, read_contents
from spanwise_collector.normalise.context import Sender, read_scope, read_sender
from spanwise_collector.normalise.decode import Decoded, decode
from spanwise_collector.normalise.front import Front
from spanwise_collector.normalise.limits import MAX_RECORD_BYTES, MAX_RECORD_MS, MIN_RECORD_MS
from spanwise_collector.normalise.masking import Masker
from spanwise_collector.normalise.problems import Refused
from spanwise_collector.normalise.scores import Arrival, read_score
from spanwise_collector.normalise.spans import SpanReader
from spanwise_collector.normalise.traces import Traces, read_traces
from spanwise_collector.normalise.where import stand
from spanwise_schemas.attributes import SCORE_EVENT
from spanwise_schemas.wire import LOGS_TOPIC, Envelope, project_from_headers

_MAX_RETENTION_DAYS: Final = 65_535
_SCORE_TRACE, _SCORE_SESSION, _SCORE_TS = (SCORES.get_field_index(name) for name in ("trace_id", "session_id", "ts"))


class Transformer:
    """Turns records into rows. Holds only configuration and pure caches.

    Args:
        prices: what model calls cost.
        retention_days: spans are deleted this long after their start; older ones are refused, since they would be
            deleted at once.
        max_record_bytes: larger records are refused.
        masker: hides what must not be stored before anything is read; None for nothing.

    Raises:
        ValueError: when `retention_days` is outside 1 to 65,535.
    """

    def __init__(
        self,
        *,
        prices: PriceBook,
        retention_days: int = 30,
        max_record_bytes: int = MAX_RECORD_BYTES,
        masker: Masker | None = None,
    ) -> None:
        if not 1 <= retention_days <= _MAX_RETENTION_DAYS:
            raise ValueError(f"SPANWISE_RETENTION_DAYS is {retention_days}; give 1 to {_MAX_RETENTION_DAYS} days")
        self._spans = SpanReader(prices)
        self._front = Front()
        self._retention_days = retention_days
        self._max_record_bytes = max_record_bytes
        self._masker = masker
        load_arrow()

    def transform(self, records: Sequence[Record], seen: Container[bytes], erased: Erased = NOTHING) -> Batch:
        """Rows of a batch.

        Args:
            records: of one partition, in order of offset.
            seen: trace id and span id (24 bytes) of spans stored from the offsets before; these are dropped and
                counted.
            erased: what was erased; it is left out and counted.
        """
        with _no_collection():
            draft = Draft(seen, erased)
            for record in records:
                self._record(record, draft)
            batch = draft.finish(records)
            del draft  # before collection goes on, or it would walk all rows once more
            return batch

    def ids_of_replayed(self, records: Sequence[Record]) -> set[bytes]:
        """See `replayed.ids_of_replayed`."""
        return ids_of_replayed(records, self._front)

    def _record(self, record: Record, draft: Draft) -> None:
        masker = self._masker
        if masker is not None:
            record = replace(record, headers=masker.headers(record.headers))
        envelope = Envelope.from_headers(record.headers)
        account = draft.accounts.of_record(record, envelope)
        book = Refusals(record, envelope, draft)
        try:
            value = self._checked_value(record)
            if record.topic == LOGS_TOPIC:
                decoded_logs = decode(ExportLogsServiceRequest, value)
                if masker is not None:
                    masker.mask_request(decoded_logs.request)
                items = _read_logs(decoded_logs, record, draft, account, book, self._retention_days)
                lost = decoded_logs.lost
            else:
                traces = read_traces(value, self._front, masker)
                items = self._read_spans(traces, record, draft, account, book)
                lost = traces.lost
            if lost:
                book.add(Refused("bad_item"), lost)
                account.add(None, items=lost, rejected=lost)
            elif not items:
                raise Refused("no_items", f"{len(value)} bytes:")
        except Refused as refused:
            if masker is not None and refused.reason == "not_protobuf":
                refused = Refused(refused.reason)  # it quotes bytes that nobody could mask
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

    def _read_spans(self, traces: Traces, record: Record, draft: Draft, account: RecordAccount, book: Refusals) -> int:
        total = 0
        topic = f"{record.topic}/{record.topic_id}"
        project = project_from_headers(record.headers)
        for resource, scopes in traces.groups:
            sender = read_sender(resource, project)
            items = refused = left = 0
            erased = -draft.erased_items
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
                        left += not draft.add_span(self._spans, item, where)
                    except Refused as reason:
                        refused += 1
                        book.add(reason, 1)
            if items:
                erased += draft.erased_items
                account.add(sender, items=items, rejected=refused, duplicates=left - erased, erased=erased)
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
    draft: Draft,
    account: RecordAccount,
    book: Refusals,
    retention_days: int,
) -> int:
    total = 0
    draft.warnings += sum(map(len, decoded.notes.values()))
    project = project_from_headers(record.headers)
    for group in decoded.request.resource_logs:
        sender = read_sender(group.resource, project)
        items = refused = 0
        erased = -draft.erased_items
        for scoped in group.scope_logs:
            for entry in scoped.log_records:
                items += 1
                try:
                    _read_log(entry, sender, record, draft, retention_days)
                except Refused as reason:
                    refused += 1
                    book.add(reason, 1)
        if items:
            account.add(sender, items=items, rejected=refused, erased=erased + draft.erased_items)
        total += items
    return total


def _read_log(entry: LogRecord, sender: Sender, record: Record, draft: Draft, retention_days: int) -> None:
    """Read a log record: a score, or content of a span.

    Raises:
        Refused: when it is neither, or cannot be stored.
    """
    event = event_name(entry)
    if event == SCORE_EVENT:
        row, warnings = read_score(entry, sender, Arrival(record.timestamp_ms, record.offset))
        if _was_erased(draft, sender, row[_SCORE_TRACE], record, row[_SCORE_SESSION], row[_SCORE_TS]):
            return
        draft.scores.append(row)
        draft.score_records += 1
    elif event in EVENTS:
        if _was_erased(draft, sender, entry.trace_id, record):
            return
        rows, warnings = read_contents(entry, event, sender, record, retention_days)
        draft.contents += rows
        draft.content_records += 1
    else:
        raise Refused("unknown_event", f"Event {event[:64]!r}:" if event else "Log record without an event name:")
    draft.warnings += len(warnings)


def _was_erased(
    draft: Draft, sender: Sender, trace_id: bytes, record: Record, session: str = "", time_us: int = 0
) -> bool:
    """Whether an item of a log record was erased; it is counted then."""
    erased = draft.erased.projects.get(sender.project)
    if erased is None:
        return False
    mark = erased.of_trace(trace_id) or erased.of_people("", session, time_us)
    if mark:
        draft.leave_out(sender.project, mark, trace_id if len(trace_id) == 16 else bytes(16), record.timestamp_ms)
    return bool(mark)
