"""Writes the OTLP form of ordinary spans directly as protobuf bytes.

`encode_spans` of opentelemetry-exporter-otlp-proto-common builds a tree of message objects, 20 us per span, which in
a burst the application pays for, since both share the interpreter. Most spans are plain (no events, links or nested
values), and their bytes can be joined together in a third of that time. Everything else goes through `encode_spans`;
a property test holds the two equal. Field numbers are those of opentelemetry/proto/trace/v1/trace.proto and
common/v1/common.proto, which never change.
"""

import struct
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.trace import TraceFlags
from opentelemetry.trace.status import StatusCode

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

_FIXED64: Final = struct.Struct("<Q").pack
_FIXED32: Final = struct.Struct("<I").pack
_DOUBLE: Final = struct.Struct("<d").pack
_MAX_KEYS: Final = 4_096
_INT64: Final = range(-(2**63), 2**63)

# SpanFlags: whether the parent is remote is known, and whether it is.
_HAS_IS_REMOTE: Final = 0x100
_IS_REMOTE: Final = 0x200

_keys: Final[dict[str, bytes]] = {}
_SMALL: Final = tuple(bytes((number,)) for number in range(128))


def varint(number: int) -> bytes:
    """A number in protobuf's variable-length form."""
    if number < 128:
        return _SMALL[number]
    out = bytearray()
    while number >= 128:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def delimited(tag: bytes, data: bytes) -> bytes:
    """A field with a length: text, bytes or a message."""
    return tag + varint(len(data)) + data


def _key(name: str) -> bytes:
    known = _keys.get(name)
    if known is None:
        known = delimited(b"\x0a", name.encode("utf-8", "replace"))
        if len(_keys) < _MAX_KEYS:
            _keys[name] = known
    return known


def _value(value: Any) -> bytes | None:
    """An AnyValue; None when it is not simple."""
    kind = type(value)
    if kind is str:
        return delimited(b"\x0a", value.encode("utf-8", "replace"))
    if kind is bool:
        return b"\x10\x01" if value else b"\x10\x00"
    if kind is int:
        return b"\x18" + varint(value & 0xFFFF_FFFF_FFFF_FFFF) if value in _INT64 else None
    if kind is float:
        return b"\x21" + _DOUBLE(value)
    if kind is tuple:
        values = [_value(item) for item in value]
        if None in values:
            return None
        return delimited(b"\x2a", b"".join(delimited(b"\x0a", item) for item in values if item is not None))
    return None


def simple_span(span: "ReadableSpan") -> bytes | None:
    """The OTLP message of a span; None when the span is not simple and `encode_spans` has to do it."""
    context, parent, status = span.get_span_context(), span.parent, span.status
    if (
        context is None
        or span.start_time is None
        or span.end_time is None
        or span.events
        or span.links
        or context.trace_state
        or span.dropped_attributes
        or span.dropped_events
        or span.dropped_links
    ):
        return None
    parts = [
        b"\x0a\x10",
        context.trace_id.to_bytes(16, "big"),
        b"\x12\x08",
        context.span_id.to_bytes(8, "big"),
        b"" if parent is None else b"\x22\x08" + parent.span_id.to_bytes(8, "big"),
        delimited(b"\x2a", span.name.encode("utf-8", "replace")),
        b"\x30",
        _SMALL[span.kind.value + 1],
        b"\x39",
        _FIXED64(span.start_time),
        b"\x41",
        _FIXED64(span.end_time),
    ]
    attributes: dict[str, Any] = {} if span.attributes is None else span.attributes.copy()  # type: ignore[attr-defined]
    for name, value in attributes.items():
        encoded = _value(value)
        if encoded is None:
            return None
        key = _key(name)
        size = len(encoded)
        pair = key + b"\x12" + varint(size) + encoded
        parts.append(b"\x4a" + varint(len(pair)) + pair)
    if status.status_code is not StatusCode.UNSET or status.description:
        message = delimited(b"\x12", status.description.encode("utf-8", "replace")) if status.description else b""
        code = b"" if status.status_code is StatusCode.UNSET else b"\x18" + _SMALL[status.status_code.value]
        parts.append(delimited(b"\x7a", message + code))
    else:
        parts.append(b"\x7a\x00")
    flags = _HAS_IS_REMOTE | (_IS_REMOTE if parent is not None and parent.is_remote else TraceFlags.DEFAULT)
    parts.append(b"\x85\x01" + _FIXED32(flags))
    return b"".join(parts)
