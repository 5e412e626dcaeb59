"""Two texts, word by word: what went and what came. Pure."""

import json
import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

MOST_WORDS: Final = 3000
"""Longer texts are shown without marks: comparing takes time that grows with the square."""
_WORDS: Final = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a text.

    Attributes:
        text: as it is.
        changed: the other side does not have it here.
    """

    text: str
    changed: bool = False


def text_difference(a: str, b: str) -> tuple[list[Part], list[Part]]:
    """Both texts in pieces, which together are the texts again."""
    if a == b:
        return _whole(a), _whole(b)
    left, right = _WORDS.findall(a), _WORDS.findall(b)
    if max(len(left), len(right)) > MOST_WORDS:
        return _whole(a), _whole(b)
    before: list[Part] = []
    after: list[Part] = []
    for tag, a0, a1, b0, b1 in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        for parts, words in ((before, left[a0:a1]), (after, right[b0:b1])):
            if words:
                parts.append(Part("".join(words), tag != "equal"))
    return before, after


def shown(value: Any) -> str:
    """A value of an item as text: text as it is, JSON with a line for each member, a chat as its messages."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(one, dict) and "role" in one for one in value):
        return "\n\n".join(_message(one) for one in value)
    return json.dumps(value, ensure_ascii=False, indent=2)


def _message(message: dict[str, Any]) -> str:
    content = message.get("content")
    if content is None and isinstance(message.get("parts"), list):
        texts = [part.get("content") for part in message["parts"] if isinstance(part, dict)]
        content = "\n".join(text for text in texts if isinstance(text, str)) or message["parts"]
    return f"{message['role']}: {content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)}"


def _whole(text: str) -> list[Part]:
    return [Part(text)] if text else []
