"""Whether the answer is in the language of the question, or in a given one.

Languages are told by fastText's `lid.176.ftz`, which comes with the extra `spanwise[collector]`; without it, making
this evaluator fails and says so. Texts with several words that no language but English has are English without being
looked up: that is faster, and right also for short questions that the model takes for Italian. Code blocks are left
out, and languages that it takes for one another count as one: Norwegian and Danish; Croatian, Serbian and Bosnian;
Indonesian and Malay. Does not apply where either text is too short (12 letters) or too mixed to say.
"""

import re
from functools import partial
from typing import Final

from spanwise_evaluators.definition import Definition, Scorer, yes_or_no
from spanwise_evaluators.model import Sample, Verdict
from spanwise_evaluators.parameters import EvaluatorError, UnfitError, text
from spanwise_evaluators.reading.languages import detect, require
from spanwise_evaluators.reading.wheels import DataFileError

MAX_CHARACTERS: Final = 256
"""Of question and answer that are looked at."""
_CODE_BLOCK: Final = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_ALIKE: Final = {
    code: group[0] for group in (("no", "nn", "nb", "da"), ("hr", "sr", "bs", "sh"), ("id", "ms")) for code in group
}


def language_match(sample: Sample, *, language: str) -> Verdict | None:
    """Whether the output's language is the wanted one."""
    output = _CODE_BLOCK.sub(" ", sample.output) if "`" in sample.output else sample.output
    asked, answered = detect(["" if language else sample.input, output], MAX_CHARACTERS)
    wanted = language or asked
    if not wanted or not answered:
        return None
    is_same = _ALIKE.get(wanted, wanted) == _ALIKE.get(answered, answered)
    return yes_or_no(is_same, answered, "" if is_same else f"the answer is in {answered!r}, wanted is {wanted!r}")


def _prepare(language: str) -> Scorer:
    if language and not re.fullmatch("[a-z]{2,3}", language):
        raise UnfitError("language", f"must be an ISO 639 code in small letters, such as 'en', got {language!r}")
    try:
        require()
    except DataFileError as error:
        raise EvaluatorError(f"evaluator 'language_match' needs the extra spanwise[collector]: {error}") from error
    return partial(language_match, language=language)


DEFINITION: Final = Definition(
    name="language_match",
    revision=2,
    reads=frozenset({"input", "output"}),
    prepare=_prepare,
    parameters=(text("language", "ISO 639 code that the answer has to be in; empty: that of the question.", ""),),
)
