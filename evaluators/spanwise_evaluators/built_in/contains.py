"""Whether the answer has certain texts in it: all of them, any of them, or none of them.

Without `texts` it looks for what was expected (`expected` of a dataset's item), and does not apply where nothing is.
Runs of white space count as one space.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from spanwise_evaluators.definition import Definition, Scorer, yes_or_no
from spanwise_evaluators.model import Sample, Verdict
from spanwise_evaluators.parameters import UnfitError, choice, flag, texts
from spanwise_evaluators.reading.short import short


def contains(sample: Sample, *, texts: Sequence[str] | None, mode: str, ignore_case: bool) -> Verdict | None:
    """Whether the texts are in the output."""
    if texts is None:
        if not sample.expected:
            return None
        texts = (sample.expected,)
    output = _plain(sample.output, ignore_case)
    found = [one for one in texts if _plain(one, ignore_case) in output]
    if mode == "none":
        return yes_or_no(not found, "", f"found: {_quoted(found)}" if found else "")
    if mode == "any":
        return yes_or_no(bool(found), "", f"found: {_quoted(found)}" if found else "none of the texts is found")
    missing = [one for one in texts if one not in found]
    return yes_or_no(not missing, "", f"missing: {_quoted(missing)}" if missing else "")


def _plain(text: str, ignore_case: bool) -> str:
    spaced = " ".join(text.split())
    return spaced.casefold() if ignore_case else spaced


def _quoted(found: Sequence[str]) -> str:
    return ", ".join(repr(short(one)) for one in found[:10])


def _prepare(texts: list[str] | None, mode: str, ignore_case: bool) -> Scorer:
    if texts == []:
        raise UnfitError("texts", "is empty; list at least one text, or leave it out to look for what was expected")
    return partial(contains, texts=texts, mode=mode, ignore_case=ignore_case)


DEFINITION: Final = Definition(
    name="contains",
    revision=1,
    reads=frozenset({"output", "expected"}),
    prepare=_prepare,
    parameters=(
        texts("texts", "What to look for; not given: what was expected.", None),
        choice("mode", "How many of them have to be found.", ("all", "any", "none"), "all"),
        flag("ignore_case", "Whether capitals count as small letters.", False),
    ),
)
