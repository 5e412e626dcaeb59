"""Share of the names in the answer that stand in the retrieved documents, or in the question.

Names are found by their form, for texts in English and other languages that capitalise names alone (not German):
words with a capital inside a sentence, codes such as `ORD-1234`, web and mail addresses. A name counts as found when
a document has it, or has all its words. The explanation lists those that are not found.

Does not apply without documents, and to answers without names.
"""

from typing import Final

from spanwise_evaluators.definition import Definition
from spanwise_evaluators.model import Sample, Verdict
from spanwise_evaluators.reading.entities import claimed_entities, is_said
from spanwise_evaluators.reading.short import short

_SHOWN: Final = 10


def entities_in_context(sample: Sample) -> Verdict | None:
    """How many of the output's names are found."""
    if not sample.context:
        return None
    stated = claimed_entities(sample.output)
    if not stated:
        return None
    texts = [*(document.text for document in sample.context), sample.input]
    missing = [one for one in stated if not is_said(one, texts)]
    told = f"not found: {', '.join(short(one) for one in missing[:_SHOWN])}" if missing else ""
    return Verdict(1 - len(missing) / len(stated), "not_found" if missing else "", told)


DEFINITION: Final = Definition(
    name="entities_in_context",
    revision=1,
    reads=frozenset({"input", "output", "context"}),
    prepare=lambda: entities_in_context,
)
