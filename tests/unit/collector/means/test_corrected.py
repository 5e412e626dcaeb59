"""A judge's mean corrected by people: the formula, its limits, and that it keeps what it promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.evals.coverage import run
from bench.evals.worlds import JUDGES, World
from spanwise_collector.means import corrected
from spanwise_collector.means.corrected import Labels, correct
from spanwise_collector.means.sums import Sums
from spanwise_collector.stats.arrays import Floats

BY_NAME = {judge.name: judge for judge in JUDGES}


def simple(y: Floats, f: Floats, chance: float = 0.1) -> Labels:
    """Labels of answers that were all judged and chosen with one chance."""
    return Labels(y, f, np.full(y.size, chance), np.ones(y.size))


def drawn(seed: int, n: int = 80, answers: int = 800) -> tuple[Floats, Floats, Floats]:
    """People's and the judge's graded scores of `n` answers, and the judge's of all others."""
    rng = np.random.default_rng(seed)
    y = rng.beta(5, 2, answers)
    f = np.clip(0.7 * y + 0.3 * rng.random(answers) + 0.05, 0, 1)
    return y[:n], f[:n], f[n:]


def test_without_caution_it_is_ppi(monkeypatch: pytest.MonkeyPatch) -> None:
    """Estimate and interval are those of PPI++ (arXiv 2311.01453, written out here), up to small samples."""
    monkeypatch.setattr(corrected, "GRADED_CAUTION", 0.0)
    y, f, rest = drawn(1)
    n, others = y.size, rest.size
    power = np.cov(y, f, bias=True)[0, 1] / ((1 + n / others) * np.concatenate([f, rest]).var())
    mean = power * rest.mean() + (y - power * f).mean()
    error = np.sqrt((y - power * f).var() / n + power**2 * rest.var() / others)

    found = correct(Sums.of(np.concatenate([f, rest])), simple(y, f))

    assert found.estimate.mean == pytest.approx(mean, abs=0.002)
    assert found.estimate.width == pytest.approx(2 * 1.99 * error, rel=0.03)


def test_it_lies_between_the_judge_and_people() -> None:
    """A judge that is too kind by .2 and otherwise right: the corrected mean is people's, far surer."""
    rng = np.random.default_rng(2)
    y = rng.normal(0.5, 0.1, 5_000)
    f = y + 0.2 + rng.normal(0, 0.02, y.size)

    found = correct(Sums.of(f), simple(y[:100], f[:100], 0.02))

    assert found.estimate.mean == pytest.approx(y.mean(), abs=0.01)
    assert found.power == pytest.approx(1, abs=0.05)
    assert found.gain > 10


@pytest.mark.parametrize("judge", ["useless", "lenient"])
@pytest.mark.parametrize("scale", ["yes/no", "graded"])
def test_it_is_never_less_sure_than_people_alone(scale: str, judge: str) -> None:
    """Whatever the judge says; where it says nothing the power is near 0."""
    for seed in range(50):
        made = World(scale, 0.8, BY_NAME[judge], 60, unequal=bool(seed % 2)).draw(np.random.default_rng(seed))  # type: ignore[arg-type]
        found = correct(made.judge, made.labels)
        assert found.estimate.width <= found.people.width * 1.02
        assert judge != "useless" or found.power < 0.35


def test_a_judge_that_has_not_been_wrong_yet_is_not_taken_to_be_always_right() -> None:
    """50 labels without a disagreement: the interval is wider than what 4,000 answers alone would give."""
    rng = np.random.default_rng(3)
    f = (rng.random(4_000) < 0.8).astype(float)
    found = correct(Sums.of(f), simple(f[:50], f[:50], 50 / 4_000))

    assert 0.05 < found.estimate.width < found.people.width


def test_without_labels_nothing_is_said() -> None:
    """No mean, no power."""
    none = np.zeros(0)
    found = correct(Sums.of([0.5, 0.7]), simple(none, none))

    assert (found.estimate.mean, found.people.mean, found.power, found.gain) == (None, None, 0.0, 1.0)


def test_with_one_label_or_one_score_there_is_no_correction() -> None:
    """The label alone counts; its interval is the whole scale, or for graded scores none."""
    one = correct(Sums.of([0.0, 1.0, 1.0]), simple(np.array([1.0]), np.array([1.0])))
    graded = correct(Sums.of([0.2]), simple(np.array([0.3, 0.5]), np.array([0.2, 0.2])))

    assert (one.estimate, one.power) == (one.people, 0.0)
    assert (one.estimate.mean, one.estimate.low, one.estimate.high) == (1.0, 0.0, 1.0)
    assert (graded.estimate.mean, graded.power) == pytest.approx((0.4, 0.0))


def test_labels_that_are_all_the_same_leave_the_judge_aside() -> None:
    """Nothing is known of what the judge's differences mean, and Wilson's interval says how little."""
    found = correct(Sums.of([0.0, 1.0] * 50), simple(np.ones(30), np.array([0.0, 1.0] * 15)))

    assert (found.estimate.mean, found.power) == (1.0, 0.0)
    assert found.estimate.low is not None
    assert 0.8 < found.estimate.low < 0.9


def test_missing_values_and_unknown_chances_are_left_out() -> None:
    """They change nothing."""
    y, f, rest = drawn(4, 60)
    judge = Sums.of(np.concatenate([f, rest]))
    more = Labels(
        np.append(y, [np.nan, 0.1, 0.9]),
        np.append(f, [0.5, np.inf, 0.5]),
        np.append(np.full(60, 0.1), [0.1, 0.1, 0.0]),
        np.ones(63),
    )

    assert correct(judge, more) == correct(judge, simple(y, f))


@given(st.integers(0, 10_000), st.floats(0.05, 1))
def test_one_chance_for_all_does_not_matter(seed: int, chance: float) -> None:
    """Only differences between chances do."""
    y, f, rest = drawn(seed, 40, 200)
    judge = Sums.of(np.concatenate([f, rest]))
    one, other = correct(judge, simple(y, f, chance)), correct(judge, simple(y, f, 1.0))

    assert one.estimate.mean == pytest.approx(other.estimate.mean)
    assert one.estimate.width == pytest.approx(other.estimate.width)


@pytest.mark.parametrize("unequal", [False, True], ids=["equal chances", "unequal chances"])
@pytest.mark.parametrize("judge", ["good", "lenient", "useless"])
@pytest.mark.parametrize("scale", ["yes/no", "graded"])
def test_intervals_hold_the_truth(scale: str, judge: str, unequal: bool) -> None:
    """In about 95 of 100 cases with 100 labels, where the judge's own intervals hold it almost never.

    Of 600 draws 3.3 standard errors are 3 points, on top of the 93 to 97 that `bench.evals` measures.
    """
    cell = run(World(scale, 0.8, BY_NAME[judge], 100, unequal), 600, (5, 1), None)  # type: ignore[arg-type]

    assert 0.91 < cell.corrected.coverage < 0.98
    assert cell.judge.coverage < 0.3
