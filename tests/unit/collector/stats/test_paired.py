"""Paired comparisons: what must hold for any data, and known answers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from spanwise_collector.stats.paired import bca, bonett_price, items_needed, mcnemar, paired, sign_flip
from spanwise_collector.stats.two_sample import two_sample, weighted_mean, wilson
from spanwise_collector.stats.verdicts import Evidence, rounded_up, verdict

VALUES = st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=2, max_size=40)


def rng() -> np.random.Generator:
    """The same in every test."""
    return np.random.default_rng(7)


@settings(max_examples=60)
@given(pairs=VALUES, shift=st.floats(-3, 3))
def test_what_holds_for_all_scores(pairs: list[tuple[float, float]], shift: float) -> None:
    """The interval has the difference inside; sides swapped, signs swap and the test says the same."""
    a, b = (np.array(side) for side in zip(*pairs, strict=True))
    found = paired(a, b, rng=rng(), draws=400)
    swapped = paired(b, a, rng=rng(), draws=400)
    moved = paired(a + shift, b + shift, rng=rng(), draws=400)

    assert found.low <= found.difference + 1e-9
    assert found.high >= found.difference - 1e-9
    assert 0 < found.p_value <= 1
    assert found.difference == pytest.approx(found.mean_b - found.mean_a, abs=1e-9)
    assert swapped.difference == pytest.approx(-found.difference, abs=1e-9)
    assert swapped.p_value == pytest.approx(found.p_value, abs=1e-9)
    assert moved.difference == pytest.approx(found.difference, abs=1e-6)


@settings(max_examples=60)
@given(sides=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=200))
def test_yes_and_no_are_tested_by_mcnemar(sides: list[tuple[bool, bool]]) -> None:
    """The p-value is the binomial one of the items that differ; the interval is never of length zero."""
    a, b = (np.array(side, dtype=float) for side in zip(*sides, strict=True))
    found = paired(a, b, rng=rng())
    gained, lost = sum(y > x for x, y in sides), sum(y < x for x, y in sides)

    assert found.method == "mcnemar"
    assert found.p_value == (stats.binomtest(lost, gained + lost).pvalue if gained + lost else 1.0)
    assert -1 <= found.low < found.high <= 1
    assert found.high - found.low > 1 / (len(sides) + 2)


def test_bca_is_that_of_scipy() -> None:
    """Apart from the wider tails, the interval is that of another implementation."""
    values = np.random.default_rng(3).exponential(size=400)
    mine = bca(values, np.ones(400), rng=np.random.default_rng(1), draws=20_000)
    theirs = stats.bootstrap(
        (values,), np.mean, method="BCa", n_resamples=20_000, rng=np.random.default_rng(2)
    ).confidence_interval

    assert mine == pytest.approx((theirs.low, theirs.high), abs=0.006)


def test_sign_flips_of_few_groups_are_all_tried() -> None:
    """Five differences of one sign: of 32 combinations two are as far out; more groups come close to the t-test."""
    assert sign_flip(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), rng=rng()) == 2 / 32
    values = np.random.default_rng(5).normal(0.2, 1, 100)
    assert sign_flip(values, rng=rng()) == pytest.approx(stats.ttest_1samp(values, 0).pvalue, abs=0.02)
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(9, 1) == pytest.approx(22 / 1024)


def test_items_of_one_group_count_as_one() -> None:
    """Every item repeated ten times in its group is no more evidence than once."""
    values = np.random.default_rng(9).normal(0.3, 1, 30)
    once = paired(np.zeros(30), values, rng=rng())
    often = paired(np.zeros(300), np.repeat(values, 10), np.repeat(np.arange(30), 10), rng=rng())
    naive = paired(np.zeros(300), np.repeat(values, 10), rng=rng())

    assert (often.groups, often.n) == (30, 300)
    assert (often.low, often.high) == pytest.approx((once.low, once.high), abs=0.02)
    assert often.p_value == pytest.approx(once.p_value, abs=0.02)
    assert naive.high - naive.low < 0.5 * (often.high - often.low)


def test_two_runs_that_are_the_same_prove_little_when_they_are_few() -> None:
    """Where no item differs, as many may differ unseen as fit; yes and no, and scores alike."""
    for a in (np.ones(5), np.full(5, 0.4)):
        found = paired(a, a, rng=rng())
        assert found.difference == 0
        assert found.high == -found.low
        assert found.high > 0.25
    many = paired(np.full(400, 0.4), np.full(400, 0.4), rng=rng())
    assert many.high == pytest.approx(1 - 0.025 ** (1 / 400))


def test_lists_that_do_not_fit_are_refused() -> None:
    """One item too few, or none."""
    for a, b in ((np.ones(2), np.ones(3)), (np.ones(0), np.ones(0))):
        with pytest.raises(ValueError, match="two lists of equal length"):
            paired(a, b, rng=rng())


@given(yes=st.integers(0, 200), no=st.integers(0, 200))
def test_shares_have_the_interval_of_scipy(yes: int, no: int) -> None:
    """Wilson's, without continuity correction."""
    if yes + no == 0:
        return
    theirs = stats.binomtest(yes, yes + no).proportion_ci(method="wilson")
    assert wilson(yes, yes + no) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_bonett_price_is_as_published() -> None:
    """The formula worked out by hand for 13 gained and 4 lost of 80."""
    up, down = 14 / 82, 5 / 82
    reach = 1.959964 * math.sqrt((up + down - (up - down) ** 2) / 82)
    assert bonett_price(13, 4, 80) == pytest.approx((up - down - reach, up - down + reach))


