"""The readings named in `spanwise_schemas.conventions`: from an attribute's value to a field's.

Each is a function of the value that returns None when it cannot be understood; the caller then tries the next source.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Final

from pydantic_core import from_json

from spanwise_collector.normalise.values import Value, to_text
from spanwise_schemas.conventions import Reading, Source

Read = Callable[[Value], object]
"""What comes out depends on the reading: str, int, list of str, or None when the value makes no sense."""

MAX_COUNT: Final = 2**32 - 1
MAX_TTFT_US: Final = 2**32 - 1
"""The column is UInt32: 71 minutes."""
_MAX_COST_N: Final = 10**15  # a million dollars for one call; beyond, sums could leave Int64

WARNING_OF_READING: Final[Mapping[Reading, str]] = {
    "count": "bad_token_count",
    "usd": "bad_cost",
    "seconds": "bad_duration",
    "milliseconds": "bad_duration",
    "kind": "bad_kind",
}
"""What is said when a value cannot be read; the other readings take every value."""


def reader_of(source: Source) -> Read:
    """The function for a source of the table that reads a single attribute."""
    if source.reading == "kind":
        words = source.values
        return lambda value: words.get(value) or words.get(value.strip().lower()) if isinstance(value, str) else None
    return _READERS[source.reading]


def read_string(value: Value) -> str | None:
    """Text; the empty string counts as absent."""
    if type(value) is str:
        return value or None
    text = to_text(value) if value is not None else ""
    return text or None


def read_strings(value: Value) -> list[str] | None:
    """An array of strings, also as JSON in a string; one string is an array of one."""
    found = (_json_list(value) or [value]) if isinstance(value, str) else value
    if isinstance(found, list):
        return [text for one in found if (text := read_string(one))]
    return None


def read_first_string(value: Value) -> str | None:
    """The first string of an array."""
    if type(value) is list and value and type(value[0]) is str and value[0]:
        return value[0]
    strings = read_strings(value)
    return strings[0] if strings else None


def read_count(value: Value) -> int | None:
    """A number of tokens."""
    if type(value) is int:
        return value if 0 <= value <= MAX_COUNT else None
    if isinstance(value, float) and isfinite(value) and value == int(value):
        return read_count(int(value))
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        return read_count(int(value))
    return None


def read_usd(value: Value) -> int | None:
    """US dollars as nano-dollars, half a nano-dollar rounded up."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    if not amount.is_finite() or not 0 <= amount <= _MAX_COST_N // 10**9:
        return None
    return int(amount * 10**9 + Decimal("0.5"))


def read_seconds(value: Value) -> int | None:
    """Seconds as microseconds."""
    return _scaled(value, 1_000_000)


def read_milliseconds(value: Value) -> int | None:
    """Milliseconds as microseconds."""
    return _scaled(value, 1_000)


def read_body(value: Value) -> str | None:
    """A body: text as it is, everything else as JSON."""
    return to_text(value) if value is not None else None


def read_model_in_json(value: Value) -> str | None:
    """The model among a call's parameters."""
    try:
        found = from_json(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return read_string(found.get("model")) if isinstance(found, dict) else None


def read_ignored(value: Value) -> str:
    """Nothing of it is kept."""
    del value
    return ""


def _scaled(value: Value, factor: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = float(value) * factor
    except (ValueError, OverflowError):
        return None
    return round(amount) if 0 <= amount <= MAX_TTFT_US else None


def _json_list(text: str) -> list[Value] | None:
    if not text.startswith("["):
        return None
    try:
        found = from_json(text)
    except ValueError:
        return None
    return found if isinstance(found, list) else None


_READERS: Final[Mapping[Reading, Read]] = {
    "string": read_string,
    "strings": read_strings,
    "first_string": read_first_string,
    "count": read_count,
    "usd": read_usd,
    "seconds": read_seconds,
    "milliseconds": read_milliseconds,
    "messages": read_body,
    "body": read_body,
    "model_in_json": read_model_in_json,
    "ignored": read_ignored,
}
