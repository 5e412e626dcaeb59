"""Messages of Pydantic AI and Logfire, in one form."""

from typing import Any

from spanwise_collector.normalise.messages import read_content
from spanwise_collector.normalise.messages.pydantic_ai import in_standard_words

EVENTS: Any = [
    {"event.name": "gen_ai.system.message", "role": "system", "content": "Be brief.", "gen_ai.message.index": 0},
    {"event.name": "gen_ai.user.message", "role": "user", "content": "Where?", "gen_ai.message.index": 0},
    {
        "event.name": "gen_ai.tool.message",
        "role": "tool",
        "id": "c1",
        "name": "track",
        "content": "In Graz.",
        "gen_ai.message.index": 2,
    },
    {"event.name": "gen_ai.choice", "index": 0, "message": {"role": "assistant", "content": "It is in Graz."}},
]


def test_events() -> None:
    """Of the events in one attribute, messages are what went in and choices what came out."""
    found = [read_content(EVENTS, side) for side in ("input", "output")]

    assert [
        [
            {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
            {"role": "user", "parts": [{"type": "text", "content": "Where?"}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "In Graz."}]},
        ],
        [{"role": "assistant", "parts": [{"type": "text", "content": "It is in Graz."}]}],
    ] == [one and one.messages for one in found]


def test_words() -> None:
    """A thought is reasoning, also as Anthropic's own block, and a tool's result its response."""
    found = in_standard_words(
        [
            {
                "role": "assistant",
                "parts": [
                    {"type": "thinking", "content": "Look it up."},
                    {"type": "thinking", "thinking": "Once more.", "signature": "c2ln"},
                ],
            },
            {"role": "user", "parts": [{"type": "tool_call_response", "id": "c1", "name": "track", "result": "Graz"}]},
        ]
    )

    thoughts = [{"type": "reasoning", "content": text} for text in ("Look it up.", "Once more.")]
    response = {"type": "tool_call_response", "id": "c1", "name": "track", "response": "Graz"}
    assert [{"role": "assistant", "parts": thoughts}, {"role": "user", "parts": [response]}] == found


def test_standard_words_stay() -> None:
    """Messages in the conventions' words are left alone."""
    assert in_standard_words([{"role": "user", "parts": [{"type": "text", "content": "Where?"}]}]) is None
