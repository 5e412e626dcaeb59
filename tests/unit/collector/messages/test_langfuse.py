"""Messages as Langfuse notes them, in one form."""

from typing import Any

from spanwise_collector.normalise.messages import read_content

FUNCTION = {"type": "function", "function": {"name": "track", "parameters": {"type": "object"}}}
CALL_PART = {"type": "tool_call", "id": "c1", "name": "track", "arguments": {"order": "7"}}


def test_conversation_of_the_langchain_handler() -> None:
    """Tools that are offered stand behind the messages; they are tools, and calls in LangChain's way are calls."""
    body: Any = [
        {"role": "user", "content": "Where?"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"name": "track", "args": {"order": "7"}, "id": "c1", "type": "tool_call"}],
            "additional_kwargs": {"refusal": None},
        },
        {"role": "tool", "content": "In Graz.", "tool_call_id": "c1"},
        {"role": "tool", "content": FUNCTION},
    ]
    found = read_content(body, "input")

    assert found is not None
    assert [
        {"role": "user", "parts": [{"type": "text", "content": "Where?"}]},
        {"role": "assistant", "parts": [CALL_PART]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "In Graz."}]},
    ] == found.messages
    assert [FUNCTION] == found.tools


def test_item_of_a_response() -> None:
    """A single item of OpenAI's responses, as the wrapper notes an answer, is that answer's message."""
    call: Any = {"type": "function_call", "call_id": "c1", "name": "track", "arguments": '{"order":"7"}'}
    text: Any = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "In Graz."}]}
    found = [read_content(one, "output") for one in (call, text)]

    assert [
        [{"role": "assistant", "parts": [CALL_PART]}],
        [{"role": "assistant", "parts": [{"type": "text", "content": "In Graz."}]}],
    ] == [one and one.messages for one in found]
