"""Messages that one client alone writes in its way: LiteLLM, DSPy, OpenAI's agents SDK."""

from typing import Any

from spanwise_collector.normalise.messages import litellm, read_content


def text(content: str) -> dict[str, Any]:
    """A part of text."""
    return {"type": "text", "content": content}


def test_litellm() -> None:
    """Tool calls beside the parts and OpenAI's parts among them become parts; empty texts go."""
    function = {"name": "track", "arguments": '{"order":"7"}'}
    sent: Any = [
        {"role": "user", "parts": [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "u"}}]},
        {"role": "assistant", "parts": [text("")], "tool_calls": [{"id": "c1", "function": function}]},
        {"role": "tool", "parts": [text("Graz")], "tool_call_id": "c1"},
        {"role": "assistant", "parts": [text("In Graz.")], "finish_reason": "stop"},
    ]

    assert [
        {"role": "user", "parts": [text("Look"), {"type": "uri", "modality": "image", "uri": "u"}]},
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "c1", "name": "track", "arguments": {"order": "7"}}],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "Graz"}]},
        {"role": "assistant", "parts": [text("In Graz.")], "finish_reason": "stop"},
    ] == litellm.mended(sent)


def test_dspy() -> None:
    """Texts, and objects whose tool calls are shown as Python shows them."""
    shown = "ChatCompletionMessageToolCall(function=Function(arguments='{\"order\":\"7\"}', name='track'), id='c1')"
    found = read_content(["Graz.", {"text": None, "tool_calls": [shown, "no call"]}], "output")

    assert found is not None
    assert [
        {"role": "assistant", "parts": [text("Graz.")]},
        {
            "role": "assistant",
            "parts": [
                {"type": "tool_call", "id": "c1", "name": "track", "arguments": {"order": "7"}},
                {"type": "tool_call", "id": None, "name": None, "arguments": None},
            ],
        },
    ] == found.messages


def test_agents_sdk() -> None:
    """Of a stream of chat completions the id stands with the items; that of the response is made up."""
    message = {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "Graz."}],
        "provider_data": {"response_id": "chatcmpl-1"},
    }
    body: Any = [{"object": "response", "id": "__fake_id__", "model": "gpt-4o", "output": [message]}]
    found = read_content(body, "output")

    assert found is not None
    assert ([{"role": "assistant", "parts": [text("Graz.")]}], "chatcmpl-1", "gpt-4o") == (
        found.messages,
        found.response_id,
        found.model,
    )
