"""Messages in the form of the GenAI conventions."""

import json
from typing import Any

import pytest

from spanwise._content import of_input
from spanwise._messages import to_messages

URI = {"type": "uri", "modality": "image", "uri": "https://a/b.png"}
BLOB = {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AAAA"}
DATA_URL = "data:image/png;base64,AAAA"


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ({"type": "image_url", "image_url": {"url": "https://a/b.png"}}, URI),
        ({"type": "image_url", "image_url": {"url": DATA_URL}}, BLOB),
        ({"type": "input_image", "image_url": DATA_URL, "detail": "auto"}, BLOB),
        ({"type": "image", "source": {"type": "url", "url": "https://a/b.png"}}, URI),
        ({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}, BLOB),
    ],
)
def test_images(block: Any, part: Any) -> None:
    """OpenAI's and Anthropic's images become a reference or a blob."""
    assert [{"role": "user", "parts": [part]}] == to_messages([{"role": "user", "content": [block]}])


@pytest.mark.parametrize(
    "block",
    [
        {"type": "input_image", "file_id": "file-1"},
        {"type": "image", "source": {"type": "file", "file_id": "file-1"}},
        {"type": "image"},
    ],
)
def test_unknown_images(block: Any) -> None:
    """An image in a form that is not known is kept as it is."""
    assert [{"role": "user", "parts": [block]}] == to_messages([{"role": "user", "content": [block]}])


def test_text_for_a_model() -> None:
    """A model call's input that is mere text is a user's message."""
    found = of_input("llm", "Where?", 1_000)

    assert [{"role": "user", "parts": [{"type": "text", "content": "Where?"}]}] == json.loads(
        found["gen_ai.input.messages"]
    )
