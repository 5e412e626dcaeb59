"""Words of texts, for comparing what an answer says with what it was given to read. Remembered per text."""

import re
import unicodedata
from collections.abc import Hashable, Iterable, Sequence
from functools import lru_cache
from typing import Final

MAX_TEXT: Final = 200_000
"""Characters of a text that are looked at."""
_WIDE: Final = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
# Translating and splitting ASCII takes a fifth of the time that a regular expression does; as bytes a quarter of that.
_LETTERS_APART: Final = bytes(code if chr(code).isalpha() and code < 128 else ord(" ") for code in range(256))
_WORD: Final = re.compile(r"[^\W\d_]+")
_WIDE_OR_NOT: Final = re.compile(rf"[{_WIDE}]+|[^\W\d_{_WIDE}]+")
_TOKEN: Final = re.compile(r"[^\W_]+")
_HAS_WIDE: Final = re.compile(f"[{_WIDE}]")
_STOPS: Final = re.compile(r"[.!?][\"')\]\u201d\u3011]*\s+|[\u3002\uff01\uff1f][\u3011\u300d\u201d]*|\n+")
_STOP: Final = frozenset(
    # Function words of English, and what answers open and close with.
    [
        "about",
        "above",
        "after",
        "again",
        "against",
        "also",
        "although",
        "always",
        "among",
        "because",
        "been",
        "before",
        "being",
        "below",
        "between",
        "both",
        "cannot",
        "could",
        "does",
        "doing",
        "down",
        "during",
        "each",
        "either",
        "else",
        "even",
        "ever",
        "every",
        "from",
        "further",
        "have",
        "having",
        "hence",
        "here",
        "hers",
        "herself",
        "himself",
        "however",
        "indeed",
        "into",
        "itself",
        "just",
        "least",
        "less",
        "like",
        "likely",
        "made",
        "make",
        "many",
        "maybe",
        "might",
        "more",
        "most",
        "much",
        "must",
        "myself",
        "neither",
        "never",
        "none",
        "nor",
        "once",
        "only",
        "onto",
        "other",
        "otherwise",
        "ours",
        "ourselves",
        "over",
        "perhaps",
        "please",
        "quite",
        "rather",
        "same",
        "shall",
        "should",
        "since",
        "some",
        "still",
        "such",
        "than",
        "that",
        "their",
        "theirs",
        "them",
        "themselves",
        "then",
        "there",
        "therefore",
        "these",
        "they",
        "this",
        "those",
        "though",
        "through",
        "thus",
        "together",
        "toward",
        "under",
        "until",
        "unless",
        "unto",
        "upon",
        "very",
        "was",
        "were",
        "what",
        "whatever",
        "when",
        "whenever",
        "where",
        "whereas",
        "wherever",
        "whether",
        "which",
        "while",
        "whom",
        "whose",
        "will",
        "with",
        "within",
        "without",
        "would",
        "your",
        "yours",
        "yourself",
        "yourselves",
        "answer",
        "question",
        "based",
        "according",
        "provided",
        "given",
        "context",
        "document",
        "documents",
        "following",
        "information",
        "sure",
        "certainly",
    ]
)


@lru_cache(maxsize=64)
def words(text: str) -> tuple[str, ...]:
    """Words of letters alone, in lower case without accents.

    Of texts in Chinese, Japanese and Korean, which have no spaces between words, pairs of characters.
    """
    plain = folded(text)
    if plain.isascii():
        return tuple(_ascii_words(plain))
    if _HAS_WIDE.search(plain) is None:
        return tuple(_WORD.findall(plain))
    found: list[str] = []
    for word in _WIDE_OR_NOT.findall(plain):
        if _HAS_WIDE.match(word):
            found.extend(word[at : at + 2] for at in range(max(1, len(word) - 1)))
        else:
            found.append(word)
    return tuple(found)


def _ascii_words(plain: str) -> list[str]:
    return plain.encode("ascii").translate(_LETTERS_APART).decode("ascii").split()


def content_words(text: str) -> list[str]:
    """Words that carry meaning: not those of up to three letters, no function words; plurals as their singular.

    Numbers are left out, since `numbers` compares them by value.
    """
    return list(filter(None, map(_meaning, words(text))))


@lru_cache(maxsize=16_384)
def _meaning(word: str) -> str:
    """A content word as it is compared; "" for another word."""
    return _singular(word) if (len(word) > 3 or word[0] > "\u2e80") and word not in _STOP else ""


def unsaid(meanings: Iterable[str], text: str) -> set[str]:
    """Content words that a text does not have, in whichever of their forms.

    Args:
        meanings: as `content_words` gives them.
        text: where they may stand.
    """
    said = word_set(text)
    return {one for one in set(meanings).difference(said) if said.isdisjoint(_forms(one))}


@lru_cache(maxsize=64)
def word_set(text: str) -> frozenset[str]:
    """The distinct `words` of a text: several evaluators look words up in the same documents."""
    plain = folded(text)
    return frozenset(_ascii_words(plain) if plain.isascii() else words(text))


@lru_cache(maxsize=16_384)
def _forms(meaning: str) -> tuple[str, ...]:
    """All words that `_singular` takes for the same: looking for them is faster than treating a whole document."""
    plural = f"{meaning}s"
    return (meaning, plural, f"{meaning[:-1]}ies") if meaning.endswith("y") else (meaning, plural)


@lru_cache(maxsize=64)
def content_runs(text: str, n: int) -> frozenset[Hashable]:
    """The distinct runs of `n` content words of a text."""
    return frozenset(runs(content_words(text), n))


def runs(of: Sequence[str], n: int) -> Sequence[Hashable]:
    """Runs of `n` words; one run of all words where there are fewer."""
    if n == 1:
        return of
    if len(of) <= n:
        return (of[0],) if len(of) == 1 else (tuple(of),) if of else ()
    return list(zip(*(of[at:] for at in range(n)), strict=False))


@lru_cache(maxsize=64)
def sentences(text: str) -> tuple[str, ...]:
    """Sentences and lines, without those that are blank."""
    text = text[:MAX_TEXT]
    ends = [match.end() for match in _STOPS.finditer(text)]
    parts = [text[start:end].strip() for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]
    return tuple(part for part in parts if part)


@lru_cache(maxsize=64)
def tokens(text: str) -> frozenset[str]:
    """Distinct runs of letters and digits, in lower case without accents."""
    return frozenset(_TOKEN.findall(folded(text)))


@lru_cache(maxsize=64)
def folded(text: str) -> str:
    """Lower case, without accents, compatibility characters as what they stand for."""
    head = text[:MAX_TEXT]
    if head.isascii():
        return head.lower()
    decomposed = unicodedata.normalize("NFKD", head.casefold())
    return unicodedata.normalize("NFC", "".join(one for one in decomposed if not _is_accent(one)))


def _is_accent(character: str) -> bool:
    """Whether it is one of the marks that sit on Latin, Greek and Cyrillic letters; others carry vowels."""
    return "\u0300" <= character <= "\u036f"


def _singular(word: str) -> str:
    """English plurals as their singular: Harman's S-stemmer (1991, "How effective is suffixing?")."""
    if not word.endswith("s") or len(word) < 5:
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
        return word[:-1]
    return word if word.endswith(("us", "ss")) else word[:-1]
