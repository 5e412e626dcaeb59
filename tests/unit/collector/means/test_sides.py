"""Two sides by a judge's score: people set right a judge that drifts; sessions count once; both sides or neither."""

import numpy as np
import pytest

from spanwise_collector.experiments.compare import Wanted, compare_means
from spanwise_collector.means.corrected import Labels, Targets, correct
from spanwise_collector.means.sides import SideMean, beside, side_mean
from spanwise_collector.means.sums import Sums
from spanwise_collector.stats.arrays import Floats
from spanwise_schemas.api_experiments import ComparedMetric

JUDGE = frozenset({("judge", "1")})


def side(
    rng: np.random.Generator,
    truth: float,
    hits: float,
    *,
    labels: int = 200,
    unequal: bool = False,
    answers: int = 1_500,
) -> SideMean:
    """A release: what people would say yes to, of which the judge sees a share; it sees nine of ten bad ones.

    With unequal chances good answers are judged half as often as bad ones, and the chance is stored.
    """
    y = (rng.random(answers) < truth).astype(float)
    chances = np.where(y == 1, 0.5, 1.0) if unequal else np.ones(answers)
    seen = rng.random(answers) < chances
    y, chances = y[seen], chances[seen]
    f = np.where(y == 1, rng.random(y.size) < hits, rng.random(y.size) < 0.1).astype(float)
    asked = rng.random(y.size) < labels / y.size
    people = np.where(asked, y, np.nan)
    return side_mean(f, chances, np.arange(y.size), people, np.where(asked, labels / y.size, 0.0), JUDGE)


def told(a: SideMean, b: SideMean, held: str = "", margin: float = 0.02) -> ComparedMetric:
    """How the two compare."""
    metrics, _ = compare_means({"helpful": a}, {"helpful": b}, {"helpful": held} if held else {}, Wanted((), margin))
    return metrics[0]


@pytest.mark.parametrize("unequal", [False, True], ids=["equal chances", "unequal chances"])
def test_a_judge_that_became_stricter_is_no_regression(unequal: bool) -> None:
    """Its own means prove one nearly always; the corrected ones in about one of twenty, better and worse together."""
    rng = np.random.default_rng(11)
    raw = fixed = holds = 0
    for _ in range(200):
        a, b = side(rng, 0.8, 0.97, unequal=unequal), side(rng, 0.8, 0.8, unequal=unequal)
        found = told(a, b)
        assert found.low is not None
        assert found.high is not None
        fixed += found.verdict in ("worse", "better")
        holds += found.low <= 0 <= found.high
        raw += told(SideMean(a.raw), SideMean(b.raw)).verdict == "worse"

    assert raw > 190
    assert fixed <= 20
    assert holds >= 180


def test_a_regression_that_a_milder_judge_hides_is_found() -> None:
    """The judge's own means rise; what people say falls by 20 points."""
    rng = np.random.default_rng(12)
    found = [told(side(rng, 0.8, 0.7), side(rng, 0.6, 0.99)) for _ in range(50)]

    assert sum(one.verdict == "worse" for one in found) >= 48
    assert np.mean([one.difference for one in found]) == pytest.approx(-0.2, abs=0.02)
    assert all(one.correction is not None and one.correction.corrected for one in found)
    assert all((one.correction.raw_b or 0) > (one.correction.raw_a or 0) for one in found if one.correction)


def test_so_many_labels_as_it_says_decide() -> None:
    """With about as many more labels and answers as it asks for, the same difference is found in four of five tries."""
    rng = np.random.default_rng(13)
    few = [told(side(rng, 0.85, 0.95, labels=60, answers=600), side(rng, 0.75, 0.95, labels=60, answers=600))]
    while few[-1].verdict != "inconclusive" or abs(few[-1].difference + 0.1) > 0.02:
        few.append(told(side(rng, 0.85, 0.95, labels=60, answers=600), side(rng, 0.75, 0.95, labels=60, answers=600)))
    asked = few[-1]
    assert asked.more_items is not None
    assert asked.words == f"inconclusive, about {asked.more_items:,} more labels needed"

    labels = 60 + asked.more_items
    more = [
        told(
            side(rng, 0.85, 0.95, labels=labels, answers=10 * labels),
            side(rng, 0.75, 0.95, labels=labels, answers=10 * labels),
        )
        for _ in range(60)
    ]
    assert 0.6 < np.mean([one.verdict == "worse" for one in more]) <= 1


