"""Agreement of two raters, against figures from the literature and what must hold for any ratings."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from spanwise_collector.means.agreement import Agreement, of_labels, of_values
from spanwise_collector.means.gate import gate_of, gate_words
from spanwise_collector.stats.arrays import Floats


def table(yes_yes: int, yes_no: int, no_yes: int, no_no: int) -> tuple[Floats, Floats]:
    """Ratings with these counts."""
    a = np.array([1.0] * (yes_yes + yes_no) + [0.0] * (no_yes + no_no))
    b = np.array([1.0] * yes_yes + [0.0] * yes_no + [1.0] * no_yes + [0.0] * no_no)
    return a, b


def test_kappa_of_a_known_table() -> None:
    """Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, table 18.1: kappa .676, s.e. .0873."""
    words = ("psychotic", "neurotic", "organic")
    counts = ((75, 1, 4), (5, 4, 1), (0, 0, 10))
    pairs = [(a, b) for i, a in enumerate(words) for j, b in enumerate(words) for _ in range(counts[i][j])]
    found = of_labels([a for a, _ in pairs], [b for _, b in pairs])

    assert (found.n, found.agreed) == pytest.approx((100, 0.89))
    assert found.kappa == pytest.approx(0.676, abs=0.001)
    assert found.low is not None
    assert found.high is not None
    # 1.98 standard errors each way on Fisher's scale are .17 and less together than on the plain one.
    assert (found.low, found.high) == pytest.approx((0.46, 0.82), abs=0.02)


def test_yes_and_no_are_two_labels() -> None:
    """Numbers and words have the same kappa and interval."""
    a, b = table(20, 5, 10, 15)
    found = of_values(a, b)

    assert found.kappa == pytest.approx(0.4)
    assert found == of_labels([str(one) for one in a], [str(one) for one in b])


def test_graded_scores_have_lins_concordance() -> None:
    """Twice the covariance over the variances and the squared shift: a constant shift costs agreement."""
    rng = np.random.default_rng(1)
    a = rng.random(400)
    b = np.clip(a + rng.normal(0, 0.1, 400), 0, 1)
    found, shifted = of_values(a, b), of_values(a, b + 0.3)

    expected = 2 * np.cov(a, b, bias=True)[0, 1] / (a.var() + b.var() + (a.mean() - b.mean()) ** 2)
    assert found.kappa == pytest.approx(expected)
    assert found.low is not None
    assert found.high is not None
    assert found.low < expected < found.high
    assert found.high - found.low < 0.06
    assert shifted.kappa is not None
    assert shifted.kappa < 0.7


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([], [], Agreement(0, None, None, None, None)),
        ([1.0], [1.0], Agreement(1, 1.0, None, None, None)),
        ([1.0, 1.0], [1.0, 1.0], Agreement(2, 1.0, None, None, None)),
        ([0.5, 0.5], [0.5, 0.5], Agreement(2, 1.0, None, None, None)),
        ([0.2, 0.9], [0.2, 0.9], Agreement(2, 1.0, 1.0, None, None)),
        ([1.0, np.nan], [np.nan, 1.0], Agreement(0, None, None, None, None)),
    ],
)
def test_where_kappa_is_not_known_it_is_not_given(a: list[float], b: list[float], expected: Agreement) -> None:
    """Too few, or both said one and the same: a judge that always says yes would look the same."""
    assert of_values(np.array(a), np.array(b)) == expected


def test_complete_agreement_is_not_certainty() -> None:
    """Ten labels without a disagreement leave room for a kappa of .45."""
    found = of_values(*table(5, 0, 0, 5))

    assert (found.kappa, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.445, abs=0.01)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=60))
def test_kappa_is_symmetric_and_inside_its_interval(pairs: list[tuple[bool, bool]]) -> None:
    """For any ratings."""
    a, b = (np.array(one, dtype=float) for one in zip(*pairs, strict=True))
    found, turned = of_values(a, b), of_values(b, a)
    assert found.kappa == (pytest.approx(turned.kappa) if turned.kappa is not None else None)
    assume(found.kappa is not None and found.low is not None and found.high is not None)
    assert found.kappa is not None
    assert found.low is not None
    assert found.high is not None
    assert -1 <= found.low <= found.kappa + 1e-9
    assert found.kappa - 1e-9 <= found.high <= 1 + 1e-9


@pytest.mark.parametrize(
    ("counts", "gate", "words"),
    [
        ((24, 0, 0, 25), "unknown", "Not known yet: people have labelled 49 of the 50 answers that are needed."),
        ((60, 0, 0, 0), "unknown", "Not known yet: of 60 labelled answers judge and people said one and the same"),
        ((20, 11, 11, 22), "held", "Not trusted: kappa 0.31 with 64 labels is below 0.4; it may not raise alerts."),
        ((25, 8, 7, 24), "weak", "Agrees with people only moderately: kappa 0.53 with 64 labels."),
        ((30, 3, 3, 28), "trusted", "Agrees with people: kappa 0.81 with 64 labels."),
    ],
)
def test_the_gate(counts: tuple[int, int, int, int], gate: str, words: str) -> None:
    """Below .4 held, below .6 weak, with fewer than 50 labels or without a kappa not known; each in words."""
    found = of_values(*table(*counts))

    assert gate_of(found) == gate
    assert gate_words(found).startswith(words)
