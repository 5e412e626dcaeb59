"""MLflow's chunk events, put together into the answer they were."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.normalise.messages import read_content
from spanwise_collector.normalise.messages.mlflow_chunks import answer


def chunk(*choices: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A chunk of a chat completion."""
    named = {"id": "chatcmpl-1", "model": "gpt-4o-2024-08-06", "object": "chat.completion.chunk"}
    return {**named, "choices": list(choices), **more}


def delta(index: int = 0, finish: str | None = None, **members: Any) -> dict[str, Any]:
    """A choice's piece."""
    return {"index": index, "delta": members, "finish_reason": finish}


def call(index: int, call_id: str | None, name: str | None, arguments: str) -> dict[str, Any]:
    """A tool call's piece."""
    return {"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}}


def test_tool_calls_in_pieces_become_whole_calls() -> None:
    """Pieces of two calls, mixed, become two calls with their arguments; usage comes from the chunk that has it."""
    found = answer(
        [
            chunk(delta(role="assistant", content=None)),
            chunk(delta(tool_calls=[call(0, "call_a", "track", ""), call(1, "call_b", "track", '{"order"')])),
            chunk(delta(tool_calls=[call(1, None, None, ':"B"}'), call(0, None, None, '{"order":"A"}')])),
            chunk(delta(finish="tool_calls")),
            chunk(usage={"prompt_tokens": 7, "completion_tokens": 5}),
        ]
    )
    content = read_content(found, "output")
    assert content is not None
    assert content.messages == [
        {
            "role": "assistant",
            "parts": [
                {"type": "tool_call", "id": "call_a", "name": "track", "arguments": {"order": "A"}},
                {"type": "tool_call", "id": "call_b", "name": "track", "arguments": {"order": "B"}},
            ],
            "finish_reason": "tool_calls",
        }
    ]
    assert (content.model, content.response_id) == ("gpt-4o-2024-08-06", "chatcmpl-1")
    assert content.counts == {"tok_input": 7, "tok_output": 5}


@given(st.lists(st.text(), min_size=1, max_size=5), st.lists(st.text(), min_size=1, max_size=5))
def test_texts_in_pieces_become_whole_texts(first: list[str], second: list[str]) -> None:
    """Each choice says what its pieces said, one after the other."""
    pieces = [chunk(delta(0, content=one)) for one in first] + [chunk(delta(1, content=one)) for one in second]
    found = answer([*pieces, chunk(delta(1, "stop")), chunk(delta(0, "length"))])
    assert found is not None
    choices: Any = found["choices"]
    assert [(one["message"]["content"], one["finish_reason"]) for one in choices] == [
        ("".join(first), "length"),
        ("".join(second), "stop"),
    ]


def test_stream_that_broke_off_is_no_answer() -> None:
    """Without a finish reason the span's own output stays."""
    assert answer([chunk(delta(content="Hel")), chunk(delta(content="lo"))]) is None


def test_events_of_a_response_end_with_all_of_it() -> None:
    """The last event of the Responses API has the answer as it is."""
    whole: Any = {"object": "response", "id": "resp_1", "output": []}
    created: Any = {"type": "response.created", "response": {"object": "response", "id": "resp_1"}}
    assert answer([created, {"type": "response.completed", "response": whole}]) == whole


def test_chunks_of_other_apis_are_left() -> None:
    """What is no chunk of OpenAI's gives nothing."""
    assert answer([{"type": "message_start"}, "text", None]) is None
