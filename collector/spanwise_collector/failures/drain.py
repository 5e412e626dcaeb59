"""Templates of messages by Drain: messages that differ only in their values share a template.

P. He, J. Zhu, Z. Zheng, M. Lyu: "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017. As there, a
message is looked for among the templates of its length only, joins the most similar one if that is similar enough, and
turns what differs into a slot. What is similar enough is ours, since one configuration has to serve all messages:

- Plain words are what a message says; all else (placeholders of masks, numbers, paths, names with dots or underscores,
  values after an equals sign) is a slot from the start, punctuation does not count, and lists count once.
- A message joins a template when no two words differ, a word facing a slot at most (`MAX_FACING` per equal word).
- Two templates with the same words become one wherever their slots are, and so do templates that differ at one place
  when enough words were seen there (`ENOUGH`; of fewer one cannot tell values from different messages).
"""

import re
from dataclasses import dataclass, field
from typing import Final

VERSION: Final = 1
"""Rises whenever the same messages would get other templates."""
MAX_TEMPLATES: Final = 1_000
MAX_TOKENS: Final = 64
SLOT: Final = "<*>"
MIN_WORDS: Final = 2
"""Equal words without which nothing but equal templates become one."""
ENOUGH: Final = ((3, 3), (2, 8))
"""Equal words of `SHORTEST` letters or more, and different words at one place, from which on that place is a slot."""
SHORTEST: Final = 3
MAX_FACING: Final = 0.5

_PLACEHOLDER: Final = r"<[a-z]{2,5}>"
_TOKEN: Final = re.compile(rf"(?:{_PLACEHOLDER}|[^\s<>()\[\]{{}}=,;:|\"'`?!])+|\S")
# Three single words or more with commas between them.
_LIST: Final = re.compile(r"(?<![\w=])(?:[\w.-]{1,40}, ?){2,40}(?:(?:and|or) )?[\w.-]{1,40}(?![\w=])")
_EDGES: Final = "-.*/\\_#+&%$@~^"
# Names of states and codes (`SCREEN_ON`, `app.status.NOT_FOUND`) are words in spite of their underscores and dots.
_CODE: Final = re.compile(r"(?:.*\.)?[A-Z]+(?:_[A-Z]+)*")
_NAME: Final = re.compile(rf"{_PLACEHOLDER}|[./\\@_$#+&%~^\d]|[^\x00-\x7f]")
_LONGEST_REPEATED: Final = 4

Tokens = tuple[str, ...]


def tokens_of(masked: str) -> Tokens:
    """The words of a masked message, with one slot for all that stands between two of them.

    Words are in lower case and without the plural's s, and "an" is "a". Lists are slots, and what is repeated (up
    to four tokens long) stands once. A message without words is a single token, itself.
    """
    found: list[str] = []
    before = ""
    for raw in _TOKEN.findall(_LIST.sub("<list>", masked)):
        token = raw.strip(_EDGES)
        if not any(char.isalnum() for char in token):
            before = raw
            continue
        is_slot = before == "=" or (_NAME.search(token) is not None and _CODE.fullmatch(token) is None)
        before = raw
        if not is_slot:
            found.append(_word(token))
        elif not found or found[-1] != SLOT:
            found.append(SLOT)
        for size in range(1, _LONGEST_REPEATED + 1):
            if len(found) >= 2 * size and found[-size:] == found[-2 * size : -size]:
                del found[-size:]
                break
        if len(found) == MAX_TOKENS:
            break
    return tuple(found) if any(token != SLOT for token in found) else (masked,)


def _word(token: str) -> str:
    lower = token.lower()
    if lower == "an":
        return "a"
    return lower[:-1] if len(lower) > 3 and lower.endswith("s") else lower


def _words(tokens: Tokens) -> Tokens:
    return tuple(token for token in tokens if token != SLOT)


