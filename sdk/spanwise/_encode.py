"""From finished spans and scores to OTLP: stamped with who sent them, masked, within the size limit. Pure functions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import SEVERITY_NUMBER_INFO, LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan

from spanwise._mask import Masking
from spanwise._otlp import delimited, simple_span
from spanwise._scores import Score
from spanwise_schemas import attributes as names

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

MAX_SPAN_BYTES: Final = 900_000
"""A span alone in its record, with resource and scope, stays under `wire.MAX_RECORD_BYTES`."""

SCOPE_NAME: Final = "spanwise"
_MAX_ENVELOPES: Final = 256


@dataclass(slots=True)
class Losses:
    """What encoding had to leave out.

    Attributes:
        encode_failed: items that have no OTLP form.
        too_large: spans that stayed too large after their texts were cut.
        mask_failed: values replaced because the mask raised or returned no text.
        details: one message per kind.
    """

    encode_failed: int = 0
    too_large: int = 0
    mask_failed: int = 0
    details: dict[str, str] = field(default_factory=dict)


class SpanEncoder:
    """Encodes batches of spans.

    Args:
        stamp: resource attributes to set on all of them.
        masking: applied to everything that is sent; None for none.
    """

    def __init__(self, stamp: Mapping[str, str], masking: Masking | None) -> None:
        self._stamp = stamp
        self._masking = masking
        # Serialised resource and scope by identity; the objects are kept so that an identity is not given to another.
        self._envelopes: dict[tuple[int, int], tuple[object, object, bytes, bytes]] = {}

    def encode(self, spans: Sequence["ReadableSpan"], losses: Losses) -> bytes:
        """One serialised OTLP request with all of the spans.

        Args:
            spans: finished spans, of any resource and scope.
            losses: where to count what is left out.
        """
        if self._masking is not None:
            return self._encode_any(spans, losses)
        simple: dict[tuple[int, int], list[bytes]] = {}
        others: list[ReadableSpan] = []
        for span in spans:
            data = simple_span(span)
            if data is None or len(data) > MAX_SPAN_BYTES:
                others.append(span)
            else:
                simple.setdefault(self._place(span), []).append(delimited(b"\x12", data))
        parts = []
        for place, messages in simple.items():
            _, _, head, tail = self._envelopes[place]
            # Field 2 of ResourceSpans, inside field 1 of the request.
            scope_spans = delimited(b"\x12", tail + b"".join(messages))
            parts.append(delimited(b"\x0a", head + scope_spans))
        if others:
            parts.append(self._encode_any(others, losses))
        return b"".join(parts)  # joined requests are one request: repeated fields add up

    def _place(self, span: "ReadableSpan") -> tuple[int, int]:
        place = (id(span.resource), id(span.instrumentation_scope))
        if place not in self._envelopes:
            if len(self._envelopes) >= _MAX_ENVELOPES:
                self._envelopes.clear()
            group = encode_spans([span]).resource_spans[0]
            _stamp(group.resource, self._stamp)
            scope = group.scope_spans[0]
            del group.scope_spans[:], scope.spans[:]
            self._envelopes[place] = (
                span.resource,
                span.instrumentation_scope,
                group.SerializeToString(),
                scope.SerializeToString(),
            )
        return place

    def _encode_any(self, spans: Sequence["ReadableSpan"], losses: Losses) -> bytes:
        request = _encoded(spans, losses)
        for resource_spans in request.resource_spans:
            _stamp(resource_spans.resource, self._stamp)
        if self._masking is not None:
            self._masking.apply(request, losses)
        for resource_spans in request.resource_spans:
            for scope_spans in resource_spans.scope_spans:
                if request.ByteSize() > MAX_SPAN_BYTES:
                    _shrink(scope_spans.spans, losses)
        return request.SerializeToString()


def _encoded(spans: Sequence["ReadableSpan"], losses: Losses) -> ExportTraceServiceRequest:
    try:
        return encode_spans(spans)
    except Exception as error:
        if len(spans) > 1:  # find the ones that cannot be encoded, keep the others
            request = ExportTraceServiceRequest()
            for span in spans:
                request.MergeFrom(_encoded([span], losses))
            return request
        losses.encode_failed += 1
        losses.details["encode_failed"] = f"span {spans[0].name!r}: {type(error).__name__}: {error}"
        return ExportTraceServiceRequest()


def encode_score_batch(
    scores: Iterable[Score], stamp: Mapping[str, str], masking: Masking | None, losses: Losses
) -> ExportLogsServiceRequest:
    """One OTLP request for a batch of scores, each a log record named `gen_ai.evaluation.result`.

    The arguments are those of `SpanEncoder`.
    """
    request = ExportLogsServiceRequest()
    resource_logs = request.resource_logs.add()
    _stamp(resource_logs.resource, stamp)
    scope_logs = resource_logs.scope_logs.add()
    scope_logs.scope.name = SCOPE_NAME
    for score in scores:
        try:
            record = _score_record(score)
        except (TypeError, ValueError) as error:
            losses.encode_failed += 1
            losses.details["encode_failed"] = f"score: {type(error).__name__}: {error}"
            continue
        scope_logs.log_records.append(record)
    if masking is not None:
        masking.apply(request, losses)
    return request


def _score_record(score: Score) -> LogRecord:
    return LogRecord(
        time_unix_nano=score.time_ns,
        observed_time_unix_nano=score.time_ns,
        severity_number=SEVERITY_NUMBER_INFO,
        event_name=names.SCORE_EVENT,
        trace_id=score.trace_id,
        span_id=score.span_id,
        attributes=[_key_value(key, value) for key, value in score.attributes.items()],
    )


def _key_value(key: str, value: str | float) -> KeyValue:
    return KeyValue(
        key=key, value=AnyValue(string_value=value) if isinstance(value, str) else AnyValue(double_value=value)
    )


def _stamp(resource: Resource, stamp: Mapping[str, str]) -> None:
    kept = [item for item in resource.attributes if item.key not in stamp]
    del resource.attributes[:]
    resource.attributes.extend(kept)
    resource.attributes.extend(_key_value(key, value) for key, value in stamp.items())


def _shrink(spans: Any, losses: Losses) -> None:
    """Cut the longest texts of spans that are too large; drop what is too large even then."""
    kept: list[ProtoSpan] = []
    for span in spans:
        for limit in (65_536, 4_096, 256):
            if span.ByteSize() <= MAX_SPAN_BYTES:
                break
            _cut_texts(span, limit)
        if span.ByteSize() <= MAX_SPAN_BYTES:
            kept.append(span)
        else:
            losses.too_large += 1
            losses.details["too_large"] = (
                f"span {span.name[:100]!r} has {span.ByteSize()} bytes after its texts were cut to 256 characters"
            )
    if len(kept) < len(spans):
        del spans[:]
        spans.extend(kept)


def _cut_texts(span: ProtoSpan, limit: int) -> None:
    span.name = span.name[:limit]
    span.status.message = span.status.message[:limit]
    for attributes in (span.attributes, *(event.attributes for event in span.events)):
        for item in attributes:
            _cut_value(item.value, limit)


def _cut_value(value: AnyValue, limit: int) -> None:
    match value.WhichOneof("value"):
        case "string_value" if len(value.string_value) > limit:
            value.string_value = value.string_value[:limit] + "…[cut]"
        case "bytes_value" if len(value.bytes_value) > limit:
            value.bytes_value = value.bytes_value[:limit]
        case "array_value":
            for item in value.array_value.values:
                _cut_value(item, limit)
        case "kvlist_value":
            for pair in value.kvlist_value.values:
                _cut_value(pair.value, limit)
