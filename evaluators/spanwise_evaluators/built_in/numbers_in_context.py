"""Share of the answer's numbers that stand in the retrieved documents, or in the question.

The first thing to look at in answers from documents: an invented price or deadline is an error that costs. A number
counts as found when a document has its value or a value that rounds to it (12 % for 0.118, 1.2 million for
1,234,567), whatever the separators; number words and months of English count as numbers of the document. Numbers of
lists, citations and names (`GPT-4`, `v2.1`) are not looked at. What an answer computed (a sum, a difference) is not
in the documents and counts as not found: read the explanation. `ignore_up_to` leaves out small whole numbers without
unit ("three ways").

Does not apply without documents, and to answers without numbers.
"""

from functools import partial
from typing import Final

from spanwise_evaluators.definition import Definition
from spanwise_evaluators.model import Sample, Verdict
from spanwise_evaluators.parameters import whole
from spanwise_evaluators.reading.numbers import Number, claimed, unknown
from spanwise_evaluators.reading.short import short

_SHOWN: Final = 10


def numbers_in_context(sample: Sample, *, ignore_up_to: int) -> Verdict | None:
    """How many of the output's numbers are found."""
    if not sample.context:
        return None
    stated = [one for one in claimed(sample.output) if not _is_small(one, ignore_up_to)]
    if not stated:
        return None
    missing = unknown(stated, [*(document.text for document in sample.context), sample.input])
    told = f"not found: {', '.join(short(one.text) for one in missing[:_SHOWN])}" if missing else ""
    return Verdict(1 - len(missing) / len(stated), "not_found" if missing else "", told)


def _is_small(number: Number, most: int) -> bool:
    return number.text.isdecimal() and int(number.text) <= most


DEFINITION: Final = Definition(
    name="numbers_in_context",
    revision=1,
    reads=frozenset({"input", "output", "context"}),
    prepare=lambda **given: partial(numbers_in_context, **given),
    parameters=(whole("ignore_up_to", "Whole numbers without unit up to this are not looked at.", 0),),
)
