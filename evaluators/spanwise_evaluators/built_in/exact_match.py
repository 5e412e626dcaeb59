"""Whether the answer is what was expected.

`compare` says what makes no difference: `exact`, nothing; `space`, white space; `loose`, also capitals, accents and
punctuation, and English articles (as SQuAD's exact match does); `json`, the writing of JSON: order of members,
spaces, `1.0` for `1`. Does not apply where nothing is expected.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from spanwise_evaluators.definition import Definition, yes_or_no
from spanwise_evaluators.model import Sample, Verdict
from spanwise_evaluators.parameters import choice
from spanwise_evaluators.reading.json_answers import read_json
from spanwise_evaluators.reading.words import folded

_PUNCTUATION: Final = re.compile(r"[^\w\s]|_")
_ARTICLE: Final = re.compile(r"\b(?:a|an|the)\b")


def exact_match(sample: Sample, *, compare: str) -> Verdict | None:
    """Whether output and expected are the same."""
    if sample.expected is None:
        return None
    if compare == "json":
        wanted = _json(sample.expected)
        if wanted is not _BROKEN:
            return yes_or_no(_same(wanted, _json(sample.output)))
        compare = "space"
    plain = _PLAIN[compare]
    return yes_or_no(plain(sample.output) == plain(sample.expected))


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _loose(text: str) -> str:
    plain = _PUNCTUATION.sub(" ", folded(text))
    # A text of nothing but articles and punctuation ("A.", of a multiple choice) keeps them.
    return _spaced(_ARTICLE.sub(" ", plain)) or _spaced(plain) or _spaced(text)


_PLAIN: Final[Mapping[str, Callable[[str], str]]] = {"exact": str, "space": _spaced, "loose": _loose}
_BROKEN: Final = object()


def _json(text: str) -> Any:
    try:
        return read_json(text)
    except ValueError:
        return _BROKEN


def _same(one: Any, other: Any) -> bool:
    """Equality of JSON values: true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return bool(one == other)


DEFINITION: Final = Definition(
    name="exact_match",
    revision=1,
    reads=frozenset({"output", "expected"}),
    prepare=lambda **given: partial(exact_match, **given),
    parameters=(choice("compare", "What makes no difference.", ("exact", "space", "loose", "json"), "space"),),
)
