"""Names in texts of languages that capitalise names and nothing else (not German): people, places, products, codes.

Found by form, without a model: words with a capital inside a sentence and their neighbours, abbreviations, codes of
letters and digits, web and mail addresses. A capital at the start of a sentence says nothing, so a name that stands
only there and is a single word is not found.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from spanwise_evaluators.reading.words import MAX_TEXT, folded, sentences, tokens

MAX_ENTITIES: Final = 1_000
"""Names of a text that are looked at."""
_ADDRESS: Final = re.compile(
    r"(?:https?://|www\.)[^\s<>\"')\]]{3,300}|[\w.%+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}"
)
_CODE: Final = re.compile(r"[A-Z](?<![\w-][A-Z])[A-Z0-9_-]{2,40}(?![\w-])")
_CAPITALISED: Final = r"[^\W\d_a-z\u00df-\u00ff][\w'\u2019.-]*[^\W_]"
_LINKED: Final = "[ \u00a0](?:(?:of|de|la|van|von|der|du|del|the|and|&)[ \u00a0])?"
_NAME: Final = re.compile(rf"{_CAPITALISED}(?:{_LINKED}{_CAPITALISED}){{0,5}}")
# The same for ASCII alone, where capitals are a range: a third of the time.
_CAPITALISED_ASCII: Final = r"[A-Z][\w'.-]*[^\W_]"
_NAME_ASCII: Final = re.compile(rf"{_CAPITALISED_ASCII}(?:{_LINKED}{_CAPITALISED_ASCII}){{0,5}}", re.ASCII)
_APART: Final = " \u2016 "
"""In the place of what was found: a character of no word, so that names on both sides stay apart."""
_BEFORE: Final = re.compile(r"^[\W\d_]*")
_COMMON: Final = frozenset(
    [
        "i",
        "i'm",
        "i've",
        "i'd",
        "i'll",
        "ok",
        "okay",
        "yes",
        "no",
        "not",
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "vs",
        "faq",
        "pdf",
        "url",
        "api",
        "json",
        "html",
        "http",
        "https",
        "usa",
        "us",
        "eu",
        "uk",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "english",
        "am",
        "pm",
        "note",
        "step",
        "option",
        "example",
        "important",
        "please",
        "dear",
        "regards",
        "hello",
        "thanks",
        "thank",
        "sincerely",
        "best",
        "pros",
        "cons",
        "summary",
        "overview",
        "conclusion",
        "details",
        "features",
        "benefits",
    ]
)
"""Capitalised words that name nothing that a document would have to say."""


def claimed_entities(text: str) -> list[str]:
    """Names in an answer, each once, in the order in which they stand."""
    found: dict[str, None] = {}
    text = text[:MAX_TEXT]
    if "@" in text or "://" in text or "www." in text:
        for match in _ADDRESS.finditer(text):
            found.setdefault(match[0].rstrip(".,;:!?"), None)
        text = _ADDRESS.sub(_APART, text)
    for match in list(_CODE.finditer(text)):
        if any(map(str.isdecimal, match[0])):
            found.setdefault(match[0], None)
            text = text.replace(match[0], _APART)
    for sentence in sentences(text):
        _add_names(sentence, found)
        if len(found) >= MAX_ENTITIES:
            break
    return list(found)


def _add_names(sentence: str, found: dict[str, None]) -> None:
    first = _BEFORE.match(sentence)
    begin = first.end() if first else 0
    if _is_title(sentence):
        return
    for match in (_NAME_ASCII if sentence.isascii() else _NAME).finditer(sentence):
        name = match[0]
        if match.start() == begin:
            # The first word is capitalised anyway; what follows it may be a name.
            head, _, rest = name.partition(" ")
            if not rest or (head.lower() in _COMMON or len(head) < 4):
                name = rest
        name = " ".join(_without_common(name.split()))
        if len(name) > 1:
            found.setdefault(name, None)


def _without_common(parts: list[str]) -> list[str]:
    """A name without words at its ends that are none."""
    while parts and (parts[0].lower().rstrip(".") in _COMMON or parts[0].islower()):
        parts = parts[1:]
    while parts and (parts[-1].lower().rstrip(".") in _COMMON or parts[-1].islower()):
        parts = parts[:-1]
    return parts


def _is_title(sentence: str) -> bool:
    """Whether most words are capitalised and no stop ends them: a heading; then capitals say nothing."""
    if sentence.endswith((".", "!", "?")) and not sentence.isupper():
        return False
    letters = [word for word in sentence.split() if word[0].isalpha()]
    return len(letters) > 3 and sum(word[0].isupper() for word in letters) > 0.6 * len(letters)


def is_said(entity: str, texts: Sequence[str]) -> bool:
    """Whether a name stands in one of some texts: as it is, or each of its words somewhere in the same text."""
    plain = folded(entity)
    if any(plain in folded(text) for text in texts):
        return True
    parts = _distinct(entity)
    # Most names that are missing have a word that no text has: then none has to be read word by word.
    return bool(parts) and any(_has_all(parts, folded(text)) and parts <= tokens(text) for text in texts)


def _has_all(parts: frozenset[str], text: str) -> bool:
    return all(map(text.__contains__, parts))


@lru_cache(maxsize=256)
def _distinct(entity: str) -> frozenset[str]:
    return frozenset(word for word in tokens(entity) if len(word) > 2)
