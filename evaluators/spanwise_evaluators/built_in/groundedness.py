"""Share of the answer's content that stands in the retrieved documents, word for word.

Content words (no function words, none of up to three letters, English plurals as singular, Chinese, Japanese and
Korean as pairs of characters) that occur in any of the documents, out of all content words of the answer; with `n` of
2 or more, runs of so many content words, which is stricter (ROUGE-n precision, Lin 2004). The explanation quotes the
sentence that is covered least. Numbers are left to `numbers_in_context`.

It compares words, not meanings: a faithful paraphrase is scored low, a false combination of true words high. Use it
to rank answers, to watch a trend, and to choose what a judge or a reviewer should see; do not read 0.7 as "70 %
true".

Does not apply without documents, and to answers without content words.
"""

from collections.abc import Hashable
from functools import partial
from typing import Any, Final

from spanwise_evaluators.definition import Definition
from spanwise_evaluators.model import Document, Sample, Verdict
from spanwise_evaluators.parameters import flag, whole
from spanwise_evaluators.reading.short import short
from spanwise_evaluators.reading.words import content_runs, content_words, runs, sentences, unsaid


def groundedness(sample: Sample, *, n: int, with_input: bool) -> Verdict | None:
    """How much of the output is covered."""
    if not sample.context:
        return None
    documents = (*sample.context, Document(sample.input)) if with_input else sample.context
    said = [(one, found) for one in sentences(sample.output) if (found := runs(content_words(one), n))]
    missing = set[Hashable]().union(*(found for _, found in said))
    for document in documents:
        if missing:
            missing = _not_in(document.text, missing, n)
    covered = total = 0
    weakest, least = "", 1.0
    for sentence, found in said:
        known = sum(run not in missing for run in found)
        covered, total = covered + known, total + len(found)
        if known / len(found) < least:
            weakest, least = sentence, known / len(found)
    if not total:
        return None
    return Verdict(covered / total, "", f"{least:.0%} of: {short(weakest)}" if weakest else "")


def _not_in(text: str, of: set[Any], n: int) -> set[Any]:
    """Runs that a text does not have."""
    if n == 1:
        return unsaid(of, text)
    # A sentence with fewer words than n is one run, however short: so shorter runs have to be known, too.
    return of.difference(*(content_runs(text, size) for size in range(n, 0, -1)))


DEFINITION: Final = Definition(
    name="groundedness",
    revision=1,
    reads=frozenset({"input", "output", "context"}),
    prepare=lambda **given: partial(groundedness, **given),
    parameters=(
        whole("n", "Content words in a run.", 1, least=1),
        flag("with_input", "Whether words of the question count as known.", True),
    ),
)
