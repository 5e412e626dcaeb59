"""Refusals and answers that look like them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_evaluators.reading.refusals import HEAD, STARTS, refusal


@pytest.mark.parametrize(
    ("text", "sub"),
    [
        ("I'm sorry, but I can't help with that.", "policy"),
        ("I\u2019m sorry, I can\u2019t provide medical advice.", "policy"),
        ("I cannot assist with this request.", "policy"),
        ("I won't write that.", "policy"),
        ("Unfortunately, I cannot provide legal advice.", "policy"),
        ("I understand your frustration. However, I'm not able to share account details.", "policy"),
        ("I must respectfully decline this request.", "policy"),
        ("Sorry, but that's not something I can help with.", "policy"),
        ("This request violates our guidelines.", "policy"),
        ("Lo siento, pero no puedo ayudarte con eso.", "policy"),
        ("Es tut mir leid, aber ich kann dabei nicht helfen.", "policy"),
        ("很抱歉\uff0c我无法提供帮助。", "policy"),
        ("As an AI language model, I don't have access to real-time data.", "capability"),
        ("I'm unable to browse the internet.", "capability"),
        ("I do not have access to your files.", "capability"),
        ("I'm just a text-based AI and see no pictures.", "capability"),
        ("I don't have enough information to answer that.", "missing_info"),
        ("I couldn't find any results for that order.", "missing_info"),
        ("The provided context does not mention the price.", "missing_info"),
        ("There is no information about this in the documents.", "missing_info"),
        ("I don't know.", "missing_info"),
    ],
)
def test_refusals(text: str, sub: str) -> None:
    """What a model says when it does not answer has its sort."""
    assert sub == refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "I can't wait to show you the results!",
        "I can't help but smile at this question.",
        "I cannot recommend this book enough.",
        "I can't thank you enough for the details.",
        "I'm sorry to hear that. Your refund was issued.",
        "Sorry for the delay! Your order ships today.",
        "Unfortunately, your parcel was delayed. It arrives on Monday.",
        "Apologies for the confusion! The right answer is 4.",
        '"I can\'t help you," said the wizard.',
        "The clerk said \u201cSorry, we are closed; I can\u2019t help you\u201d and left.",
        "If I can't help you today, call us.",
        "Your manager wrote that I cannot assist you; here is why.",
        "The context manager does not close the file.",
        "You can't open the file because it is locked.",
        "As an AI enthusiast you know that not all models are alike.",
        "No problem! Here you go.",
        "In Python, a list is mutable.",
        "AI can't help with that, some say.",
        "",
        "I",
    ],
)
def test_answers_that_look_like_refusals(text: str) -> None:
    """Idioms, quotations, conditions and other people's limits are no refusals."""
    assert "" == refusal(text)


def test_only_the_beginning_counts() -> None:
    """A limit that an answer mentions later is not what the answer is."""
    assert "" == refusal("x" * HEAD + " I can't help with that.")


@given(st.text(max_size=400))
def test_any_text(text: str) -> None:
    """Every text has one of four results, the same each time; without a sign at its start it is no refusal."""
    found = refusal(text)
    assert found in ("", "policy", "capability", "missing_info")
    assert found == refusal(text)
    if text[:3] not in STARTS and "I" not in text[:HEAD]:
        assert "" == found


@given(st.text("I 'canothelpw,.", max_size=400))
def test_near_misses_end_quickly(text: str) -> None:
    """Texts made of the letters of refusals do not send the pattern into endless trying."""
    assert refusal(text) in ("", "policy", "capability", "missing_info")
