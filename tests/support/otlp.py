"""OTLP requests as tests write them, in Kafka records, and rows as tests read them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.draft import Batch
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.transform import Transformer

# Sunday, 22 November 2026, 12:00 UTC.
NOW_MS = 1_795_348_800_000
NOW_NS = NOW_MS * 1_000_000
TRACE = bytes(range(1, 17))
SPAN = bytes(range(1, 9))
RESOURCE = {"service.name": "bot", "spanwise.project": "shop"}


def any_value(value: object) -> AnyValue:
    """An AnyValue of the matching sort."""
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case str():
            return AnyValue(string_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case dict():
            made = AnyValue()
            made.kvlist_value.SetInParent()
            made.kvlist_value.values.extend(attributes(cast("Mapping[str, object]", value)))
            return made
        case list() | tuple():
            made = AnyValue()
            made.array_value.SetInParent()
            made.array_value.values.extend(any_value(one) for one in value)
            return made
        case _:
            return AnyValue()


def attributes(values: Mapping[str, object]) -> list[KeyValue]:
    """Attributes in order."""
    return [KeyValue(key=key, value=any_value(value)) for key, value in values.items()]


def span(
    name: str = "chat",
    values: Mapping[str, object] | None = None,
    *,
    trace_id: bytes = TRACE,
    span_id: bytes = SPAN,
    parent: bytes = b"",
    start_ns: int = NOW_NS - 2_000_000_000,
    end_ns: int = NOW_NS - 1_000_000_000,
    **fields: Any,
) -> Span:
    """A span of one second that ended one second before the record's time."""
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent,
        name=name,
        start_time_unix_nano=start_ns,
        end_time_unix_nano=end_ns,
        attributes=attributes(values or {}),
        **fields,
    )


def traces(
    *spans: Span, resource: Mapping[str, object] = RESOURCE, scope: str = "spanwise", version: str = ""
) -> ExportTraceServiceRequest:
    """A request with one resource and one scope."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(attributes(resource))
    scoped = group.scope_spans.add()
    scoped.scope.name = scope
    scoped.scope.version = version
    scoped.spans.extend(spans)
    return request


def logs(*entries: LogRecord, resource: Mapping[str, object] = RESOURCE) -> ExportLogsServiceRequest:
    """A request with one resource and one scope."""
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.extend(attributes(resource))
    group.scope_logs.add().log_records.extend(entries)
    return request


def record(
    value: ExportTraceServiceRequest | ExportLogsServiceRequest | bytes | None,
    *,
    offset: int = 7,
    topic: str | None = None,
    timestamp_ms: int = NOW_MS,
    headers: Iterable[tuple[str, bytes | None]] = (),
) -> Record:
    """A record of partition 3 that holds a request."""
    found = "otlp_logs" if isinstance(value, ExportLogsServiceRequest) else "otlp_spans"
    data = value if value is None or isinstance(value, bytes) else value.SerializeToString()
    return Record(topic or found, "topic-id", 3, offset, timestamp_ms, None, data, tuple(headers))


def transformer(prices: PriceBook | None = None, **options: Any) -> Transformer:
    """A transformer with the bundled prices."""
    return Transformer(prices=prices or PriceBook(), **options)


def transform(*records: Record, seen: Sequence[bytes] = (), prices: PriceBook | None = None) -> Batch:
    """What a fresh transformer makes of some records."""
    return transformer(prices).transform(records, frozenset(seen))


def rows(batch: Batch, table: str) -> list[dict[str, Any]]:
    """A table's rows as dicts; times as integers in the column's unit, maps as dicts."""
    found = batch.tables.get(table)
    if found is None:
        return []
    columns = {}
    for name, column in zip(found.schema.names, found.columns, strict=True):
        kind = str(column.type)
        if kind.startswith("timestamp"):
            columns[name] = column.cast("int64").to_pylist()
        elif kind.startswith("map"):
            columns[name] = [dict(pairs) for pairs in column.to_pylist()]
        else:
            columns[name] = column.to_pylist()
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def one_row(*spans: Span, **options: Any) -> dict[str, Any]:
    """The row of the last of some spans sent together."""
    return rows(transform(record(traces(*spans, **options))), "spans")[-1]