@given(difference=st.floats(-1, 1), spread=st.floats(0.01, 2), margin=st.floats(0, 0.5), n=st.integers(5, 5000))
def test_inconclusive_comes_with_a_number(difference: float, spread: float, margin: float, n: int) -> None:
    """Every evidence has one of four words; a count of further items is given where any number would do."""
    reach = 1.96 * spread / math.sqrt(n)
    p_value = float(2 * stats.norm.sf(abs(difference) / (spread / math.sqrt(n))))
    needed = items_needed(difference, spread, margin)
    word, more = verdict(Evidence(difference, difference - reach, difference + reach, p_value, n, needed, margin))

    if word == "inconclusive":
        assert (more is None) == (needed is None)
        assert more is None or more >= 1
    else:
        assert more is None
        assert word == "no_difference" or (word == "better") == (difference > 0)


def test_the_words() -> None:
    """One example of each; a difference within the margin does not matter, even where it is certain."""

    def said(difference: float, low: float, high: float, p: float, n: int = 100, **more: bool) -> object:
        return verdict(Evidence(difference, low, high, p, n, 470, 0.02, **more))

    assert said(0.1, 0.05, 0.15, 0.001) == ("better", None)
    assert said(-0.1, -0.15, -0.05, 0.001) == ("worse", None)
    assert said(-0.1, -0.15, -0.05, 0.001, higher_is_better=False) == ("better", None)
    assert said(-0.1, -0.15, -0.05, 0.06) == ("inconclusive", 370)
    assert said(0.01, 0.005, 0.015, 0.001) == ("no_difference", None)
    assert said(0.03, -0.05, 0.11, 0.4) == ("inconclusive", 370)
    assert said(-0.5, -0.9, -0.1, 0.01, n=4) == ("inconclusive", 470)
    assert [rounded_up(one) for one in (1, 9, 10, 99, 101, 4681)] == [1, 9, 10, 99, 110, 4700]


def test_the_number_of_items_is_the_textbook_one() -> None:
    """Paired, 80 to 85 % with 15 % of the items discordant: 468 pairs by McNemar's formula."""
    spread = math.sqrt(0.15 - 0.05**2)
    needed = items_needed(0.05, spread, 0.0)
    assert needed is not None
    assert abs(needed - 468) < 8
    assert items_needed(0.0, 0.4, 0.0) is None


@settings(max_examples=40)
@given(values=st.lists(st.floats(-5, 5), min_size=2, max_size=30), weight=st.floats(1, 20))
def test_equal_weights_are_the_plain_mean(values: list[float], weight: float) -> None:
    """Whatever the weight; two such groups are compared as Welch's test does it."""
    numbers = np.array(values)
    found = weighted_mean(numbers, np.full(len(values), weight))

    assert found.mean == pytest.approx(numbers.mean(), abs=1e-9)
    assert found.error == pytest.approx(numbers.std(ddof=1) / math.sqrt(len(values)), abs=1e-9)
    if np.ptp(numbers) < 1e-3:
        return
    other = np.random.default_rng(1).normal(size=12)
    mine = two_sample(found, weighted_mean(other, np.ones(12)))
    theirs = stats.ttest_ind(other, numbers, equal_var=False)
    assert mine.p_value == pytest.approx(theirs.pvalue, abs=1e-6)


def test_chosen_more_often_counts_less() -> None:
    """A target chosen with probability 0.1 stands for ten; one cluster alone says nothing of its error."""
    found = weighted_mean(np.array([1.0, 0.0]), np.array([10.0, 1.0]))
    assert found.mean == pytest.approx(10 / 11)
    assert weighted_mean(np.ones(3), np.ones(3), np.zeros(3, dtype=np.int64)).interval() == (-math.inf, math.inf)
