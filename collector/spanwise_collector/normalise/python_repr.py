"""Values that a client wrote as Python does, `{'tokens': None}`, where JSON was meant."""

import ast
import re
from typing import Final

from spanwise_collector.normalise.values import Value

_MAX_LENGTH: Final = 1_000_000
"""Characters; parsing takes about a second for ten times as many."""

_ODD_ESCAPE: Final = re.compile(r"""(?<!\\)(?:\\\\)*\\(?![\\'"nrtxuU])""")
"""A backslash as Python never writes it; its parser would warn of it."""
_NO_PYTHON: Final = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError)


def from_repr(text: str) -> Value:
    """The value that a text of Python literals stands for; None where it is none, or holds more than JSON could.

    Args:
        text: such as LiteLLM's `metadata.usage_object`.
    """
    if text[:1] not in ("{", "[") or len(text) > _MAX_LENGTH or _ODD_ESCAPE.search(text):
        return None
    try:
        found = ast.literal_eval(text)
    except _NO_PYTHON:
        return None
    return found if _is_plain(found) else None


def from_call(text: str) -> Value:
    """What an object shown as `Name(key=value, ...)` holds, as an object; None where a text is nothing like it."""
    if len(text) > _MAX_LENGTH or _ODD_ESCAPE.search(text):
        return None
    try:
        return _held(ast.parse(text, mode="eval").body)
    except _NO_PYTHON:
        return None


def _held(node: ast.expr) -> Value:
    if isinstance(node, ast.Call):
        return {one.arg: _held(one.value) for one in node.keywords if one.arg}
    found = ast.literal_eval(node)
    return found if _is_plain(found) else None


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return all(_is_plain(one) for one in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(one) for key, one in value.items())
    return value is None or isinstance(value, str | bool | int | float)
