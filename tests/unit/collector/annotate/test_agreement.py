"""Agreement of two reviewers."""

import pytest

from spanwise_collector.annotate.agreement import Said, agreements, kappa_of
from spanwise_schemas.api_annotations import Agreement, Question

YES_NO = Question(name="correct")
NUMBER = Question(name="tone", kind="number", minimum=1, maximum=5)


def test_only_what_both_answered_counts() -> None:
    """A question that one of them left out is no pair; one that nobody answered twice is not told."""
    pairs: list[tuple[Said, Said]] = [
        ({"correct": True, "tone": 3.0}, {"correct": True}),
        ({"correct": True}, {"correct": False}),
    ]

    # 3 of 4 answers are yes: expected .75² + .25² = .625; (.5 - .625) / .375.
    assert [one.model_dump() for one in agreements([YES_NO, NUMBER], pairs)] == [
        {"name": "correct", "pairs": 2, "agreed": 1, "kappa": pytest.approx(-1 / 3)}
    ]


def test_numbers_have_no_kappa() -> None:
    """They agree where they are the same."""
    assert agreements([NUMBER], [({"tone": 3}, {"tone": 3.0}), ({"tone": 1}, {"tone": 2})]) == [
        Agreement(name="tone", pairs=2, agreed=1, kappa=None)
    ]


@pytest.mark.parametrize(
    ("pairs", "kappa"),
    [
        ([(1, 1), (0, 0)], 1.0),
        ([(1, 0), (0, 1)], -1.0),
        # 70 of 100 alike; 110 of 200 answers are yes: expected .55² + .45² = .505; (.7 - .505) / .495.
        ([(1, 1)] * 40 + [(0, 0)] * 30 + [(1, 0)] * 18 + [(0, 1)] * 12, 0.195 / 0.495),
        ([(1, 1)] * 5, None),
    ],
)
def test_kappa(pairs: list[tuple[int, int]], kappa: float | None) -> None:
    """Beyond chance: 1 where all agree, none where all answers are alike; computed by hand between."""
    found = kappa_of(pairs)

    assert found == (None if kappa is None else pytest.approx(kappa))
