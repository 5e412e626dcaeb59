"""Blocks of a provider that a client wrote as JSON text into a part."""

from typing import Any

from spanwise_collector.normalise.messages.nested import opened
from spanwise_collector.normalise.values import to_json


def test_thoughts_become_reasoning() -> None:
    """Anthropic's thinking, OpenAI's reasoning item and its summary alone become reasoning parts; the text stays."""
    thinking = to_json({"type": "thinking", "thinking": "First.", "signature": "x"})
    item = to_json({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Second."}]})
    summary = to_json([{"type": "summary_text", "text": "Third."}])
    parts: Any = [
        {"type": "text", "content": thinking},
        {"type": "text", "content": item},
        {"type": "reasoning", "content": summary},
        {"type": "text", "content": "Done."},
    ]
    assert opened([{"role": "assistant", "parts": parts, "finish_reason": "stop"}]) == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "First."},
                {"type": "reasoning", "content": "Second."},
                {"type": "reasoning", "content": "Third."},
                {"type": "text", "content": "Done."},
            ],
            "finish_reason": "stop",
        }
    ]


def test_other_json_in_a_text_stays() -> None:
    """An answer that is JSON itself, even one with a type, is no block."""
    answer = to_json({"type": "object", "title": "thinking"})
    assert opened([{"role": "assistant", "parts": [{"type": "text", "content": answer}]}]) is None
