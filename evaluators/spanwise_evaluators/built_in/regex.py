"""Whether a regular expression is found in the answer, or is not.

The expression is one of Python's `re`; it is searched for anywhere unless `whole` is set. An expression that
backtracks without end holds up the thread that evaluates: prefer `[^"]*` over `.*` and nest no repetitions. Of an
answer the first 200,000 characters are looked at.
"""

import re
from functools import partial
from typing import Final

from spanwise_evaluators.definition import Definition, Scorer, yes_or_no
from spanwise_evaluators.model import Sample, Verdict
from spanwise_evaluators.parameters import flag, pattern
from spanwise_evaluators.reading.short import short

MAX_TEXT: Final = 200_000
"""Characters that are looked at."""


def regex(sample: Sample, *, compiled: re.Pattern[str], whole: bool, absent: bool) -> Verdict:
    """Whether the expression is found."""
    text = sample.output[:MAX_TEXT]
    found = compiled.fullmatch(text) if whole else compiled.search(text)
    if found is None:
        return yes_or_no(absent, "not_found")
    return yes_or_no(not absent, "found", f"{short(found[0])!r} at character {found.start()}")


def _prepare(pattern: str, ignore_case: bool, whole: bool, absent: bool) -> Scorer:
    compiled = re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    return partial(regex, compiled=compiled, whole=whole, absent=absent)


DEFINITION: Final = Definition(
    name="regex",
    revision=1,
    reads=frozenset({"output"}),
    prepare=_prepare,
    parameters=(
        pattern("pattern", "What to look for."),
        flag("ignore_case", "Whether capitals count as small letters.", False),
        flag("whole", "Whether the expression has to match the whole answer.", False),
        flag("absent", "Whether it is right that nothing is found: a forbidden phrase.", False),
    ),
)
