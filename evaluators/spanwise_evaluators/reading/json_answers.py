"""Answers that should be JSON and are not."""

import re
from typing import Any, Final, NamedTuple

from pydantic_core import from_json

MAX_TEXT: Final = 1_000_000
"""Characters of an answer; a longer one is not judged."""
_BEGINS: Final = re.compile(r"(?:```json\b|\{\s*(?:\"|\}|$)|\[\s*(?:[\[{\"\]]|$))")
"""How an answer begins that means to be JSON; a footnote `[1]` and a template `{{name}}` do not."""
_STARTS: Final = frozenset('{["-')
_FENCE: Final = re.compile(r"```(?:[A-Za-z0-9]{0,12})?[ \t]*\r?\n?")


class Reading(NamedTuple):
    """What an answer is as JSON.

    Attributes:
        is_json: whether `value` holds its value.
        value: parsed.
        problem: what is wrong, a finer class of `invalid_json`; "" for nothing, or where no JSON was meant.
    """

    is_json: bool
    value: Any
    problem: str


_NOTHING: Final = Reading(False, None, "")


def read_json(text: str) -> Any:
    """The value of JSON text, strictly: NaN is none.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return from_json(text, allow_inf_nan=False)
    except TypeError:  # a lone surrogate, which has no UTF-8
        return from_json(text.encode("utf-8", "replace"), allow_inf_nan=False)


def begins_json(text: str) -> bool:
    """Whether a text means to be JSON."""
    return _BEGINS.match(text.lstrip()) is not None


def read_answer(text: str, *, asked: bool) -> Reading:
    """Read an answer.

    Args:
        text: of the answer.
        asked: whether the request wants JSON and nothing else; else only what begins as JSON is judged.
    """
    text = text.strip()
    fence = _FENCE.match(text)
    inner = text[fence.end() :] if fence else text
    if len(text) > MAX_TEXT or not (asked or begins_json(text) or (fence and text.startswith("```json"))):
        return _NOTHING
    closed = inner.rpartition("```")[0] if fence else ""
    try:
        value = read_json(closed or inner)
    except ValueError as error:
        return Reading(False, None, _problem(str(error), closed or inner, asked=asked))
    return Reading(True, value, "fenced" if fence and asked else "")


def _problem(error: str, text: str, *, asked: bool) -> str:
    if "recursion" in error:
        return ""
    if "trailing characters" in error:
        return "extra_text" if asked or not _is_lines(text) else ""
    if text[:1] not in _STARTS and not text[:1].isdecimal():
        return "not_json" if asked else "malformed"
    return "truncated" if "EOF" in error else "malformed"


def _is_lines(text: str) -> bool:
    """Whether every line is JSON of its own."""
    for line in text.splitlines():
        try:
            read_json(line or "null")
        except ValueError:
            return False
    return True
