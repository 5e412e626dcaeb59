"""Anthropic's messages, in one form."""

from typing import Any

from spanwise_collector.normalise.messages import read_content

USE = {"type": "tool_use", "id": "t1", "name": "track", "input": {"order": "7"}}
CALL = {"type": "tool_call", "id": "t1", "name": "track", "arguments": {"order": "7"}}


def text(content: str) -> dict[str, Any]:
    """A part of text."""
    return {"type": "text", "content": content}


def test_request() -> None:
    """A request tells system, tools, model and parameters; a tool's result is a message of the tool."""
    tools: Any = [{"name": "track", "input_schema": {}}]
    body: Any = {
        "model": "claude-haiku-4-5",
        "max_tokens": 300,
        "system": [{"type": "text", "text": "Be brief."}],
        "tools": tools,
        "messages": [
            {"role": "user", "content": "Where?"},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "Look."}, USE]},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "Graz"}]},
                    {"type": "text", "text": "And?"},
                ],
            },
        ],
    }
    found = read_content(body, "input")

    assert found is not None
    assert (
        [
            {"role": "user", "parts": [text("Where?")]},
            {"role": "assistant", "parts": [{"type": "reasoning", "content": "Look."}, CALL]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "t1", "response": "Graz"}]},
            {"role": "user", "parts": [text("And?")]},
        ],
        [text("Be brief.")],
        tools,
        "claude-haiku-4-5",
        {"max_tokens": 300},
    ) == (found.messages, found.system, found.tools, found.model, found.params)


def test_media() -> None:
    """Images come as data, by URL or as a file's id."""
    sources: Any = [
        {"type": "base64", "media_type": "image/png", "data": "aGk="},
        {"type": "url", "url": "https://example.com/a.png"},
        {"type": "file", "file_id": "f1"},
    ]
    found = read_content([{"role": "user", "content": [{"type": "image", "source": one} for one in sources]}], "input")

    assert found is not None
    assert [
        {
            "role": "user",
            "parts": [
                {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "aGk="},
                {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"},
                {"type": "file", "modality": "image", "file_id": "f1"},
            ],
        }
    ] == found.messages


def test_answer() -> None:
    """Its input tokens leave cached ones out, so these are added."""
    body: Any = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5-20251001",
        "content": [{"type": "text", "text": "Graz."}, USE],
        "stop_reason": "tool_use",
        "usage": {
            "input_tokens": 10,
            "output_tokens": 20,
            "cache_read_input_tokens": 3,
            "cache_creation_input_tokens": 4,
            "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 3},
            "output_tokens_details": {"thinking_tokens": 5},
        },
    }
    found = read_content(body, "output")

    assert found is not None
    assert (
        [{"role": "assistant", "parts": [text("Graz."), CALL], "finish_reason": "tool_use"}],
        "claude-haiku-4-5-20251001",
        "tool_use",
        "msg_1",
        {
            "tok_input": 17,
            "tok_output": 20,
            "tok_cache_read": 3,
            "tok_cache_write": 4,
            "tok_cache_write_1h": 3,
            "tok_reasoning": 5,
        },
    ) == (found.messages, found.model, found.finish_reason, found.response_id, found.counts)
