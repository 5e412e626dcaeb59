"""Rubrics: what a judge is asked, from a Markdown or a TOML file. Pure but for reading the file."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MAX_CHARS: Final = 50_000
MAX_CRITERIA: Final = 20
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_KEYS: Final = {"about", "criteria"}
_CRITERION_KEYS: Final = {"name", "question", "pass", "fail"}


class RubricError(ValueError):
    """The rubric cannot be used; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One question with one verdict.

    Attributes:
        name: "" where it is the only one, of a Markdown file.
        question: what is asked.
        passes: when the verdict is good; "" where the question says it.
        fails: when it is bad.
    """

    name: str
    question: str
    passes: str = ""
    fails: str = ""


@dataclass(frozen=True, slots=True)
class Rubric:
    """What a judge is asked.

    Attributes:
        about: what it should know before the questions.
        criteria: at least one.
    """

    about: str
    criteria: tuple[Criterion, ...]


def parse_rubric(text: str, *, toml: bool) -> Rubric:
    """A rubric's text.

    Args:
        text: TOML with `about` and `[[criteria]]`, or Markdown, which is one question as a whole.
        toml: which of both.

    Raises:
        RubricError: it says nothing, too much, or what nobody knows.
    """
    if len(text) > MAX_CHARS:
        raise RubricError(f"it has {len(text):,} characters; at most {MAX_CHARS:,} are sent with each call")
    if not toml:
        if not text.strip():
            raise RubricError("it is empty; write what a good answer is and what a bad one")
        return Rubric("", (Criterion("", text.strip()),))
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RubricError(f"it is not TOML: {error}") from None
    unknown = sorted(found.keys() - _KEYS)
    if unknown:
        raise RubricError(f"there is no key {unknown[0]!r}; there are about and [[criteria]]")
    entries = found.get("criteria", [])
    if not isinstance(entries, list) or not entries or not all(isinstance(one, dict) for one in entries):
        raise RubricError("write [[criteria]] above each criterion; there is none")
    if len(entries) > MAX_CRITERIA:
        raise RubricError(f"it has {len(entries)} criteria; a judge gets worse with many, at most {MAX_CRITERIA} go")
    criteria = tuple(_criterion(one, number) for number, one in enumerate(entries, 1))
    names = [one.name for one in criteria]
    if len(set(names)) < len(names):
        raise RubricError("two criteria have the same name")
    return Rubric(_text(found, "about", "about", required=False), criteria)


def load_rubric(path: Path) -> Rubric:
    """The rubric in a file; `.toml` is TOML, anything else Markdown.

    Raises:
        RubricError: it cannot be read or used.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RubricError(f"{path} cannot be read ({error})") from None
    try:
        return parse_rubric(text, toml=path.suffix == ".toml")
    except RubricError as error:
        raise RubricError(f"{path}: {error}") from None


def _criterion(entry: dict[str, Any], number: int) -> Criterion:
    where = f"criterion {number}"
    unknown = sorted(entry.keys() - _CRITERION_KEYS)
    if unknown:
        raise RubricError(f"{where}: there is no key {unknown[0]!r}; there are name, question, pass and fail")
    name = _text(entry, "name", where)
    if not _NAME.fullmatch(name):
        raise RubricError(f"{where}: write a name of letters, digits and _, not {name!r}")
    return Criterion(
        name,
        _text(entry, "question", where),
        _text(entry, "pass", where, required=False),
        _text(entry, "fail", where, required=False),
    )


def _text(entry: dict[str, Any], key: str, where: str, *, required: bool = True) -> str:
    value = entry.get(key, "")
    if not isinstance(value, str) or (required and not value.strip()):
        raise RubricError(f"{where}: `{key}` is a text")
    return value.strip()
