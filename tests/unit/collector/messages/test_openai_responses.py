"""OpenAI's responses, in one form."""

from typing import Any

import pytest

from spanwise_collector.normalise.messages import read_content

CALL = {"type": "function_call", "call_id": "c1", "id": "fc1", "name": "track", "arguments": '{"order":"7"}'}
CALL_PART = {"type": "tool_call", "id": "c1", "name": "track", "arguments": {"order": "7"}}


def text(content: str) -> dict[str, Any]:
    """A part of text."""
    return {"type": "text", "content": content}


def test_conversation() -> None:
    """A tool's call and result are messages of their own, between the user's and the model's."""
    items: Any = [
        {"role": "user", "content": "Where?"},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Look it up."}]},
        CALL,
        {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "Graz"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "In Graz."}]},
    ]
    found = read_content(items, "input")

    assert found is not None
    assert [
        {"role": "user", "parts": [text("Where?")]},
        {"role": "assistant", "parts": [{"type": "reasoning", "content": "Look it up."}]},
        {"role": "assistant", "parts": [CALL_PART]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "Graz"}]},
        {"role": "assistant", "parts": [text("In Graz.")]},
    ] == found.messages


def test_request() -> None:
    """A whole request tells instructions, tools, model and parameters beside its messages."""
    tools: Any = [{"type": "function", "name": "track"}]
    found = read_content(
        {"input": "Where?", "instructions": "Be brief.", "model": "gpt-5", "tools": tools, "temperature": 0.5}, "input"
    )

    assert found is not None
    assert ([{"role": "user", "parts": [text("Where?")]}], "Be brief.", tools, "gpt-5", {"temperature": 0.5}) == (
        found.messages,
        found.system,
        found.tools,
        found.model,
        found.params,
    )


def test_answer() -> None:
    """The items of an answer are the parts of one message; its usage includes cached tokens and reasoning."""
    output: Any = [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Graz."}]},
        CALL,
    ]
    usage: Any = {
        "input_tokens": 20,
        "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 4},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 3},
    }
    body: Any = {"object": "response", "id": "r1", "model": "gpt-5-1", "status": "completed", "output": output}
    found = read_content(body | {"usage": usage}, "output")

    assert found is not None
    assert [
        {"role": "assistant", "parts": [{"type": "reasoning", "content": "Hm."}, text("Graz."), CALL_PART]}
    ] == found.messages
    assert ("r1", "gpt-5-1", "completed") == (found.response_id, found.model, found.finish_reason)
    assert {
        "tok_input": 20,
        "tok_output": 9,
        "tok_cache_read": 5,
        "tok_cache_write": 4,
        "tok_reasoning": 3,
    } == found.counts


def test_image() -> None:
    """An image by URL stays a reference, an embedded one a blob."""
    urls = ("https://a/b.png", "data:image/png;base64,AAAA")
    parts: Any = [{"type": "input_image", "image_url": url} for url in urls]
    found = read_content([{"type": "message", "role": "user", "content": parts}], "input")

    assert found is not None
    assert [
        {
            "role": "user",
            "parts": [
                {"type": "uri", "modality": "image", "uri": "https://a/b.png"},
                {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AAAA"},
            ],
        }
    ] == found.messages


@pytest.mark.parametrize(
    "body",
    [
        {"input": ["a text", "another"], "model": "text-embedding-3-small"},
        {"output": "text"},
        [{"type": "text", "text": "no item"}],
        [],
        {},
        [{"type": "message"}, "x"],
    ],
)
def test_others(body: Any) -> None:
    """Embeddings' requests and other data are none of it."""
    assert read_content(body, "input") is None