def test_a_judge_below_the_limit_proves_nothing() -> None:
    """Not a regression, not an improvement, not that there is no difference; the words say why."""
    rng = np.random.default_rng(14)
    good, bad = side(rng, 0.9, 0.95), side(rng, 0.4, 0.95)
    assert told(good, bad).verdict == "worse"
    for pair in ((good, bad), (bad, good), (good, good)):
        found = told(*pair, held="judge 1: kappa 0.31 with 64 labels is below 0.4", margin=0.3)
        assert (found.verdict, found.more_items) == ("inconclusive", None)
        assert found.words == "inconclusive, the judge is not trusted (judge 1: kappa 0.31 with 64 labels is below 0.4)"


def test_both_sides_are_corrected_or_neither() -> None:
    """People's mean of one beside the judge's of the other would be the judge's error."""
    rng = np.random.default_rng(15)
    labelled, bare = side(rng, 0.8, 0.7), side(rng, 0.8, 0.7, labels=0)
    found = beside(labelled, bare)

    assert found is not None
    assert found.correction is not None
    assert (found.a, found.b, found.correction.corrected) == (labelled.raw, bare.raw, False)
    assert found.correction.words.startswith("not corrected: ")
    assert beside(bare, bare) == beside(bare, bare, "")
    nothing = beside(bare, bare)
    assert nothing is not None
    assert nothing.correction is not None
    assert nothing.correction.words == "not corrected: no labels"
    assert beside(labelled, None) is None


def test_scores_of_code_are_never_corrected() -> None:
    """Whatever people say of the same targets."""
    ones = np.ones(100)
    found = side_mean(np.tile([0.0, 1.0], 50), ones, np.arange(100), ones, ones, frozenset())

    assert (found.corrected, found.labels) == (None, 0)
    both = beside(found, found)
    assert both is not None
    assert both.correction is None


def test_labels_that_are_all_the_same_prove_nothing_for_certain() -> None:
    """Graded labels without any spread have no interval; yes and no have Wilson's."""
    ones, places = np.ones(60), np.arange(60)
    graded = side_mean(np.linspace(0, 1, 60), ones, places, np.full(60, 0.7), ones, JUDGE)
    yes = side_mean(np.tile([0.0, 1.0], 30), ones, places, ones, ones, JUDGE)

    assert graded.corrected is not None
    assert graded.corrected.error == np.inf
    assert (told(graded, graded).verdict, told(graded, graded).low) == ("inconclusive", None)
    assert yes.corrected is not None
    assert 0.01 < yes.corrected.error < 0.05


def drawn(seed: int, n: int = 400) -> tuple[Floats, Floats, Floats, np.ndarray]:
    """People's and the judge's scores, chances of being judged, and who was labelled."""
    rng = np.random.default_rng(seed)
    y = rng.beta(5, 2, n)
    f = np.clip(0.7 * y + 0.3 * rng.random(n), 0, 1)
    return y, f, rng.choice([0.4, 1.0], n), rng.random(n) < 0.25


def test_clusters_of_one_change_nothing() -> None:
    """The same estimate, power and interval as without."""
    y, f, chances, asked = drawn(1)
    places = np.arange(y.size)
    plain = Labels(y[asked], f[asked], chances[asked] / 4, chances[asked])
    placed = Labels(y[asked], f[asked], chances[asked] / 4, chances[asked], places[asked])
    one, other = correct(Sums.of(f, chances), plain), correct(Sums.of(f, chances), placed, Targets(f, chances, places))

    assert (other.estimate.mean, other.power) == pytest.approx((one.estimate.mean, one.power))
    assert (other.estimate.width, other.error) == pytest.approx((one.estimate.width, one.error))


def test_answers_of_a_session_that_are_all_alike_count_once() -> None:
    """Four copies of each in its session are as sure as one of each; without sessions they would seem twice as sure."""
    y, f, chances, asked = drawn(2)
    places = np.arange(y.size)
    once = correct(
        Sums.of(f, chances),
        Labels(y[asked], f[asked], chances[asked] / 4, chances[asked], places[asked]),
        Targets(f, chances, places),
    )
    y, f, chances, asked, places = (np.repeat(one, 4) for one in (y, f, chances, asked, places))
    labels = Labels(y[asked], f[asked], chances[asked] / 4, chances[asked], places[asked])
    together = correct(Sums.of(f, chances), labels, Targets(f, chances, places))
    apart = correct(Sums.of(f, chances), labels)

    assert together.estimate.mean == pytest.approx(once.estimate.mean, abs=1e-3)
    assert together.error == pytest.approx(once.error, rel=0.03)
    assert apart.error == pytest.approx(once.error / 2, rel=0.05)
