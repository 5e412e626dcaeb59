"""Whether the answer is one: not a refusal, no "I can't", no "I don't know".

The label says which sort of non-answer it is: `policy` (the model declines), `capability` (it says that it cannot),
`missing_info` (it says that it does not know), or `empty`. Looked at are the first 300 characters and only what the
model says of itself; in other languages than English only the usual first words are known. `allowed` takes sorts that
are right: an assistant that answers from documents should say when they have no answer. Does not apply to answers
that are only tool calls.
"""

from collections.abc import Collection
from functools import partial
from typing import Final

from spanwise_evaluators.definition import Definition, yes_or_no
from spanwise_evaluators.model import Sample, Verdict
from spanwise_evaluators.parameters import choices
from spanwise_evaluators.reading.json_answers import begins_json
from spanwise_evaluators.reading.refusals import HEAD, refusal
from spanwise_evaluators.reading.short import short

_SORTS: Final = ("policy", "capability", "missing_info", "empty")


def not_refused(sample: Sample, *, allowed: Collection[str]) -> Verdict | None:
    """Whether the output answers."""
    text = sample.output.lstrip()
    if not text and sample.tool_calls:
        return None
    sort = "empty" if not text else "" if begins_json(text) else refusal(text)
    if not sort:
        return yes_or_no(True)
    return yes_or_no(sort in allowed, sort, f"it begins: {short(' '.join(text[:HEAD].split()))!r}" if text else "")


DEFINITION: Final = Definition(
    name="not_refused",
    revision=1,
    reads=frozenset({"output", "tool_calls"}),
    prepare=lambda **given: partial(not_refused, **given),
    parameters=(choices("allowed", "Sorts that count as an answer.", _SORTS, []),),
)
