"""Which words texts have more, or less, often than before: log-odds with an informative Dirichlet prior.

Formula: Monroe, Colaresi and Quinn, "Fightin' Words" (2008), with the pooled texts as the prior, and texts that contain
a word in place of its occurrences, so that one long text counts once.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Final

TOP: Final = 10
MIN_TEXTS: Final = 3
MIN_Z: Final = 1.96
PRIOR: Final = 50.0
"""Weight of the prior, in words: what both sides share pulls their odds together by as much as so many words."""
JEFFREYS: Final = 0.5
"""What each word has besides, so that one that is new, or gone, has finite odds."""
_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?", re.UNICODE)
_WIDE: Final = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af]")
_MAX_LETTERS: Final = 40


@dataclass(frozen=True, slots=True)
class Word:
    """A word whose use moved.

    Attributes:
        word: in lower case; two characters where the script has no spaces.
        z: standardised log-odds ratio, above 0 where it is used more now.
        before: texts with it in the reference, in a thousand words.
        after: texts with it in the window, in a thousand words.
    """

    word: str
    z: float
    before: float
    after: float


def words(text: str) -> set[str]:
    """The different words of a text, in lower case, without numbers."""
    found: set[str] = set()
    for word in _WORD.findall(text.lower()):
        if _WIDE.search(word):
            found.update(word[at : at + 2] for at in range(max(1, len(word) - 1)))
        elif 1 < len(word) <= _MAX_LETTERS:
            found.add(word)
    return found


def moved_words(reference: Sequence[str], window: Sequence[str], *, top: int = TOP) -> tuple[list[Word], list[Word]]:
    """The words that are used more, and those that are used less, the most certain first.

    Args:
        reference: texts from before.
        window: texts from now.
        top: how many of each at most; only words with |z| >= `MIN_Z` in at least `MIN_TEXTS` texts.
    """
    before, after = _counts(reference), _counts(window)
    in_reference, in_window = sum(before.values()), sum(after.values())
    if not in_reference or not in_window:
        return [], []
    found = []
    vocabulary = before.keys() | after.keys()
    total = PRIOR + JEFFREYS * len(vocabulary)
    for word in vocabulary:
        old, new = before[word], after[word]
        if old + new < MIN_TEXTS:
            continue
        prior = JEFFREYS + PRIOR * (old + new) / (in_reference + in_window)
        odds_new = log((new + prior) / max(in_window + total - new - prior, JEFFREYS))
        odds_old = log((old + prior) / max(in_reference + total - old - prior, JEFFREYS))
        z = (odds_new - odds_old) / sqrt(1.0 / (new + prior) + 1.0 / (old + prior))
        if abs(z) >= MIN_Z:
            found.append(Word(word, z, 1000 * old / in_reference, 1000 * new / in_window))
    found.sort(key=lambda one: (-abs(one.z), one.word))
    return [one for one in found if one.z > 0][:top], [one for one in found if one.z < 0][:top]


def _counts(texts: Sequence[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(words(text))
    return counts
