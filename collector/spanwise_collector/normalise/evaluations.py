"""Evaluations among a span's attributes, as OpenInference writes them.

`evaluations.0.evaluation.name`, `.score`, `.label`, `.explanation`, `.annotator_kind`, `.identifier`; the same as
`annotations.0.annotation.*`; with `trace.` or `session.` before it they are about the whole trace or session. Source:
OpenInference's specification of annotations and evaluations.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

_NAME: Final = re.compile(
    r"(?:(trace|session)\.)?(?:annotations\.(\d{1,6})\.annotation|evaluations\.(\d{1,6})\.evaluation)\."
    r"(name|score|label|explanation|annotator_kind|identifier)"
)
_KINDS: Final[Mapping[str, str]] = {"HUMAN": "human", "LLM": "llm", "CODE": "code"}


class Evaluation(NamedTuple):
    """What somebody says of a span, a trace or a session; texts are empty where nothing was said.

    Attributes:
        scope: "trace", "session", or "" for the span.
        name: what is judged.
        score: a number, as text.
        label: a word.
        explanation: why.
        source: one of "human", "llm", "code".
        identifier: tells results of one name and target apart.
    """

    scope: str
    name: str
    score: str
    label: str
    explanation: str
    source: str
    identifier: str


def tells_evaluations(names: Iterable[str]) -> bool:
    """Whether one of some attribute names is an evaluation's."""
    return any(_NAME.fullmatch(name) for name in names)


def evaluations_of(names: Iterable[str], texts: Iterable[str]) -> list[Evaluation]:
    """The evaluations among attributes, in the order of their numbers.

    Args:
        names: of the attributes.
        texts: their values.
    """
    found: dict[tuple[str, bool, int], dict[str, str]] = {}
    for name, text in zip(names, texts, strict=True):
        match = _NAME.fullmatch(name)
        if match is not None:
            scope, annotation, evaluation, field = match.groups()
            place = (scope or "", annotation is not None, int(annotation or evaluation))
            found.setdefault(place, {})[field] = text
    return [
        Evaluation(
            scope,
            fields.get("name", ""),
            fields.get("score", ""),
            fields.get("label", ""),
            fields.get("explanation", ""),
            _KINDS.get(fields.get("annotator_kind", ""), "code"),
            fields.get("identifier", ""),
        )
        for (scope, _, _), fields in sorted(found.items())
    ]
