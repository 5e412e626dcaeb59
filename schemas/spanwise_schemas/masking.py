"""Masking: what must not be stored is replaced in texts, by pattern and by name. Pure; SDK and collector share it.

A text that is JSON is read, and its strings are masked one by one, also where a string is JSON again: so a name hides
its whole value at any depth, and the result is JSON. In other texts a name hides what follows it as in JSON or in
Python's notation.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from fnmatch import translate
from functools import lru_cache
from typing import Final

from spanwise_schemas.masking_patterns import BUILT_IN, Pattern
from spanwise_schemas.masking_settings import read_keys, read_patterns

KEY: Final = "[masked:key]"
"""Stands where a name asked for the whole value to be hidden."""
WHOLE: Final = "[masked]"

STRUCTURAL: Final = frozenset(
    {
        "event.name",
        "gen_ai.operation.name",
        "gen_ai.provider.name",
        "gen_ai.request.model",
        "gen_ai.response.finish_reasons",
        "gen_ai.response.id",
        "gen_ai.response.model",
        "gen_ai.system",
        "input.mime_type",
        "llm.model_name",
        "llm.provider",
        "llm.system",
        "openinference.span.kind",
        "output.mime_type",
        "service.instance.id",
        "spanwise.project",
        "spanwise.score.id",
        "spanwise.score.source",
        "spanwise.score.stratum",
        "spanwise.truncated",
        "telemetry.distro.name",
        "telemetry.distro.version",
        "telemetry.sdk.language",
        "telemetry.sdk.name",
        "telemetry.sdk.version",
    }
)
"""Attributes without which a span loses its meaning, its cost or its place. Patterns leave their values alone, and so
do names with wildcards; only a name that is exactly theirs hides them."""

_COUNTS: Final = re.compile(r"tokens(?:_details)?$|token_?count|(?:^|[._])(?:usage|cost)(?:[._]|$)", re.IGNORECASE)
"""Names of token counts and costs: `*token*` is meant for secrets, and spares these where the value is a number."""
_MAX_ROUNDS: Final = 6
_MAX_NESTED: Final = 16
"""JSON in JSON strings; what is nested deeper is masked as plain text."""
_LONG_NUMBER: Final = 10**11
_MEMBER: Final = re.compile(
    r"""(?P<q>\\{0,64}["'])(?P<name>[^"'\\\n]{1,200})(?P=q)\s{0,20}[:=]\s{0,20}"""
    r"""(?:(?P=q)(?P<text>(?:(?!(?<!\\)(?P=q)).)*)|(?P<nested>[{\[])|(?P<bare>[^\s,}\]"'\\{\[][^\s,}\]]*))""",
    re.DOTALL,
)


_JSON: Final = re.compile(r'\s*[{\["]')
_STARS: Final = re.compile(r"\*+")
_READER: Final = json.JSONDecoder()


class _Members(list[tuple[str, object]]):
    """A JSON object as it was written: a name may come twice, and the first value must not slip through."""


class Masks:
    """Patterns and names, ready to be applied. Never raises on a text; masking twice is masking once.

    Args:
        patterns: in the order to apply them.
        keys: names in lower case; `*`, `?` and `[...]` as in file names.
    """

    def __init__(self, patterns: Sequence[Pattern] = (), keys: Sequence[str] = ()) -> None:
        self.patterns = tuple(patterns)
        self.keys = tuple(keys)
        self._exact = frozenset(key for key in keys if not any(one in key for one in "*?["))
        wild = [translate(key) for key in keys if key not in self._exact]
        self._wild = re.compile("|".join(wild)) if wild else None
        names = {"key", *(one.name for one in self.patterns if one.name), *BUILT_IN}
        self._placeholder = re.compile(r"\[masked(?::(?:" + "|".join(sorted(names)) + r"))?\]")
        # Short texts and names repeat from span to span.
        self._short = lru_cache(maxsize=8_192)(self._settled)
        self._hidden = lru_cache(maxsize=8_192)(self._is_hidden)

    @classmethod
    def of(cls, patterns: object = (), keys: object = ()) -> "Masks | None":
        """Masks from settings, see `masking_settings`; None when nothing is to be masked.

        Raises:
            ValueError: a value can never work; the message says what to write.
        """
        found, names = read_patterns(patterns), read_keys(keys)
        return cls(found, names) if found or names else None

    def hides(self, name: str, *, number: bool = False) -> bool:
        """Whether the whole value of an attribute or JSON member is to be replaced.

        Args:
            name: its name; the part after the last dot counts as a name too.
            number: whether the value is a number, or holds some as members.
        """
        return bool(self.keys) and self._hidden(name, number)

    def text(self, text: str) -> str:
        """The text with everything masked."""
        return self._short(text) if len(text) <= 64 else self._settled(text)

    def starred(self, text: str) -> str:
        """The text with what is masked overwritten by `*`, one for each byte of UTF-8, so that its size stays.

        What `text` would still find in the result, because only a reader of JSON sees it, costs the whole text.
        """
        found = self.starred_parts(text)
        return found if self.text(found) == found else _stars(text)

    def starred_parts(self, text: str, *, names: bool = True) -> str:
        """The same for what can be found without reading the text as JSON; without `names`, by patterns alone."""
        found = self._star_members(text) if self.keys and names else text
        for pattern in self.patterns:
            found = self._replaced(pattern, found, stars=True)
        return found

    # --- inside

    def _is_hidden(self, name: str, number: bool) -> bool:
        full = name.lower()
        if full in self._exact:
            return True
        if full in STRUCTURAL:
            return False
        last = full.rpartition(".")[2]
        if last in self._exact:
            return True
        if self._wild is None or (number and _COUNTS.search(full)):
            return False
        return bool(self._wild.match(full) or self._wild.match(last))

    def _settled(self, text: str) -> str:
        """Masked again and again until nothing changes; a text that never settles goes as a whole."""
        for _ in range(_MAX_ROUNDS):
            try:
                masked = self._once(text, 0)
            except RecursionError:
                return WHOLE
            if masked == text:
                return text
            text = masked
        return WHOLE

    def _once(self, text: str, depth: int) -> str:
        if depth < _MAX_NESTED and _JSON.match(text):
            try:
                value = json.loads(text, object_pairs_hook=_Members)
            except (ValueError, RecursionError):
                pass
            else:
                masked = self._value(value, depth + 1)
                return text if masked is value else _dumped(masked)
        return self._plain(text)

    def _value(self, value: object, depth: int) -> object:
        """A JSON value masked; the same object when there was nothing to mask."""
        if isinstance(value, str):
            masked = self._once(value, depth)
            return value if masked == value else masked
        if isinstance(value, _Members):
            pairs = [self._pair(name, one, depth) for name, one in value]
            same = all(a is c and b is d for (a, b), (c, d) in zip(pairs, value, strict=True))
            return value if same else _Members(pairs)
        if isinstance(value, list):
            items = [self._value(one, depth) for one in value]
            return value if all(a is b for a, b in zip(items, value, strict=True)) else items
        if isinstance(value, int) and abs(value) >= _LONG_NUMBER:
            masked = self._plain(str(value))
            return value if masked == str(value) else masked
        return value

    def _pair(self, name: str, value: object, depth: int) -> tuple[str, object]:
        masked = self._plain(name)
        name = name if masked == name else masked
        if self.hides(name, number=not isinstance(value, str)):
            return name, value if _is_masked(value) else KEY
        return name, self._value(value, depth)

    def _plain(self, text: str) -> str:
        if self.keys and ('"' in text or "'" in text):
            text = self._mask_members(text)
        for pattern in self.patterns:
            text = self._replaced(pattern, text, stars=False)
        return text

    def _replaced(self, pattern: Pattern, text: str, *, stars: bool) -> str:
        if pattern.needs and not any(one in text for one in pattern.needs):
            return text
        parts: list[str] = []
        done = 0
        for start, end in self._found(pattern, text):
            found = text[start:end]
            if not stars:
                new = f"[masked:{pattern.name}]" if pattern.name else WHOLE
            elif _STARS.fullmatch(found):
                continue
            else:
                new = _stars(found)
            parts += (text[done:start], new)
            done = end
        return "".join(parts) + text[done:] if parts else text

    def _found(self, pattern: Pattern, text: str) -> Iterator[tuple[int, int]]:
        """Where a pattern holds, but for what stands for something masked already."""
        kept: list[tuple[int, int]] | None = None
        for match in pattern.regex.finditer(text):
            at = match.start()
            for first, last in [(0, len(match[0]))] if pattern.within is None else pattern.within(match[0]):
                start, end = at + first, at + last
                if kept is None:
                    kept = [one.span() for one in self._placeholder.finditer(text)] if "[masked" in text else []
                if start < end and not any(a <= start and end <= b for a, b in kept):
                    yield start, end

    def _mask_members(self, text: str) -> str:
        return self._members(text, lambda _, quote: quote + KEY + quote)

    def _star_members(self, text: str) -> str:
        return self._members(text, lambda found, _: _stars(found))

    def _members(self, text: str, new: Callable[[str, str], str]) -> str:
        """Named values as JSON or Python write them, in a text that is neither as a whole."""
        parts: list[str] = []
        done = at = 0
        while (match := _MEMBER.search(text, at)) is not None:
            which = "text" if match["text"] is not None else "nested" if match["nested"] else "bare"
            at = match.end("name") + len(match["q"])
            if not self.hides(match["name"], number=which == "nested" or match[which][:1].isdigit()):
                continue
            start, end = match.span(which)
            if which == "nested":
                end = _nested_end(text, start)
            if not _is_masked(text[start:end]):
                parts += (text[done:start], new(text[start:end], "" if which == "text" else match["q"]))
                done = end
            at = max(at, end)
        return "".join(parts) + text[done:] if parts else text


def _nested_end(text: str, start: int) -> int:
    """Where an object or a list ends; the end of the text when it cannot be told, for nothing of it may stay."""
    try:
        return _READER.raw_decode(text, start)[1]
    except (ValueError, RecursionError):
        return len(text)


def _is_masked(value: object) -> bool:
    return isinstance(value, str) and (value in ("", KEY) or _STARS.fullmatch(value) is not None)


def _stars(text: str) -> str:
    return "*" * len(text.encode("utf-8", "surrogateescape"))


def _dumped(value: object) -> str:
    text = _json(value)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which only an escape can write
        return "".join(one if one < "\ud800" or one > "\udfff" else f"\\u{ord(one):04x}" for one in text)
    return text


def _json(value: object) -> str:
    """JSON without spaces; `json.dumps` cannot write a name twice."""
    if isinstance(value, _Members):
        return "{" + ",".join(f"{_json(name)}:{_json(one)}" for name, one in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
