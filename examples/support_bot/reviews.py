"""What a judge and two reviewers would have said of the history's answers, with the truth known to whoever made it up.

The judge scores a fifth of the answers and is too kind: it passes some that people would not. Reviewers look at a share
of what it judged, so that the Evals page has something to correct it by.
"""

from collections.abc import Iterator
from hashlib import sha256
from random import Random
from typing import Final

from examples.support_bot.made import MadeScore

NAME: Final = "helpful"
JUDGE: Final = "helpful-judge"
RUBRIC: Final = "r2"
REVIEWERS: Final = ("ada", "grace")
JUDGED: Final = 0.2
REVIEWED: Final = 0.2
"""Of what is judged."""
_USUALLY_GOOD: Final = 0.86
_SEES_GOOD: Final = 0.97
_MISSES_BAD: Final = 0.4
_REASONS: Final = {
    True: "The answer says what was asked and keeps to the articles.",
    False: "The customer still does not know what to do.",
}


def reviews(trace_id: bytes, *, declined: bool, time_ns: int, until_ns: int) -> Iterator[MadeScore]:
    """Scores of one answer; a function of its trace alone, so that the rest of the history stays as it was.

    Args:
        trace_id: of the answer.
        declined: the model refused, which helps nobody.
        time_ns: when it was answered.
        until_ns: the history's end; nothing is later.
    """
    random = Random(trace_id)
    if random.random() >= JUDGED:
        return
    good = not declined and random.random() < _USUALLY_GOOD
    passed = random.random() < (_SEES_GOOD if good else _MISSES_BAD)
    yield _verdict(trace_id, passed, "llm", JUDGE, RUBRIC, min(time_ns + int(9e9), until_ns), JUDGED)
    if random.random() < REVIEWED:
        reviewer = random.choice(REVIEWERS)
        hours = int(random.uniform(1, 30) * 3_600e9)
        yield _verdict(trace_id, good, "human", reviewer, "", min(time_ns + hours, until_ns), REVIEWED)


def _verdict(
    trace_id: bytes, passed: bool, source: str, evaluator: str, version: str, time_ns: int, inclusion: float
) -> MadeScore:
    name = f"{trace_id.hex()}{NAME}{evaluator}{version}"
    return MadeScore(
        score_id=sha256(name.encode()).hexdigest()[:32],
        name=NAME,
        value=float(passed),
        label="pass" if passed else "fail",
        source=source,
        time_ns=time_ns,
        evaluator=evaluator,
        version=version,
        explanation=_REASONS[passed],
        inclusion=inclusion,
        stratum="random",
    )
