"""The readings named in `spanwise_schemas.conventions`: from an attribute's value to a field's.

Each is a function of the value that returns None when it cannot be understood; the caller then tries the next source.
"""

from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from math import isfinite
from typing import Final

from pydantic_core import from_json

from spanwise_collector.normalise.limits import MAX_COUNT
from spanwise_collector.normalise.python_repr import from_repr
from spanwise_collector.normalise.usage_objects import read_usage_object
from spanwise_collector.normalise.values import Value, to_json, to_text
from spanwise_collector.normalise.words import APIS, ERROR_LEVELS, FINISH_REASONS, PROVIDERS, ROUTED_PROVIDERS
from spanwise_schemas.conventions import Reading, Source

Read = Callable[[Value], object]
"""What comes out depends on the reading: str, int, bool, list of str, map, or None when the value makes no sense."""

MAX_TTFT_US: Final = 2**32 - 1
"""The column is UInt32: 71 minutes."""
_MAX_COST_N: Final = 10**15  # a million dollars for one call; beyond, sums could leave Int64

WARNING_OF_READING: Final[Mapping[Reading, str]] = {
    "count": "bad_token_count",
    "usd": "bad_cost",
    "usd_parts": "bad_cost",
    "seconds": "bad_duration",
    "milliseconds": "bad_duration",
    "instant": "bad_duration",
    "kind": "bad_kind",
}
"""What is said when a value cannot be read; the other readings take every value."""


def reader_of(source: Source) -> Read:
    """The function for a source of the table that reads a single attribute."""
    if source.reading == "kind":
        words = source.values
        read: Read = lambda value: (  # noqa: E731 - one of two forms of the same function
            words.get(value) or words.get(value.strip().lower())
            if isinstance(value, str)
            else words.get(to_text(value))
            if isinstance(value, bool)
            else None
        )
    elif source.reading == "kind_of_path":
        last = source.values
        read = lambda value: last.get(str(value[-1])) if isinstance(value, list) and value else None  # noqa: E731
    else:
        read = _READERS[source.reading]
    if source.path is None:
        return read
    path = source.path
    return lambda value: None if (found := _member(value, path)) is None else read(found)


def _member(value: Value, path: tuple[str, ...]) -> Value:
    """The member of a JSON value that a path leads to."""
    found = _parsed(value) if isinstance(value, str) else value
    for step in path:
        found = found.get(step) if isinstance(found, dict) else None
    return found


@lru_cache(maxsize=16)
def _parsed(text: str) -> Value:
    """JSON text, or Python's way to write the same, as values; None where it is neither.

    Kept for the other fields that read the same attribute, so never changed by who gets it.
    """
    try:
        found: Value = from_json(text)
    except ValueError:
        return from_repr(text)
    return found


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


def read_comma_strings(value: Value) -> list[str] | None:
    """Strings separated by commas."""
    if isinstance(value, str) and not value.startswith("["):
        return [text for one in value.split(",") if (text := one.strip())]
    return read_strings(value)


def read_boolean(value: Value) -> bool | None:
    """True or false."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else None


def read_provider(value: Value) -> str | None:
    """A provider's name in the spelling that all sources share."""
    text = read_string(value)
    if text is None:
        return None
    name = text.strip().lower()
    if name in PROVIDERS:
        return PROVIDERS[name]
    # The Vercel AI SDK names the provider's API too: `openai.responses`.
    maker, _, api = name.rpartition(".")
    if maker and api in APIS:
        name = maker
    return PROVIDERS.get(name, name) or None


def read_routed_model(value: Value) -> str | None:
    """A model's name without the provider that LiteLLM puts in front."""
    text = read_string(value)
    return None if text is None else _routed(text)[1]


def read_unrouted_model(value: Value) -> str | None:
    """A model's name that has no provider in front."""
    text = read_string(value)
    return None if text is None or _routed(text)[0] else text


def read_routed_provider(value: Value) -> str | None:
    """The provider that LiteLLM puts in front of a model's name."""
    return read_provider(_routed(read_string(value) or "")[0])


def read_routed_id(value: Value) -> str | None:
    """The provider's id of an answer inside the one that LiteLLM makes of it for the Responses API."""
    text = read_string(value)
    if text is None or not text.startswith("resp_"):
        return text
    try:
        inside = b64decode(text[5:], validate=True).decode()
    except ValueError:
        return text
    return inside.rpartition(";response_id:")[2] if inside.startswith("litellm:") else text


def _routed(name: str) -> tuple[str, str]:
    """Provider, or "" where there is none in front, and the rest of the name."""
    provider, slash, model = name.partition("/")
    return (provider, model) if slash and provider.lower() in ROUTED_PROVIDERS else ("", name)


def read_finish_reason(value: Value) -> str | None:
    """Why the model stopped, in the word that all sources share."""
    text = read_first_string(value)
    if text is None:
        return None
    word = text.strip().strip('"').rpartition(".")[2].lower().replace("-", "_")
    return FINISH_REASONS.get(word, word) or None


def read_error_level(value: Value) -> bool | None:
    """Whether a level is that of an error."""
    return value.strip().lower() in ERROR_LEVELS if isinstance(value, str) else None


def read_instant(value: Value) -> int | None:
    """A point in time as microseconds since the epoch."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return round(value / 1000) if 0 < value < 2**63 else None
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip().strip('"'))
    except ValueError:
        return None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000_000)


def read_parameters(value: Value) -> dict[str, Value] | None:
    """Request parameters."""
    found = _parsed(value) if isinstance(value, str) else value
    return found if isinstance(found, dict) else None


def read_json_strings(value: Value) -> str | None:
    """An array of JSON texts as one JSON array; what is no JSON stays text."""
    if not isinstance(value, list):
        return read_body(value)
    return to_json([_parsed_or_text(one) for one in value]) if value else None


def read_usd_parts(value: Value) -> int | None:
    """What an object of amounts says in all, as nano-dollars."""
    found = read_parameters(value)
    if not found:
        return None
    if found.get("total") is not None:
        return read_usd(found["total"])
    parts = [read_usd(amount) for amount in found.values() if amount is not None]
    return sum(one for one in parts if one is not None) if parts and None not in parts else None


def read_streamed(value: Value) -> bool | None:
    """Whether an operation's name speaks of a stream."""
    return "stream" in value.lower() if isinstance(value, str) and value else None


def read_given(value: Value) -> bool | None:
    """Whether there is a value at all."""
    return None if value in (None, "") else True


def _parsed_or_text(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    try:
        found: Value = from_json(value)
    except ValueError:
        return value
    return found


def read_ignored(value: Value) -> str:
    """Nothing of it is kept."""
    del value
    return ""


def _scaled(value: Value, factor: int) -> int | None:
    if type(value) is not float and (isinstance(value, bool) or not isinstance(value, int | float | str)):
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
    "boolean": read_boolean,
    "comma_strings": read_comma_strings,
    "provider": read_provider,
    "routed_model": read_routed_model,
    "unrouted_model": read_unrouted_model,
    "routed_provider": read_routed_provider,
    "routed_id": read_routed_id,
    "finish_reason": read_finish_reason,
    "error_level": read_error_level,
    "instant": read_instant,
    "parameters": read_parameters,
    "json_strings": read_json_strings,
    "usage": read_usage_object,
    "usd_parts": read_usd_parts,
    "streamed": read_streamed,
    "given": read_given,
    "ignored": read_ignored,
}
