"""The settings of masking, read and checked: the same words for SDK and collector."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from spanwise_schemas.masking_patterns import BUILT_IN, Pattern

PATTERNS_HELP: Final = (
    "names separated by commas (" + ", ".join(BUILT_IN) + "; `all` for all of them), or a JSON list of names, regular "
    'expressions and named regular expressions, like ["email", "ACME-[0-9]{6}", {"customer": "C[0-9]{8}"}]'
)
KEYS_HELP: Final = (
    "names of attributes and JSON members, separated by commas or as a JSON list; * stands for any characters, like "
    "*password*,authorization"
)
_MAX_ITEMS: Final = 200
_MAX_LENGTH: Final = 1_000
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_WORD: Final = re.compile(r"[A-Za-z0-9_]+")


def read_patterns(given: object) -> tuple[Pattern, ...]:
    """Patterns in the order to apply them: built-in ones in their own order, then the user's.

    Args:
        given: the text of an environment variable, or a sequence of what a JSON list may hold.

    Raises:
        ValueError: something is unknown, no regular expression, or matches the empty text. The message says what to
            write, not which setting it is.
    """
    names: set[str] = set()
    own: dict[str, Pattern] = {}
    for item in _items(given, PATTERNS_HELP):
        if isinstance(item, Mapping):
            for name, regex in item.items():
                own[f"{name}\0{regex}"] = _named(name, regex)
        elif not isinstance(item, str):
            raise ValueError(f"give {PATTERNS_HELP}")
        elif item == "all":
            names.update(BUILT_IN)
        elif item in BUILT_IN:
            names.add(item)
        elif _WORD.fullmatch(item):
            raise ValueError(
                f"there is no pattern named {item!r}; there are {', '.join(BUILT_IN)}. As a regular expression write "
                f"(?:{item})"
            )
        else:
            own["\0" + item] = Pattern("", _compiled(item))
    return (*(one for name, one in BUILT_IN.items() if name in names), *own.values())


def read_keys(given: object) -> tuple[str, ...]:
    """Names of attributes and JSON members in lower case, each once.

    Raises:
        ValueError: one is no text, is empty or too long.
    """
    found: dict[str, None] = {}
    for item in _items(given, KEYS_HELP):
        if not isinstance(item, str) or not item.strip() or len(item) > _MAX_LENGTH:
            raise ValueError(f"give {KEYS_HELP}")
        if not item.strip("*? "):
            raise ValueError(f"{item!r} is the name of everything; give {KEYS_HELP}")
        found[item.strip().lower()] = None
    return tuple(found)


def _items(given: object, help_text: str) -> Sequence[object]:
    if isinstance(given, str):
        text = given.strip()
        if text.startswith(("[", "{")):
            try:
                given = json.loads(text)
            except ValueError as error:
                raise ValueError(f"it begins like JSON and is none ({error}); give {help_text}") from None
        else:
            return _checked_count([part.strip() for part in text.split(",") if part.strip()])
    if isinstance(given, Mapping):
        given = [given]
    if not isinstance(given, list | tuple):
        raise ValueError(f"give {help_text}")
    return _checked_count(given)


def _checked_count(items: Sequence[object]) -> Sequence[object]:
    if len(items) > _MAX_ITEMS:
        raise ValueError(f"there are {len(items)}; give at most {_MAX_ITEMS}")
    return items


def _named(name: object, regex: object) -> Pattern:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name in BUILT_IN or name in {"key", "all"}:
        raise ValueError(
            f"{name!r} is no name for a pattern of your own; give lower-case letters, digits and _, at most 32, "
            "and not the name of a built-in one"
        )
    if not isinstance(regex, str):
        raise ValueError(f"the pattern {name!r} needs a regular expression as a text")
    return Pattern(name, _compiled(regex))


def _compiled(text: str) -> re.Pattern[str]:
    if len(text) > _MAX_LENGTH:
        raise ValueError(f"{text[:40]!r}... has {len(text)} characters; give at most {_MAX_LENGTH}")
    try:
        regex = re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from None
    if regex.search("") is not None:
        raise ValueError(f"{text!r} matches the empty text, so that it would match everywhere")
    return regex
