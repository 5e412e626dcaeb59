"""From any Python value to text that fits a span: bounded, never raising, and taken at the moment of the call.

Arguments may be changed after the call, so content becomes text at once. The fast path is the C encoder of `json`;
values it refuses (cycles, NaN, keys that are no text) go through `_tidy` first.
"""

import dataclasses
import datetime as dt
import decimal
import enum
import json
import pathlib
import types
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from spanwise._guard import describe

_MAX_DEPTH: Final = 20
_MAX_ITEMS: Final = 10_000
_MAX_REPR: Final = 1_000
_CUT: Final = "…[cut]"

# Their repr is long, slow or pulls data from a device; shape and type say what a reader of a trace needs.
_ARRAY_PACKAGES: Final = frozenset(
    {"numpy", "pandas", "polars", "torch", "jax", "jaxlib", "tensorflow", "pyarrow", "PIL", "scipy", "xarray"}
)


def to_text(value: object, limit: int) -> tuple[str, bool, bool]:
    """Text of a value.

    Args:
        value: anything.
        limit: longest result in bytes of UTF-8; beyond it the text is cut at a character.

    Returns:
        The text, whether it is JSON (a plain `str` stays as it is), and whether it was cut.
    """
    if type(value) is str:
        text, is_json = value, False
    else:
        text, is_json = to_json(value), True
    cut, truncated = clip(text, limit)
    return cut, is_json and not truncated, truncated


def clip(text: str, limit: int) -> tuple[str, bool]:
    """The text, valid as UTF-8 and at most `limit` bytes long, and whether something was cut off."""
    if text.isascii():
        if len(text) <= limit:
            return text, False
        return text[:limit] + _CUT, True
    data = text.encode("utf-8", "replace")  # lone surrogates cannot travel
    if len(data) <= limit:
        return data.decode("utf-8"), False
    return data[:limit].decode("utf-8", "ignore") + _CUT, True


def to_json(value: object) -> str:
    """JSON of any value: what has no JSON form is described, what is too deep or too long is shortened."""
    try:
        return _encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return _encode_tidy(_tidy(value, _MAX_DEPTH, frozenset()))


def plain(value: object) -> Any:
    """What `json` should encode in place of a value it does not know; never raises."""
    try:
        return _plain(value)
    except Exception as error:  # a user's property, __iter__ or model_dump failed: the value is described instead
        return f"<{_type_name(value)}: {type(error).__name__}: {describe(error)[:200]}>"


def _plain(value: Any) -> Any:
    kind = type(value)
    if isinstance(value, enum.Enum):
        return value.value
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(value)
    if kind.__module__.partition(".")[0] in _ARRAY_PACKAGES:
        return _described_array(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        # repr=False is how authors keep a secret out of logs.
        return {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value) if field.repr}
    dump = getattr(kind, "model_dump", None)
    if callable(dump):
        return dump(value, warnings=False) if hasattr(kind, "model_fields") else dump(value)
    if isinstance(value, Mapping):
        return dict(value)
    for base, base_reader in _BASE_READERS:
        if isinstance(value, base):
            return base_reader(value)
    return safe_repr(value)


def safe_repr(value: object) -> str:
    """`repr` that never raises and is never long."""
    try:
        text = repr(value)
    except Exception as error:  # a broken __repr__ must not break the call
        return f"<{_type_name(value)}: {type(error).__name__} in __repr__>"
    return text if len(text) <= _MAX_REPR else text[:_MAX_REPR] + _CUT


def _type_name(value: object) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _described_array(value: Any) -> Any:
    shape = getattr(value, "shape", None)
    if shape == ():
        item = getattr(value, "item", None)
        if callable(item):
            return item()
    details = [
        f"{name}={getattr(value, name)}"
        for name in ("shape", "dtype", "size", "mode")
        if _is_small(getattr(value, name, None))
    ]
    return f"<{' '.join([_type_name(value), *details[:2]])}>"


def _is_small(value: object) -> bool:
    if value is None or callable(value):
        return False
    return isinstance(value, int | str | tuple) or type(value).__name__.startswith(
        ("dtype", "Size", "Float", "Int", "DType")
    )


def _described(value: object) -> str:
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", "")
    return f"<{_type_name(value)} {name}>" if name else f"<{_type_name(value)}>"


def _bytes_described(value: Any) -> str:
    return f"<{_type_name(value)} of {len(value)} bytes>"


_READERS: Final[dict[type, Callable[[Any], Any]]] = {
    bytes: _bytes_described,
    bytearray: _bytes_described,
    memoryview: _bytes_described,
    set: list,
    frozenset: list,
    dt.datetime: dt.datetime.isoformat,
    dt.date: dt.date.isoformat,
    dt.time: dt.time.isoformat,
    dt.timedelta: str,
    decimal.Decimal: str,
    uuid.UUID: str,
    complex: str,
    type(...): repr,
    types.GeneratorType: _described,
    types.AsyncGeneratorType: _described,
    types.CoroutineType: _described,
    types.FunctionType: _described,
    types.MethodType: _described,
    types.BuiltinFunctionType: _described,
    types.ModuleType: _described,
    type: _described,
}
_BASE_READERS: Final[tuple[tuple[type, Callable[[Any], Any]], ...]] = (
    (pathlib.PurePath, str),
    (BaseException, safe_repr),
    (type, _described),
)

_encode: Final = json.JSONEncoder(default=plain, ensure_ascii=False, allow_nan=False).encode
_encode_tidy: Final = json.JSONEncoder(
    default=safe_repr, ensure_ascii=False, allow_nan=False, check_circular=False
).encode


def _tidy(value: Any, depth: int, above: frozenset[int]) -> Any:
    """A copy that the JSON encoder accepts: no cycles, no NaN, text keys, bounded depth and length."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)  # inf and nan have no JSON form
    if id(value) in above:
        return "<cycle>"
    if depth == 0:
        return f"<{_type_name(value)}, too deep>"
    inside = above | {id(value)}
    if isinstance(value, dict):
        pairs = list(value.items())[:_MAX_ITEMS]
        return {key if isinstance(key, str) else safe_repr(key): _tidy(item, depth - 1, inside) for key, item in pairs}
    if isinstance(value, list | tuple):
        return [_tidy(item, depth - 1, inside) for item in value[:_MAX_ITEMS]]
    return _tidy(plain(value), depth - 1, inside)
