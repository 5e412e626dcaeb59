"""Content spread over numbered attributes, put together."""

import json
from typing import Any

import pytest

from spanwise_collector.normalise.indexed import indexed_json, indexed_messages
from spanwise_collector.normalise.values import Value


def test_nothing_is_said_twice() -> None:
    """A text or a tool call that stands both beside and among the contents is one part."""
    sent: dict[str, Value] = {
        "0.message.role": "assistant",
        "0.message.content": "Graz.",
        "0.message.contents.0.message_content.type": "text",
        "0.message.contents.0.message_content.text": "Graz.",
        "0.message.contents.1.tool_call.id": "c1",
        "0.message.contents.1.tool_call.function.name": "track",
        "0.message.contents.1.tool_call.function.arguments": '{"order": "7"}',
        "0.message.tool_calls.0.tool_call.id": "c1",
        "0.message.tool_calls.0.tool_call.function.name": "track",
        "0.message.tool_calls.0.tool_call.function.arguments": '{"order": "7"}',
    }

    assert [
        {
            "role": "assistant",
            "parts": [
                {"type": "text", "content": "Graz."},
                {"type": "tool_call", "id": "c1", "name": "track", "arguments": {"order": "7"}},
            ],
        }
    ] == json.loads(indexed_messages(sent.items()))


@pytest.mark.parametrize(
    ("sent", "parts"),
    [
        (
            {
                "0.message.contents.0.message_content.type": "reasoning",
                "0.message.contents.0.message_content.text": "Hm.",
            },
            [{"type": "reasoning", "content": "Hm."}],
        ),
        (
            {
                "0.message.contents.0.message_content.type": "image",
                "0.message.contents.0.message_content.image.image.url": "data:image/png;base64,aGk=",
            },
            [{"type": "blob", "modality": "image", "mime_type": "image/png", "content": "aGk="}],
        ),
        (
            {"0.message.content.0.type": "image_url", "0.message.content.0.image_url.url": "u"},
            [{"type": "uri", "modality": "image", "uri": "u"}],
        ),
        (
            {"0.function_call.name": "track", "0.function_call.arguments": '{"order": "7"}'},
            [{"type": "tool_call", "id": None, "name": "track", "arguments": {"order": "7"}}],
        ),
    ],
    ids=["thought", "image", "parts of OpenAI's", "function call"],
)
def test_parts(sent: dict[str, Value], parts: list[Any]) -> None:
    """Each sort of content is a part of its own sort."""
    (message,) = json.loads(indexed_messages(sent.items()))

    assert message["parts"] == parts


@pytest.mark.parametrize(
    ("sent", "response"),
    [
        ({"0.message.role": "tool", "0.message.content": "Graz"}, (None, "Graz")),
        ({"0.message.role": "tool", "0.message.content": "Graz", "0.message.tool_call_id": "c1"}, ("c1", "Graz")),
        (
            {
                "0.message.role": "tool",
                "0.message.tool_call_id": "c1",
                "0.message.contents.0.message_content.type": "text",
                "0.message.contents.0.message_content.text": "Graz",
            },
            ("c1", [{"type": "text", "content": "Graz"}]),
        ),
    ],
    ids=["without id", "with id", "contents"],
)
def test_tool_result(sent: dict[str, Value], response: tuple[Any, Any]) -> None:
    """What a tool says is its result."""
    (message,) = json.loads(indexed_messages(sent.items()))

    assert message["parts"] == [{"type": "tool_call_response", "id": response[0], "response": response[1]}]


def test_members_of_a_list() -> None:
    """A path takes what counts out of each entry, JSON text unwrapped; an entry without it stays as it is."""
    sent: dict[str, Value] = {"0.tool.json_schema": '{"name": "track"}', "1.other": 1}

    assert json.loads(indexed_json(sent.items(), ("tool", "json_schema"))) == [{"name": "track"}, {"other": 1}]
    assert json.loads(indexed_json(sent.items())) == [{"tool": {"json_schema": '{"name": "track"}'}}, {"other": 1}]
