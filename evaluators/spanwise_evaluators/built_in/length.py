"""Whether the answer's length is within bounds.

Words are runs of letters and digits; in Chinese, Japanese and Korean, which have no spaces between them, count
characters instead. Give `least`, `most` or both.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from spanwise_evaluators.definition import Definition, Scorer, yes_or_no
from spanwise_evaluators.model import Sample, Verdict
from spanwise_evaluators.parameters import UnfitError, choice, whole
from spanwise_evaluators.reading.words import sentences

_WORD: Final = re.compile(r"\w+(?:['\u2019-]\w+)*")
_COUNT: Final[Mapping[str, Callable[[str], int]]] = {
    "characters": lambda text: len(text.strip()),
    "words": lambda text: len(_WORD.findall(text)),
    "sentences": lambda text: len(sentences(text)),
    "lines": lambda text: sum(1 for line in text.splitlines() if line.strip()),
}


def length(sample: Sample, *, unit: str, least: int | None, most: int | None) -> Verdict:
    """Whether the output is neither too short nor too long."""
    count = _COUNT[unit](sample.output)
    if least is not None and count < least:
        return yes_or_no(False, "too_short", f"{count} {unit}, at least {least} are asked for")
    if most is not None and count > most:
        return yes_or_no(False, "too_long", f"{count} {unit}, at most {most} are allowed")
    return yes_or_no(True, "", f"{count} {unit}")


def _prepare(unit: str, least: int | None, most: int | None) -> Scorer:
    if least is None and most is None:
        raise UnfitError("most", "is missing, and so is 'least'; give at least one of them")
    if least is not None and most is not None and least > most:
        raise UnfitError("least", f"is {least}, more than 'most', which is {most}; exchange them")
    return partial(length, unit=unit, least=least, most=most)


DEFINITION: Final = Definition(
    name="length",
    revision=1,
    reads=frozenset({"output"}),
    prepare=_prepare,
    parameters=(
        choice("unit", "What is counted.", tuple(_COUNT), "characters"),
        whole("least", "The shortest that is right.", None),
        whole("most", "The longest that is right.", None),
    ),
)
