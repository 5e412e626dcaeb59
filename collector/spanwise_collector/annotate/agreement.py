"""How often two people say the same of one item. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from spanwise_schemas.api_annotations import Agreement, Question

Said = Mapping[str, bool | float | str]
"""Answers of one person, by name of the question."""


def agreements(questions: Sequence[Question], pairs: Iterable[tuple[Said, Said]]) -> list[Agreement]:
    """The agreement on each question that two people have answered of one item at least once.

    Args:
        questions: of the queue.
        pairs: what two people said of each item.
    """
    both = list(pairs)
    found = []
    for question in questions:
        said = [
            (one[question.name], two[question.name])
            for one, two in both
            if question.name in one and question.name in two
        ]
        if said:
            agreed = sum(first == second for first, second in said)
            kappa = None if question.kind == "number" else kappa_of(said)
            found.append(Agreement(name=question.name, pairs=len(said), agreed=agreed, kappa=kappa))
    return found


def kappa_of(pairs: Sequence[tuple[object, object]]) -> float | None:
    """Agreement beyond chance: (observed - expected) / (1 - expected), from -1 to 1.

    Which of the two is first means nothing here, since other people meet at each item, so expected agreement is that of
    the pooled answers: Scott (1955), Reliability of content analysis.

    Args:
        pairs: two answers to each item; at least one pair.

    Returns:
        None where all answers are alike, so that there is nothing to agree on.
    """
    pooled = Counter(answer for pair in pairs for answer in pair)
    expected = sum((count / (2 * len(pairs))) ** 2 for count in pooled.values())
    if expected == 1:
        return None
    observed = sum(first == second for first, second in pairs) / len(pairs)
    return (observed - expected) / (1 - expected)
