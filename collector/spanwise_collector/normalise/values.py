"""OTLP attribute values as Python values, and both as text."""

import json
from base64 import b64encode
from collections.abc import Iterable
from math import isfinite
from typing import TypeAlias

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from spanwise_collector.normalise.limits import MAX_DEPTH

Value: TypeAlias = "str | bool | int | float | list[Value] | dict[str, Value] | None"
"""What an attribute may hold. Bytes arrive as base64 text, as in OTLP/JSON."""

TOO_DEEP = "[nested too deep]"
NUL_REPLACEMENT = "\ufffd"


def read_value(value: AnyValue, warnings: set[str], depth: int = 0) -> Value:
    """The Python value of any AnyValue; deeper than `MAX_DEPTH` levels it is replaced by a note.

    Args:
        value: from a span, an event, a resource.
        warnings: receives the codes of what was repaired.
        depth: levels above this value.
    """
    match value.WhichOneof("value"):
        case "string_value":
            return clean(value.string_value, warnings)
        case "int_value":
            return value.int_value
        case "double_value":
            return value.double_value
        case "bool_value":
            return value.bool_value
        case "bytes_value":
            return b64encode(value.bytes_value).decode()
        case "array_value":
            if depth >= MAX_DEPTH:
                warnings.add("value_too_deep")
                return TOO_DEEP
            return [read_value(one, warnings, depth + 1) for one in value.array_value.values]
        case "kvlist_value":
            if depth >= MAX_DEPTH:
                warnings.add("value_too_deep")
                return TOO_DEEP
            return {
                clean(one.key, warnings): read_value(one.value, warnings, depth + 1)
                for one in value.kvlist_value.values
            }
        case _:
            return None


def read_attributes(attributes: Iterable[KeyValue], warnings: set[str]) -> dict[str, Value]:
    """Attributes by name, in order; of a name that comes twice the last value holds, with a warning.

    This loop is a third of the transform's time: most values are non-empty strings, so these are tried first.
    """
    found: dict[str, Value] = {}
    count = 0
    for attribute in attributes:
        count += 1
        value = attribute.value
        text = value.string_value
        if text:
            if "\0" in text:
                text = clean(text, warnings)
            found[attribute.key] = text
        else:
            found[attribute.key] = value.int_value or read_value(value, warnings)
    if len(found) != count:
        warnings.add("duplicate_attribute")
    return found


def clean(text: str, warnings: set[str]) -> str:
    """Text without NUL, which terminals, C strings and other databases do not take."""
    if "\0" in text:
        warnings.add("nul_replaced")
        return text.replace("\0", NUL_REPLACEMENT)
    return text


def to_json(value: Value) -> str:
    """Compact JSON text, non-ASCII as it is; NaN and infinities, which JSON does not have, become strings."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"))


def to_text(value: Value) -> str:
    """Text of a value for a map of strings: strings as they are, everything else as JSON."""
    if type(value) is str:
        return value
    return str(value) if type(value) is float else to_json(value)


def _finite(value: Value) -> Value:
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if isinstance(value, list):
        return [_finite(one) for one in value]
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    return value