@dataclass(slots=True)
class Drain:
    """Finds the group of each message; the same messages in the same order give the same groups.

    Groups are numbered from 0 in the order of their first messages. With `max_templates` templates, messages that fit
    none go into a last group of their own.
    """

    max_templates: int = MAX_TEMPLATES
    _templates: list[Tokens] = field(default_factory=list)
    _group_of: list[int] = field(default_factory=list)
    _seen: dict[Tokens, int] = field(default_factory=dict)
    _by_length: dict[int, list[int]] = field(default_factory=dict)
    _by_words: dict[Tokens, int] = field(default_factory=dict)
    _joined: list[tuple[int, int]] = field(default_factory=list)

    def add(self, masked: str) -> int:
        """The group of a masked message as of now; later messages can join it with an earlier one, see `group`."""
        tokens = tokens_of(masked)
        at = self._seen.get(tokens)
        if at is None:
            at = self._place(tokens)
            self._seen[tokens] = at
        return self.group(at)

    def group(self, one: int) -> int:
        """The group that a group has been joined with, the earliest; itself when with none."""
        while self._group_of[one] != one:
            one = self._group_of[one]
        return one

    def take_joined(self) -> list[tuple[int, int]]:
        """Pairs of an earlier and a later group that became one since the last call, in this order."""
        joined, self._joined = self._joined, []
        return joined

    def _place(self, tokens: Tokens) -> int:
        best = self._most_similar(tokens)
        if best is None:
            if len(self._templates) > self.max_templates:
                return self.max_templates
            best = len(self._templates)
            self._templates.append(tokens)
            self._group_of.append(best)
            if best == self.max_templates:
                return best
            self._by_length.setdefault(len(tokens), []).append(best)
            self._settle(best)
            return best
        self._widen(best, tokens)
        return best

    def _most_similar(self, tokens: Tokens) -> int | None:
        best = None
        best_score = 0.0
        for one in self._by_length.get(len(tokens), ()):
            equal = facing = 0
            for ours, theirs in zip(self._templates[one], tokens, strict=True):
                if ours == theirs:
                    equal += ours != SLOT
                elif SLOT in (ours, theirs):
                    facing += 1
                else:
                    break
            else:
                if not facing:
                    return one
                if equal >= MIN_WORDS and facing <= MAX_FACING * equal and equal - facing > best_score:
                    best, best_score = one, equal - facing
        return best

    def _widen(self, at: int, tokens: Tokens) -> None:
        """Make slots where a template differs from these tokens."""
        wider = tuple(
            ours if ours == theirs else SLOT for ours, theirs in zip(self._templates[at], tokens, strict=True)
        )
        if wider != self._templates[at]:
            self._templates[at] = wider
            self._settle(at)

    def _settle(self, at: int) -> None:
        """Join the groups of which a new or changed template shows that they are the same."""
        place: int | None = -1
        while place is not None:
            words = _words(self._templates[at])
            if len(words) >= MIN_WORDS:
                self._join(at, self._by_words.setdefault(words, at))
            place = self._join_at_one_place(at, len(words))

    def _join_at_one_place(self, at: int, n_words: int) -> int | None:
        """Make a slot of one place at which alone templates differ from this one; None when there is no such place."""
        mine = self._templates[at]
        for place, others in self._apart_at_one_place(at).items():
            values = {mine[place], *(self._templates[one][place] for one in others)}
            if SLOT in values:
                is_slot = n_words - (mine[place] != SLOT) >= MIN_WORDS
            else:
                around = sum(len(word) >= SHORTEST and word != SLOT for word in (*mine[:place], *mine[place + 1 :]))
                is_slot = any(around >= words and len(values) >= seen for words, seen in ENOUGH)
            if is_slot:
                for one in others:
                    self._join(at, one)
                    self._by_length[len(mine)].remove(one)
                self._templates[at] = (*mine[:place], SLOT, *mine[place + 1 :])
                return place
        return None

    def _apart_at_one_place(self, at: int) -> dict[int, list[int]]:
        """Other templates of the same length by the one place where they differ."""
        mine = self._templates[at]
        apart: dict[int, list[int]] = {}
        for one in self._by_length[len(mine)]:
            pairs = zip(mine, self._templates[one], strict=True)
            places = [place for place, (ours, theirs) in enumerate(pairs) if ours != theirs]
            if len(places) == 1:
                apart.setdefault(places[0], []).append(one)
        return apart

    def _join(self, one: int, other: int) -> None:
        first, last = sorted((self.group(one), self.group(other)))
        if first != last:
            self._group_of[last] = first
            self._joined.append((first, last))
