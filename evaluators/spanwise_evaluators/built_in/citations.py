"""Share of the answer's citations that lead to a retrieved document.

Citations are `[1]`, `[2, 3]`, `[1-3]`, `[^1]`, `【1†source】` with a document's number (from 1, in the order of
retrieval), a document's id in brackets, and `[doc-7]`, `[source 2]` and the like. With `support` above 0 the cited
document also has to have at least that share of the content words of the sentence that cites it. The explanation
lists those that fail.

With `required`, an answer of at least one sentence without any citation is scored 0 (`uncited`); else the evaluator
does not apply to it. Does not apply without documents.
"""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from spanwise_evaluators.definition import NO, Definition
from spanwise_evaluators.model import Document, Sample, Verdict
from spanwise_evaluators.parameters import flag, number
from spanwise_evaluators.reading.short import short
from spanwise_evaluators.reading.words import content_words, sentences, unsaid

MAX_CITATIONS: Final = 1_000
"""Citations of an answer that are looked at."""
_MAX_RANGE: Final = 50
_BRACKETS: Final = re.compile(r"\[\^?([^\[\]\n]{1,120})\](?!\()|\u3010([^\u3011\n]{1,120})\u3011")
_RANGE: Final = re.compile(r"([0-9]{1,4})\s?[-\u2013]\s?([0-9]{1,4})")
_NUMBER: Final = re.compile(r"([0-9]{1,4})(?:\s?[\u2020:].*)?")
_NAMED: Final = re.compile(r"(?i:doc(?:ument)?|source|ref(?:erence)?)[ _#:-]{0,2}([\w.-]{1,80})")


def citations(sample: Sample, *, required: bool, support: float) -> Verdict | None:
    """How many citations are right."""
    if not sample.context:
        return None
    documents = _by_name(sample.context)
    failed: list[str] = []
    count = 0
    for sentence in sentences(sample.output):
        for cited in _cited(sentence, documents):
            count += 1
            document = documents.get(cited)
            if document is None:
                failed.append(f"[{short(cited)}] is no document")
            elif support and not _is_supported(sentence, document, support):
                failed.append(f"[{short(cited)}] does not say: {short(sentence)}")
            if count >= MAX_CITATIONS:
                break
    if not count:
        return Verdict(NO, "uncited") if required and sample.output.strip() else None
    return Verdict(1 - len(failed) / count, "wrong" if failed else "", "; ".join(failed[:5]))


def _by_name(context: tuple[Document, ...]) -> Mapping[str, Document]:
    found = {str(position): document for position, document in enumerate(context, 1)}
    return found | {document.id.casefold(): document for document in context if document.id}


def _cited(sentence: str, documents: Mapping[str, Document]) -> Iterator[str]:
    """Names of cited documents, as `documents` has them; of unknown ones, as they stand."""
    for inside, wide in _BRACKETS.findall(sentence):
        whole = (inside or wide).strip()
        if whole.casefold() in documents:
            yield whole.casefold()
            continue
        for part in re.split(r"[,;]", whole):
            yield from _one(part.strip(), documents)


def _one(part: str, documents: Mapping[str, Document]) -> Iterator[str]:
    name = part.removeprefix("^").casefold()
    if name in documents:
        yield name
    elif (span := _RANGE.fullmatch(name)) is not None:
        first, last = int(span[1]), int(span[2])
        if first <= last < first + _MAX_RANGE:
            yield from map(str, range(first, last + 1))
        else:
            yield name
    elif (numbered := _NUMBER.fullmatch(name)) is not None:
        yield numbered[1].lstrip("0") or "0"
    elif (named := _NAMED.fullmatch(name)) is not None:
        yield named[1] if named[1] in documents else name


def _is_supported(sentence: str, document: Document, least: float) -> bool:
    said = set(content_words(_BRACKETS.sub(" ", sentence)))
    return not said or 1 - len(unsaid(said, document.text)) / len(said) >= least


DEFINITION: Final = Definition(
    name="citations",
    revision=1,
    reads=frozenset({"output", "context"}),
    prepare=lambda **given: partial(citations, **given),
    parameters=(
        flag("required", "Whether an answer without citations is wrong.", False),
        number(
            "support",
            "Share of a sentence's content words that the cited document has to have; 0: not looked at.",
            0,
            above=-0.001,
            most=1,
        ),
    ),
)
