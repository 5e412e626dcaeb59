"""The difference of two texts, and values as text."""

from hypothesis import given
from hypothesis import strategies as st

from spanwise_dashboard.text_difference import MOST_WORDS, Part, shown, text_difference

TEXTS = st.text(st.sampled_from("ab ,.\nä<>"), max_size=40)


@given(a=TEXTS, b=TEXTS)
def test_the_pieces_are_the_texts(a: str, b: str) -> None:
    """Put together they are the texts; what is not marked is the same on both sides, in the same order."""
    before, after = text_difference(a, b)

    assert ("".join(part.text for part in before), "".join(part.text for part in after)) == (a, b)
    kept = ["".join(part.text for part in side if not part.changed) for side in (before, after)]
    assert kept[0] == kept[1]
    assert all(part.text for part in (*before, *after))


def test_whole_words_are_marked() -> None:
    """Not letters of them."""
    before, after = text_difference("The invoice was sent.", "The invoices were sent.")

    assert [part.text for part in before if part.changed] == ["invoice", "was"]
    assert [part.text for part in after if part.changed] == ["invoices", "were"]


def test_very_long_texts_are_shown_without_marks() -> None:
    """Comparing them would take too long."""
    a, b = "a " * MOST_WORDS, "b " * MOST_WORDS
    assert text_difference(a, b) == ([Part(a)], [Part(b)])
    assert text_difference("", "x") == ([], [Part("x", changed=True)])


def test_values_as_text() -> None:
    """Text as it is, chats by role, other JSON in lines."""
    chat = [{"role": "user", "content": "hi"}, {"role": "assistant", "parts": [{"type": "text", "content": "ho"}]}]
    assert [shown(one) for one in ("x", None, chat, {"a": 1})] == [
        "x",
        "",
        "user: hi\n\nassistant: ho",
        '{\n  "a": 1\n}',
    ]
