"""Which targets are chosen, and whether the probability that is told is the true one."""

from datetime import timedelta
from math import isclose, sqrt

from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.annotate.choosing import Candidate, choose, sources_of, target_text, unit
from spanwise_schemas.api_annotations import Question, Queue, QueueRule
from tests.support.rows import T0

ASKED = (Question(name="correct"),)
RULE = QueueRule(name="refused", failures=("refusal",), share=0.5)


def queue(**values: object) -> Queue:
    """A queue with a random share and one rule."""
    return Queue.model_validate({"name": "q", "questions": ASKED, "random_share": 0.1, "rules": (RULE,), **values})


def candidate(number: int, *, matches: bool, of: Queue | None = None, salt: str = "s") -> Candidate:
    """A whole trace as the store gives it."""
    trace = number.to_bytes(16, "big")
    units = tuple(unit(salt, name, target_text(trace, bytes(8))) for name, _ in sources_of(of or queue()))
    return Candidate(trace, bytes(8), T0 + timedelta(seconds=number), units, (True, *(matches for _ in units[1:])))


def test_the_probability_is_the_true_one() -> None:
    """Of 20,000 targets, half of which match the rule, as many are chosen as the probabilities add up to."""
    candidates = [candidate(number, matches=number % 2 == 0) for number in range(20_000)]

    chosen = choose("s", queue(), candidates, room=20_000)

    for matching, p in ((True, 1 - 0.9 * 0.5), (False, 0.1)):
        found = [one for one in chosen if one.candidate.matches[1] is matching]
        assert {round(one.inclusion_p, 9) for one in found} == {round(p, 9)}
        assert abs(len(found) - 10_000 * p) < 4 * sqrt(10_000 * p * (1 - p))


def test_inverse_weights_stand_for_everything() -> None:
    """Weighted by the inverse of the probability, what was chosen adds up to what there was, rule or no rule."""
    candidates = [candidate(number, matches=number % 10 == 0) for number in range(20_000)]

    chosen = choose("s", queue(random_share=0.2), candidates, room=20_000)

    weights = [1 / one.inclusion_p for one in chosen]
    assert isclose(sum(weights), 20_000, rel_tol=0.05)
    matching = [weight for weight, one in zip(weights, chosen, strict=True) if one.candidate.matches[1]]
    assert isclose(sum(matching) / sum(weights), 0.1, rel_tol=0.1)


def test_strata() -> None:
    """A target is of the first source that drew it."""
    both = Candidate(bytes(16), bytes(8), T0, (0.05, 0.1), (True, True))
    rule = Candidate(b"\1" * 16, bytes(8), T0, (0.9, 0.4), (True, True))
    none = Candidate(b"\2" * 16, bytes(8), T0, (0.9, 0.1), (True, False))

    chosen = choose("s", queue(), [both, rule, none], room=10)

    assert [(one.candidate, one.stratum) for one in chosen] == [(both, "random"), (rule, "rule:refused")]
    assert all(isclose(one.inclusion_p, 0.55) for one in chosen)


def test_a_full_queue_lowers_the_shares_and_says_so() -> None:
    """Where too many were drawn the shares are halved, and the probabilities with them."""
    candidates = [candidate(number, matches=False) for number in range(4_000)]

    chosen = choose("s", queue(), candidates, room=150)

    assert 0 < len(chosen) <= 150
    assert {round(one.inclusion_p, 9) for one in chosen} == {0.025}
    assert choose("s", queue(), candidates, room=0) == []


@given(
    numbers=st.lists(st.tuples(st.integers(0, 10**6), st.booleans()), unique_by=lambda one: one[0], max_size=60),
    room=st.integers(0, 40),
    share=st.floats(0.01, 1),
    data=st.data(),
)
def test_choosing_is_a_function_of_the_target(
    numbers: list[tuple[int, bool]], room: int, share: float, data: st.DataObject
) -> None:
    """The order of the candidates is no matter, no more than fit come, and each probability is possible."""
    asked = queue(random_share=share)
    candidates = [candidate(number, matches=match) for number, match in numbers]
    chosen = choose("s", asked, candidates, room)

    assert choose("s", asked, data.draw(st.permutations(candidates)), room) == chosen
    assert len(chosen) <= room
    assert all(0 < one.inclusion_p <= 1 and one.wanted in (1, 2) for one in chosen)
    if len(candidates) <= room and share == 1:
        assert len(chosen) == len(candidates)


def test_a_share_is_reviewed_twice() -> None:
    """A tenth by default, all or none where that is asked for; which ones does not hang on how they were chosen."""
    candidates = [candidate(number, matches=True) for number in range(2_000)]

    def twice(share: float) -> int:
        return sum(one.wanted == 2 for one in choose("s", queue(random_share=1, second_share=share), candidates, 2_000))

    assert (twice(0), twice(1)) == (0, 2_000)
    assert 140 < twice(0.1) < 260
