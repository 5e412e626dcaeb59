"""LangChain's messages, in one form."""

from typing import Any

import pytest

from spanwise_collector.normalise.messages import read_content

CALL = {"type": "tool_call", "id": "c1", "name": "track", "arguments": {"order": "7"}}


def text(content: str) -> dict[str, Any]:
    """A part of text."""
    return {"type": "text", "content": content}


def dumped(kind: str, **fields: Any) -> dict[str, Any]:
    """A message as `langchain_core.load.dumps` writes it."""
    return {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", kind], "kwargs": fields}


CALLED = {"content": "", "tool_calls": [{"name": "track", "args": {"order": "7"}, "id": "c1", "type": "tool_call"}]}
CONVERSATION = [
    {"role": "system", "parts": [text("Be brief.")]},
    {"role": "user", "parts": [text("Where?")]},
    {"role": "assistant", "parts": [CALL]},
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "Graz"}]},
]


@pytest.mark.parametrize(
    "body",
    [
        {
            "messages": [
                [
                    dumped("SystemMessage", content="Be brief."),
                    dumped("HumanMessage", content="Where?"),
                    dumped("AIMessage", **CALLED),
                    dumped("ToolMessage", content="Graz", tool_call_id="c1"),
                ]
            ]
        },
        {
            "messages": [
                {"type": "system", "data": {"content": "Be brief."}},
                {"type": "human", "data": {"content": "Where?"}},
                {"type": "ai", "data": CALLED},
                {"type": "tool", "data": {"content": "Graz", "tool_call_id": "c1"}},
            ]
        },
        [
            {"type": "system", "content": "Be brief."},
            {"type": "human", "content": "Where?"},
            {"type": "ai", **CALLED},
            {"type": "tool", "content": "Graz", "tool_call_id": "c1"},
        ],
    ],
    ids=["dumps", "message_to_dict", "model_dump"],
)
def test_conversation(body: Any) -> None:
    """All ways to write messages say the same."""
    found = read_content(body, "input")

    assert found is not None
    assert found.messages == CONVERSATION


def result(**fields: Any) -> Any:
    """An `LLMResult` with one answer."""
    message = dumped("AIMessage", **fields)
    return {"generations": [[{"text": "", "type": "ChatGeneration", "message": message}]], "llm_output": None}


def test_answer_of_openai() -> None:
    """What the provider said of the answer stands beside it; LangChain's own id of the run is no answer's id."""
    usage = {
        "input_tokens": 10,
        "output_tokens": 20,
        "input_token_details": {"cache_read": 3, "cache_creation": 4},
        "output_token_details": {"reasoning": 5},
    }
    about = {"id": "chatcmpl-1", "model_name": "gpt-4o-2024-08-06", "finish_reason": "stop"}
    found = read_content(
        result(content="Graz.", id="lc_run--1", usage_metadata=usage, response_metadata=about), "output"
    )

    assert found is not None
    assert (
        [{"role": "assistant", "parts": [text("Graz.")]}],
        "gpt-4o-2024-08-06",
        "stop",
        "chatcmpl-1",
        {"tok_input": 10, "tok_output": 20, "tok_cache_read": 3, "tok_cache_write": 4, "tok_reasoning": 5},
    ) == (found.messages, found.model, found.finish_reason, found.response_id, found.counts)


def test_answer_of_anthropic() -> None:
    """A call among the content is the one in the field beside it; cache writes by lifetime make up their sum."""
    block = {"type": "tool_use", "id": "c1", "name": "track", "input": {"order": "7"}}
    details = {"cache_read": 3, "cache_creation": 0, "ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 2}
    usage = {"input_tokens": 10, "output_tokens": 20, "input_token_details": details}
    found = read_content(result(content=[block], tool_calls=CALLED["tool_calls"], usage_metadata=usage), "output")

    assert found is not None
    assert (
        [{"role": "assistant", "parts": [CALL]}],
        {"tok_input": 10, "tok_output": 20, "tok_cache_read": 3, "tok_cache_write": 3, "tok_cache_write_1h": 2},
    ) == (found.messages, found.counts)


def test_what_is_no_message_stays() -> None:
    """A list with something else in it has another shape."""
    assert read_content([{"type": "human", "content": "Hi"}, {"type": "constructor"}], "input") is None
