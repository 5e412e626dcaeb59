"""OTLP/JSON to OTLP messages.

protobuf's own `json_format` cannot read it: OTLP writes ids as hex where protobuf's mapping has base64, and one wrong
span would lose the request. So the messages' descriptors are walked here. As the OTLP specification ("JSON Protobuf
Encoding") says: 64-bit integers as numbers or strings, enums as numbers (names are taken, too), lowerCamelCase names
(original ones are taken, too), unknown fields ignored.
"""

import base64
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from spanwise_collector.normalise.limits import MAX_DEPTH
from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.signals import Signal

_IDS: Final = frozenset({"trace_id", "span_id", "parent_span_id"})
_ITEMS: Final = frozenset({"opentelemetry.proto.trace.v1.Span", "opentelemetry.proto.logs.v1.LogRecord"})
_LISTS: Final = frozenset({"opentelemetry.proto.common.v1.ArrayValue", "opentelemetry.proto.common.v1.KeyValueList"})
_TOO_DEEP: Final = {"stringValue": "[nested too deep]"}
_INTEGERS: Final = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63),
    FieldDescriptor.TYPE_UINT32: (0, 2**32),
    FieldDescriptor.TYPE_FIXED32: (0, 2**32),
    FieldDescriptor.TYPE_UINT64: (0, 2**64),
    FieldDescriptor.TYPE_FIXED64: (0, 2**64),
}
_URL_SAFE: Final = str.maketrans("-_", "+/")
_DOUBLES: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class _WrongError(ValueError):
    """A value that its field cannot hold."""


def read_json(signal: Signal, body: bytes) -> tuple[Any, int]:
    """Read an export request.

    Args:
        signal: which request it is.
        body: JSON text.

    Returns:
        The message, and how many spans or log records could not be read and are left out.

    Raises:
        NotTakenError: the body is no JSON, or not an object of this form.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotTakenError(Reason.BAD_BODY, f"The body is not JSON: {error}.") from error
    reader = _Reader()
    message = signal.request()
    try:
        reader.fill(message, found, 0)
    except _WrongError as error:
        raise NotTakenError(Reason.BAD_BODY, f"The body is not an OTLP/JSON request: {error}.") from error
    return message, reader.lost


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    repeated: bool
    message: Descriptor | None
    convert: Callable[[Any], Any] | None


class _Reader:
    def __init__(self) -> None:
        self.lost = 0

    def fill(self, message: Any, found: Any, depth: int) -> None:
        """Set the fields of a message.

        Raises:
            _WrongError: a value does not fit.
        """
        kind: Descriptor = message.DESCRIPTOR
        if not isinstance(found, dict):
            raise _WrongError(f"{kind.name} is {_shown(found)}, not an object")
        fields = _fields(kind)
        for key, value in found.items():
            field = fields.get(key)
            if field is None or value is None:
                continue
            if not field.repeated:
                self._set(message, field, value, depth)
            elif not isinstance(value, list):
                raise _WrongError(f"{key} is {_shown(value)}, not an array")
            else:
                self._extend(getattr(message, field.name), field, value, depth)

    def _set(self, message: Any, field: _Field, value: Any, depth: int) -> None:
        if field.message is None:
            setattr(message, field.name, _converted(field, value))
            return
        inner = getattr(message, field.name)
        inner.SetInParent()
        self._fill_inner(inner, field.message, value, depth)

    def _extend(self, target: Any, field: _Field, values: list[Any], depth: int) -> None:
        if field.message is None:
            target.extend([_converted(field, value) for value in values])
        elif field.message.full_name not in _ITEMS:
            for value in values:
                self._fill_inner(target.add(), field.message, value, depth)
        else:
            for value in values:
                try:
                    self.fill(target.add(), value, 0)
                except _WrongError:
                    del target[-1]
                    self.lost += 1

    def _fill_inner(self, inner: Any, kind: Descriptor, value: Any, depth: int) -> None:
        if kind.full_name in _LISTS:
            depth += 1
            if depth > MAX_DEPTH:
                value = {"values": [_TOO_DEEP if kind.name == "ArrayValue" else {"key": "note", "value": _TOO_DEEP}]}
        self.fill(inner, value, depth)


@cache
def _fields(kind: Descriptor) -> dict[str, _Field]:
    found = {}
    for one in kind.fields:
        field = _Field(one.name, one.is_repeated, one.message_type, _converter(one))
        found[one.name] = found[one.camelcase_name] = field
    return found


def _converter(field: FieldDescriptor) -> Callable[[Any], Any] | None:
    if field.message_type is not None:
        return None
    if field.type == FieldDescriptor.TYPE_BYTES:
        return bytes.fromhex if field.name in _IDS else _base64
    if field.type == FieldDescriptor.TYPE_STRING:
        return _text
    if field.type == FieldDescriptor.TYPE_BOOL:
        return _boolean
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return _double
    enum = field.enum_type
    if enum is not None:
        return lambda value: _enum(enum, value)
    low, high = _INTEGERS[field.type]
    return lambda value: _integer(value, low, high)


def _converted(field: _Field, value: Any) -> Any:
    assert field.convert is not None
    try:
        return field.convert(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise _WrongError(f"{field.name} is {_shown(value)}") from error


def _base64(value: Any) -> bytes:
    """Both alphabets, with or without padding, as protobuf's JSON mapping has it."""
    text = _text(value).translate(_URL_SAFE)
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    # A half of a surrogate pair is JSON but no text; protobuf refuses it.
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _double(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    return _DOUBLES[value] if value in _DOUBLES else float(value)


def _integer(value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise TypeError
    number = int(value)
    if not low <= number < high:
        raise ValueError
    return number


def _enum(enum: EnumDescriptor, value: Any) -> int:
    if isinstance(value, str) and value in enum.values_by_name:
        return enum.values_by_name[value].number
    return _integer(value, -(2**31), 2**31)


def _shown(value: Any) -> str:
    return repr(value)[:40]
