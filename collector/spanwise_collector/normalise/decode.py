"""From bytes to OTLP messages: the fast way for what is well-formed, and a patient one that saves what can be saved.

Protobuf refuses a whole message for one string that is not UTF-8, one span that is cut short, or one value nested too
deep. Exporters in other languages do send such strings, and the spans beside them are good. So when the fast way fails,
the message is read a second time level by level, with the same field numbers but every string and every inner message
declared as bytes: wrong text is repaired, a broken span or log record is left out and counted, and the rest is put
together again.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Any, Generic, NamedTuple, TypeVar, cast

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanwise_collector.normalise.limits import MAX_DEPTH
from spanwise_collector.normalise.problems import Refused

Request = TypeVar("Request", ExportTraceServiceRequest, ExportLogsServiceRequest)

_ITEMS = frozenset({"opentelemetry.proto.trace.v1.Span", "opentelemetry.proto.logs.v1.LogRecord"})
_LISTS = frozenset({"opentelemetry.proto.common.v1.ArrayValue", "opentelemetry.proto.common.v1.KeyValueList"})
_GROUPS = frozenset(
    {
        "opentelemetry.proto.trace.v1.ResourceSpans",
        "opentelemetry.proto.trace.v1.ScopeSpans",
        "opentelemetry.proto.logs.v1.ResourceLogs",
        "opentelemetry.proto.logs.v1.ScopeLogs",
    }
)
_DEEPER = "[nested too deep]"


@dataclass(frozen=True, slots=True)
class Decoded(Generic[Request]):
    """A request that can be read.

    Attributes:
        request: the message, all of it valid.
        lost: how many spans or log records could not be read and are left out.
        notes: warnings per span or log record, by its position among those in `request`, counted through.
        request_notes: warnings about resources and scopes, which hold for every item.
        mended: whether anything had to be repaired.
    """

    request: Request
    lost: int = 0
    notes: dict[int, tuple[str, ...]] = field(default_factory=dict)
    request_notes: tuple[str, ...] = ()
    mended: bool = False


class Mended(NamedTuple):
    """The same of a request that is bytes again; all of it can be read."""

    value: bytes
    lost: int
    notes: dict[int, tuple[str, ...]]
    request_notes: tuple[str, ...]


def decode(message: type[Request], value: bytes) -> Decoded[Request]:
    """Read an export request.

    Args:
        message: ExportTraceServiceRequest or ExportLogsServiceRequest.
        value: its bytes.

    Raises:
        Refused: when nothing can be saved, with the reason `not_protobuf` or `truncated`.
    """
    try:
        return Decoded(message.FromString(value))
    except DecodeError:
        pass
    found = mend(message, value)
    return Decoded(message.FromString(found.value), found.lost, found.notes, found.request_notes, True)


def mend(message: type[ExportTraceServiceRequest | ExportLogsServiceRequest], value: bytes) -> Mended:
    """What can be saved of a request that cannot be read as it is.

    Args:
        message: ExportTraceServiceRequest or ExportLogsServiceRequest.
        value: its bytes.

    Raises:
        Refused: when nothing can be saved, with the reason `not_protobuf` or `truncated`.
    """
    mender = _Mender()
    try:
        mended = mender.mend(message.DESCRIPTOR, value, 0)
    except DecodeError:
        raise Refused(*_why_unreadable(value)) from None
    notes = {at: tuple(sorted(found)) for at, found in mender.notes.items()}
    return Mended(mended, mender.lost, notes, tuple(sorted(mender.request_notes)))


def _why_unreadable(value: bytes) -> tuple[str, str]:
    """Tell a request that was cut short from other bytes: both requests are a row of length-prefixed fields 1."""
    at = 0
    while at < len(value):
        if value[at] != 0x0A:
            return "not_protobuf", f"It starts with {value[:8].hex(' ')}." if at == 0 else ""
        at += 1
        length = shift = 0
        while True:
            if at >= len(value):
                return "truncated", ""
            byte = value[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            if shift > 63:
                return "not_protobuf", ""
        at += length
    if at > len(value):
        return "truncated", f"{at - len(value)} bytes are missing."
    return "not_protobuf", ""


class _Mender:
    """One pass over one broken request."""

    def __init__(self) -> None:
        self.lost = 0
        self.notes: dict[int, set[str]] = {}
        self.request_notes: set[str] = set()
        self._item = 0
        self._current = self.request_notes

    def mend(self, kind: Descriptor, data: bytes, depth: int) -> bytes:
        """Bytes that the official message type accepts.

        Raises:
            DecodeError: when this level itself cannot be read.
        """
        if kind.full_name in _ITEMS:
            return self._mend_item(kind, data)
        return self._mend_fields(kind, data, depth)

    def _mend_item(self, kind: Descriptor, data: bytes) -> bytes:
        outer, self._current = self._current, set()
        try:
            mended = self._mend_fields(kind, data, 0)
            if self._current:
                self.notes[self._item] = self._current
            self._item += 1
            return mended
        finally:
            self._current = outer

    def _mend_fields(self, kind: Descriptor, data: bytes, depth: int) -> bytes:
        loose = cast("Any", _loose_type(kind.full_name)).FromString(data)
        for fields in kind.fields:
            name = fields.name
            values = getattr(loose, name)
            if fields.is_repeated and fields.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_MESSAGE):
                kept = [one for one in (self._mend_one(fields, value, depth) for value in values) if one is not None]
                del values[:]
                values.extend(kept)
            elif fields.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_MESSAGE) and loose.HasField(name):
                one = self._mend_one(fields, values, depth)
                if one is None:
                    loose.ClearField(name)
                else:
                    setattr(loose, name, one)
        return cast("bytes", loose.SerializeToString())

    def _mend_one(self, fields: FieldDescriptor, value: bytes, depth: int) -> bytes | None:
        if fields.type == FieldDescriptor.TYPE_STRING:
            return self._text(value)
        kind = cast("Descriptor", fields.message_type)
        if kind.full_name in _LISTS:
            depth += 1
            if depth > MAX_DEPTH:
                self._current.add("value_too_deep")
                return _list_of_note(kind)
        if kind.full_name not in _ITEMS and kind.full_name not in _GROUPS:
            return self.mend(kind, value, depth)
        item, lost = self._item, self.lost
        try:
            return self.mend(kind, value, depth)
        except DecodeError:
            # A group that breaks takes along what was mended inside it.
            for at in [at for at in self.notes if at >= item]:
                del self.notes[at]
            self._item, self.lost = item, lost + _items_inside(kind, value)
            return None

    def _text(self, value: bytes) -> bytes:
        try:
            value.decode()
        except UnicodeDecodeError:
            self._current.add("invalid_utf8")
            return value.decode(errors="replace").encode()
        return value


def _items_inside(kind: Descriptor, data: bytes) -> int:
    """How many spans or log records a broken message holds; of one that cannot be read at all, one."""
    if kind.full_name in _ITEMS:
        return 1
    try:
        loose = _loose_type(kind.full_name).FromString(data)
    except DecodeError:
        return 1
    inside = [
        _items_inside(one.message_type, value)
        for one in kind.fields
        if one.message_type is not None and one.message_type.full_name in _GROUPS | _ITEMS
        for value in getattr(loose, one.name)
    ]
    return max(1, sum(inside))


def _list_of_note(kind: Descriptor) -> bytes:
    note: Message = message_factory.GetMessageClass(kind)()
    value = cast("Any", note).values.add()
    if kind.name == "KeyValueList":
        value.key = "note"
        value = value.value
    value.string_value = _DEEPER
    return note.SerializeToString()


@cache
def _loose_type(full_name: str) -> type[Message]:
    return message_factory.GetMessageClass(_loose_pool().FindMessageTypeByName("loose." + full_name))


@cache
def _loose_pool() -> descriptor_pool.DescriptorPool:
    """The official OTLP files with strings and inner messages declared as bytes, under another package name."""
    pool = descriptor_pool.DescriptorPool()
    done: set[str] = set()
    for message in (ExportTraceServiceRequest, ExportLogsServiceRequest):
        _loosen(message.DESCRIPTOR.file, pool, done)
    return pool


def _loosen(file: Any, pool: descriptor_pool.DescriptorPool, done: set[str]) -> None:
    if file.name in done:
        return
    done.add(file.name)
    for dependency in file.dependencies:
        _loosen(dependency, pool, done)
    proto = descriptor_pb2.FileDescriptorProto()
    file.CopyToProto(proto)
    proto.name = "loose/" + proto.name
    proto.package = "loose." + proto.package
    del proto.service[:]
    dependencies = ["loose/" + name for name in proto.dependency]
    del proto.dependency[:]
    proto.dependency.extend(dependencies)
    waiting = list(proto.message_type)
    while waiting:
        message = waiting.pop()
        waiting.extend(message.nested_type)
        for one in message.field:
            if one.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_MESSAGE):
                one.type = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES
                one.ClearField("type_name")
                # Explicit presence, so that a field which was sent empty stays apart from one that was not sent.
                if one.label != descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED and not one.HasField("oneof_index"):
                    one.proto3_optional = True
                    message.oneof_decl.add(name="_" + one.name)
                    one.oneof_index = len(message.oneof_decl) - 1
            elif one.type == FieldDescriptor.TYPE_ENUM:
                one.type_name = ".loose" + one.type_name
    pool.Add(proto)
