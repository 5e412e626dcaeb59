"""`LazyTraces`: an OTLP trace request whose span attributes stay bytes.

Most of a span's bytes are attributes, and most of those are the same from span to span: provider, model, operation.
With every attribute as one `bytes` value, known ones are looked up whole instead of being taken apart
(`raw_attributes`). Everything else has the official types and field numbers of opentelemetry-proto 1.x; fields that
Spanwise does not read stay unknown.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

_PACKAGE: Final = "spanwise.lazy"
_BYTES: Final = FieldDescriptorProto.TYPE_BYTES
_STRING: Final = FieldDescriptorProto.TYPE_STRING
_FIXED64: Final = FieldDescriptorProto.TYPE_FIXED64
_MANY: Final = FieldDescriptorProto.LABEL_REPEATED
_ONE: Final = FieldDescriptorProto.LABEL_OPTIONAL

_MESSAGES: Final[Mapping[str, Iterable[tuple[str, int, int, int | str]]]] = {
    "Span": (
        ("trace_id", 1, _ONE, _BYTES),
        ("span_id", 2, _ONE, _BYTES),
        ("parent_span_id", 4, _ONE, _BYTES),
        ("name", 5, _ONE, _STRING),
        ("start_time_unix_nano", 7, _ONE, _FIXED64),
        ("end_time_unix_nano", 8, _ONE, _FIXED64),
        ("attributes", 9, _MANY, _BYTES),
        ("events", 11, _MANY, ".opentelemetry.proto.trace.v1.Span.Event"),
        ("links", 13, _MANY, ".opentelemetry.proto.trace.v1.Span.Link"),
        ("status", 15, _ONE, ".opentelemetry.proto.trace.v1.Status"),
    ),
    "ScopeSpans": (
        ("scope", 1, _ONE, ".opentelemetry.proto.common.v1.InstrumentationScope"),
        ("spans", 2, _MANY, f".{_PACKAGE}.Span"),
    ),
    "ResourceSpans": (
        ("resource", 1, _ONE, ".opentelemetry.proto.resource.v1.Resource"),
        ("scope_spans", 2, _MANY, f".{_PACKAGE}.ScopeSpans"),
    ),
    "Traces": (("resource_spans", 1, _MANY, f".{_PACKAGE}.ResourceSpans"),),
}
"""Message to its fields: name, number, label, and the scalar type or the message's full name."""


def _file() -> FileDescriptorProto:
    file = FileDescriptorProto(name="spanwise/lazy.proto", package=_PACKAGE, syntax="proto3")
    file.dependency.extend(one.DESCRIPTOR.name for one in (common_pb2, resource_pb2, trace_pb2))
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field_name, number, label, kind in fields:
            field: Any = message.field.add(name=field_name, number=number, label=label)
            if isinstance(kind, str):
                field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, kind
            else:
                field.type = kind
    return file


def _pool() -> DescriptorPool:
    """A pool of our own: names in the process's common one could be taken."""
    pool = DescriptorPool()
    done: set[str] = set()

    def add(file: Any) -> None:
        if file.name in done:
            return
        done.add(file.name)
        for dependency in file.dependencies:
            add(dependency)
        pool.AddSerializedFile(file.serialized_pb)

    for module in (common_pb2, resource_pb2, trace_pb2):
        add(module.DESCRIPTOR)
    pool.Add(_file())
    return pool


_POOL: Final = _pool()


def _class(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from google.protobuf.message import Message
    from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
    from opentelemetry.proto.resource.v1.resource_pb2 import Resource
    from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan
    from opentelemetry.proto.trace.v1.trace_pb2 import Status

    class ManyBytes(Protocol):
        """A repeated field; a slice of it is a list, and made in two thirds of the time that `list` takes."""

        def __getitem__(self, at: slice, /) -> list[bytes]: ...

    class LazySpan(Message):
        """A span; `attributes` are serialised `KeyValue` messages."""

        trace_id: bytes
        span_id: bytes
        parent_span_id: bytes
        name: str
        start_time_unix_nano: int
        end_time_unix_nano: int
        attributes: ManyBytes
        events: Sequence[OtlpSpan.Event]
        links: Sequence[OtlpSpan.Link]
        status: Status

    class LazyScopeSpans(Message):
        """Spans of one instrumentation scope."""

        scope: InstrumentationScope
        spans: Sequence[LazySpan]

    class LazyResourceSpans(Message):
        """Spans of one resource."""

        resource: Resource
        scope_spans: Sequence[LazyScopeSpans]

    class LazyTraces(Message):
        """A trace request."""

        resource_spans: Sequence[LazyResourceSpans]

else:
    LazySpan = _class("Span")
    LazyTraces = _class("Traces")
