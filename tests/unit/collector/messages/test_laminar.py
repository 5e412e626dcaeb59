"""Laminar's list of one Anthropic message with its stop reason."""

from spanwise_collector.normalise.messages import read_content


def test_the_stop_reason_stays_with_the_message() -> None:
    """Thoughts, text and calls become parts; the stop reason is the message's and the call's."""
    body = [
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "x"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "toolu_1", "name": "track", "input": {"order": "A"}},
            ],
            "stop_reason": "tool_use",
        }
    ]
    found = read_content(body, "output")  # type: ignore[arg-type]
    assert found is not None
    assert found.finish_reason == "tool_use"
    assert found.messages == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Hm."},
                {"type": "text", "content": "I look."},
                {"type": "tool_call", "id": "toolu_1", "name": "track", "arguments": {"order": "A"}},
            ],
            "finish_reason": "tool_use",
        }
    ]
