"""What a client sent, as OTLP and as plain text to search in. Nothing of Spanwise's reading of it is used here."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from tests.golden.clients.evaluate.otlp_json import protobuf_of
from tests.golden.clients.recording import Recording

SpanKey = tuple[bytes, bytes]
"""Trace id and span id."""

_STACK: Final = "exception.stacktrace"
"""Its numbers are those of lines of code."""
_NUMBER: Final = re.compile(r"(?<![\w.])\d{5,6}(?:\.0)?(?!\w|\.\d)")


@dataclass(slots=True)
class Texts:
    """Everything that one span says: its attributes, events and the log records that belong to it.

    Attributes:
        name: of the span.
        parent: span id of its parent, b"" for none.
        pairs: names of attributes and events, each with the texts and numbers of its value.
    """

    name: str = ""
    parent: bytes = b""
    pairs: list[tuple[str, list[str]]] = field(default_factory=list)

    @property
    def keys(self) -> list[str]:
        """Names of attributes and events."""
        return [key for key, _ in self.pairs]

    @property
    def values(self) -> list[str]:
        """All texts and numbers."""
        return self.values_but("")

    def values_but(self, key: str) -> list[str]:
        """The same without those of one name."""
        return [value for name, values in self.pairs for value in values if name != key]


class Payload:
    """A client's OTLP requests.

    Args:
        recording: of the client.
    """

    def __init__(self, recording: Recording) -> None:
        self.traces: list[ExportTraceServiceRequest] = []
        self.logs: list[ExportLogsServiceRequest] = []
        for sent in recording.sent:
            if sent.path.endswith("/v1/traces"):
                self.traces.append(protobuf_of(ExportTraceServiceRequest, sent))
            elif sent.path.endswith("/v1/logs"):
                self.logs.append(protobuf_of(ExportLogsServiceRequest, sent))

    @cached_property
    def spans(self) -> dict[SpanKey, Texts]:
        """Texts of each span."""
        found: dict[SpanKey, Texts] = {}
        for request in self.traces:
            for group in request.resource_spans:
                for scoped in group.scope_spans:
                    for span in scoped.spans:
                        texts = found.setdefault((span.trace_id, span.span_id), Texts())
                        texts.name, texts.parent = span.name, span.parent_span_id
                        _attributes(span.attributes, texts)
                        texts.pairs.append(("status.message", [span.status.message]))
                        for event in span.events:
                            texts.pairs.append((event.name, []))
                            _attributes(event.attributes, texts)
        for logs in self.logs:
            for group_of_logs in logs.resource_logs:
                for scope in group_of_logs.scope_logs:
                    for entry in scope.log_records:
                        texts = found.setdefault((entry.trace_id, entry.span_id), Texts())
                        texts.pairs.append((entry.event_name, list(leaves(entry.body))))
                        texts.pairs += [(one.key, list(leaves(one.value))) for one in _members(entry.body)]
                        _attributes(entry.attributes, texts)
        return found

    @cached_property
    def numbers(self) -> dict[SpanKey, set[int]]:
        """Whole numbers of five or six digits that each span says, in whichever form."""
        return {
            key: {int(float(one)) for value in texts.values_but(_STACK) for one in _NUMBER.findall(value)}
            for key, texts in self.spans.items()
        }

    @cached_property
    def all_numbers(self) -> set[int]:
        """Of all spans."""
        return set().union(*self.numbers.values())

    @cached_property
    def text(self) -> dict[SpanKey, str]:
        """All values of each span; JSON in them also without its escapes."""
        return {key: "\n".join(map(_unescaped, texts.values)) for key, texts in self.spans.items()}


def _attributes(attributes: Iterable[KeyValue], texts: Texts) -> None:
    for one in attributes:
        texts.pairs.append((one.key, list(leaves(one.value))))
        for inner in _members(one.value):
            texts.pairs.append((inner.key, list(leaves(inner.value))))


def _members(value: AnyValue) -> Iterator[KeyValue]:
    """All members of structures in a value, at every depth."""
    for one in value.array_value.values:
        yield from _members(one)
    for pair in value.kvlist_value.values:
        yield pair
        yield from _members(pair.value)


def leaves(value: AnyValue) -> Iterator[str]:
    """All texts and numbers in a value."""
    match value.WhichOneof("value"):
        case "string_value":
            yield value.string_value
        case "int_value":
            yield str(value.int_value)
        case "double_value":
            yield repr(value.double_value)
        case "bool_value":
            yield str(value.bool_value)
        case "array_value":
            for one in value.array_value.values:
                yield from leaves(one)
        case "kvlist_value":
            for pair in value.kvlist_value.values:
                yield from leaves(pair.value)


def _unescaped(value: str) -> str:
    """A text, followed by the same without JSON's escapes, where it has some."""
    if "\\" not in value:
        return value
    plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), value)
    plain = plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value + "\n" + re.sub(r"\\+n", "\n", plain).replace("\\", "")
