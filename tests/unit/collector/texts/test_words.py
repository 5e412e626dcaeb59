"""Words that texts have more or less often than before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.texts.words import MIN_Z, moved_words, words

BEFORE = ["where is my order", "cancel my order", "where is the parcel", "my parcel is late"] * 50


def test_what_moved() -> None:
    """New words come up, lost ones go down, each with its rate before and after; shared words stay out."""
    after = [text.replace("parcel", "subscription") for text in BEFORE]
    up, down = moved_words(BEFORE, after)

    assert ["subscription"] == [word.word for word in up]
    assert ["parcel"] == [word.word for word in down]
    assert 0.0 == up[0].before == down[0].after
    assert 1000 * 100 / 750 == pytest.approx(up[0].after) == pytest.approx(down[0].before)
    assert up[0].z > MIN_Z
    assert down[0].z < -MIN_Z


def test_nothing_moved() -> None:
    """Equal texts, or none, have no words that moved."""
    assert ([], []) == moved_words(BEFORE, BEFORE[:100])
    assert ([], []) == moved_words(BEFORE, [])
    assert ([], []) == moved_words([], BEFORE)


def test_one_long_text_counts_once() -> None:
    """A word that is repeated within one text is one use."""
    up, _ = moved_words(BEFORE, [*BEFORE, "spam " * 500])

    assert [] == up


def test_what_a_word_is() -> None:
    """Lower case, no numbers, apostrophes kept; pairs of characters where there are no spaces."""
    assert {"don't", "charge", "café"} == words("Don't charge 42 a, CAFÉ_7")
    assert {"取消", "消订", "订单"} == words("取消订单")


@given(st.lists(st.text(max_size=40), max_size=20), st.lists(st.text(max_size=40), max_size=20))
def test_both_ways(one: list[str], other: list[str]) -> None:
    """What is up one way is down the other way."""
    up, down = moved_words(one, other, top=1_000)
    back_up, back_down = moved_words(other, one, top=1_000)

    assert {word.word for word in up} == {word.word for word in back_down}
    assert {word.word for word in down} == {word.word for word in back_up}
