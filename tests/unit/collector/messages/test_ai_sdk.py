"""Messages of the Vercel AI SDK, in one form."""

import json
from typing import Any

import pytest

from spanwise_collector.normalise.messages import read_content
from spanwise_collector.normalise.messages.ai_sdk import answer_of_parts

CALL = {"type": "tool_call", "id": "c1", "name": "track", "arguments": {"order": "7"}}


@pytest.mark.parametrize(
    ("call", "result"),
    [
        ({"args": {"order": "7"}}, {"result": "Graz"}),
        ({"input": {"order": "7"}}, {"output": {"type": "text", "value": "Graz"}}),
        ({"input": '{"order":"7"}'}, {"output": "Graz"}),
    ],
    ids=["version 4", "version 5", "bare output"],
)
def test_conversation(call: dict[str, Any], result: dict[str, Any]) -> None:
    """Calls and results of all versions are the same parts, and a thought is reasoning."""
    named = {"toolCallId": "c1", "toolName": "track"}
    prompt: Any = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Where?"}]},
        {
            "role": "assistant",
            "content": [{"type": "reasoning", "text": "Look it up."}, {"type": "tool-call", **named, **call}],
        },
        {"role": "tool", "content": [{"type": "tool-result", **named, **result}]},
    ]
    found = read_content(prompt, "input")

    assert found is not None
    assert [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {"role": "user", "parts": [{"type": "text", "content": "Where?"}]},
        {"role": "assistant", "parts": [{"type": "reasoning", "content": "Look it up."}, CALL]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "Graz"}]},
    ] == found.messages


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            {"type": "image", "image": "aGk=", "mimeType": "image/png"},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "aGk="},
        ),
        (
            {"type": "file", "data": "https://example.com/a.png", "mediaType": "image/png"},
            {"type": "uri", "modality": "image", "mime_type": "image/png", "uri": "https://example.com/a.png"},
        ),
        (
            {"type": "file", "data": {"type": "data", "data": "aGk="}, "mediaType": "application/pdf"},
            {"type": "blob", "modality": "file", "mime_type": "application/pdf", "content": "aGk="},
        ),
    ],
    ids=["version 4", "version 5", "version 7"],
)
def test_media(part: dict[str, Any], expected: dict[str, Any]) -> None:
    """Images and files are blobs or references, with their type."""
    prompt: Any = [{"role": "user", "content": [part]}]
    found = read_content(prompt, "input")

    assert found is not None
    assert [{"role": "user", "parts": [expected]}] == found.messages


def test_answer_spread_over_attributes() -> None:
    """Thought, text, object and tool calls of one answer are parts of one message, in this order."""
    calls = json.dumps([{"toolCallId": "c1", "toolName": "track", "args": '{"order":"7"}'}])
    answer = answer_of_parts(
        [("text", "In Graz."), ("toolCalls", calls), ("object", '{"city":"Graz"}'), ("reasoning", "Look it up.")]
    )

    parts = [
        {"type": "reasoning", "content": "Look it up."},
        {"type": "text", "content": "In Graz."},
        {"type": "text", "content": '{"city":"Graz"}'},
        CALL,
    ]
    assert [{"role": "assistant", "parts": parts}] == json.loads(answer)


def test_answer_without_words() -> None:
    """An answer whose text is empty, beside nothing else, is none."""
    assert answer_of_parts([("text", "")]) == ""
