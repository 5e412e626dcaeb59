"""Answers that are failures, and those that only look so."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from spanwise_collector.failures.answers import Answer, answer_failure
from spanwise_collector.failures.classes import CLASSES
from spanwise_collector.failures.failure import Found

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ASKED: Mapping[str, Any] = {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}}
TOOLS = json.dumps(
    [
        {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}},
        {"type": "function", "function": {"name": "get_time"}},
    ]
)


def text(content: object) -> dict[str, Any]:
    """A text part."""
    return {"type": "text", "content": content}


def call(name: str, arguments: object) -> dict[str, Any]:
    """A tool call."""
    return {"type": "tool_call", "id": "1", "name": name, "arguments": arguments}


def answer(*parts: object, **values: Any) -> Answer:
    """A complete answer of 100 tokens unless said otherwise."""
    found: dict[str, Any] = {
        "kind": "llm",
        "name": "chat",
        "finish_reason": "stop",
        "streaming": False,
        "parts": list(parts),
        "params": None,
        "output_format": "",
        "tool_defs": "",
        "tok_input": 10,
        "tok_output": 100,
        "tok_reasoning": None,
    }
    return Answer(**(found | values))


def verdict(found: Found | None) -> tuple[str, str]:
    """Class and finer class; each must be documented."""
    if found is None:
        return "", ""
    assert not found.sub or found.sub in CLASSES[found.failure_class].subs
    return found.failure_class, found.sub


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (answer(text("It is sunny.")), ("", "")),
        # The finish reason.
        (answer(text("It is"), finish_reason="length"), ("truncation", "")),
        (answer(text('{"a": '), finish_reason="length"), ("truncation", "")),
        (answer(text("It is"), finish_reason="content_filter"), ("content_filter", "")),
        (answer(text("It"), finish_reason="model_context_window_exceeded"), ("context_overflow", "answer")),
        (answer(finish_reason="malformed_function_call"), ("wrong_arguments", "malformed")),
        (answer(finish_reason="unexpected_tool_call"), ("hallucinated_tool", "")),
        (answer(finish_reason="error"), ("error", "finish_reason")),
        (answer(text("half a"), finish_reason="error"), ("", "")),
        (answer(text("x"), finish_reason="tool_call"), ("", "")),
        # The token limit, where no finish reason is told.
        (answer(text("x"), finish_reason="", params={"max_tokens": 100}), ("truncation", "")),
        (answer(text("x"), finish_reason="", params={"max_completion_tokens": 101}), ("truncation", "")),
        (answer(text("x"), finish_reason="", params={"max_tokens": 102}), ("", "")),
        (answer(text("x"), finish_reason="", params={"max_tokens": 50}), ("", "")),
        (answer(text("x"), finish_reason="stop", params={"max_tokens": 100}), ("", "")),
        (answer(text("x"), finish_reason="", params={"max_tokens": 1}, tok_output=1), ("", "")),
        # Nothing in it.
        (answer(text("")), ("empty", "")),
        (answer(text(" \n")), ("empty", "")),
        (answer(tok_output=1), ("empty", "")),
        (answer(tok_output=65, tok_reasoning=64), ("empty", "reasoning")),
        (answer({"type": "reasoning", "content": "Hm."}, text("")), ("empty", "reasoning")),
        (answer(), ("", "")),
        (answer(tok_output=None), ("", "")),
        (answer(parts=None, tok_output=None), ("", "")),
        (answer(parts=None, tok_output=0), ("empty", "")),
        (answer(text(""), streaming=True, finish_reason=""), ("", "")),
        (answer({"type": "blob", "content": "x"}, tok_output=0), ("", "")),
        (answer(call("f", {}), tok_output=0), ("", "")),
        # JSON.
        (answer(text('{"city": "Ulm"}'), params=ASKED), ("", "")),
        (answer(text('{"city": 7}'), params=ASKED), ("schema_violation", "")),
        (answer(text('{"city": "Ulm"'), params=ASKED), ("invalid_json", "truncated")),
        (answer(text("Ulm"), params=ASKED), ("invalid_json", "not_json")),
        (answer(text("I'm sorry, but I can't help with that."), params=ASKED), ("refusal", "policy")),
        (answer(text("Hello"), output_format="json"), ("invalid_json", "not_json")),
        (answer(text("Hello"), output_format="text"), ("", "")),
        (answer(text('{"city": 7}'), output_format=json.dumps(SCHEMA)), ("schema_violation", "")),
        (answer(text('{"city": "Ulm"')), ("invalid_json", "truncated")),
        # Words.
        (answer(text("I cannot assist with that.")), ("refusal", "policy")),
        (answer(text(" I don't have access to your files.")), ("refusal", "capability")),
        (answer({"type": "reasoning", "content": "I cannot assist?"}, text("Sure!")), ("", "")),
        (answer({"type": "reasoning", "content": "Hm."}, text("I cannot assist with that.")), ("refusal", "policy")),
        # Calls.
        (answer(call("get_weather", {"city": "Ulm"}), tool_defs=TOOLS), ("", "")),
        (answer(call("get_time", {"anything": 1}), tool_defs=TOOLS), ("", "")),
        (answer(call("get_wether", {"city": "Ulm"}), tool_defs=TOOLS), ("hallucinated_tool", "")),
        (answer(call("get_weather", {"town": "Ulm"}), tool_defs=TOOLS), ("wrong_arguments", "")),
        (answer(call("get_weather", '{"city": '), tool_defs=TOOLS), ("wrong_arguments", "not_json")),
        (answer(call("get_weather", '{"city": "Ulm"}'), tool_defs=TOOLS), ("", "")),
        (answer(call("get_wether", {}), tool_defs=""), ("", "")),
        (answer(text("I cannot assist."), call("get_time", {}), tool_defs=TOOLS), ("", "")),
    ],
)
def test_answers(given: Answer, expected: tuple[str, str]) -> None:
    """Each sort of failing answer has its class; complete ones and those of which nothing is known have none."""
    assert expected == verdict(answer_failure(given))


def test_titles_and_keys() -> None:
    """A title names the place; the same mistake in another item, or with another value, is the same problem."""
    listed = {"response_format": {"type": "json_schema", "json_schema": {"schema": {"items": SCHEMA}}}}
    first = answer_failure(answer(text('[{"city": 1}]'), params=listed))
    second = answer_failure(answer(text('[{"city": "Ulm"}, {"city": 2}]'), params=listed))
    third = answer_failure(answer(text("[{}]"), params=listed))
    assert first is not None
    assert second is not None
    assert third is not None
    assert "Answer does not fit its schema: $[*].city: it must be string: chat" == first.title
    assert first.key == second.key != third.key


def test_places_are_told_apart() -> None:
    """The same class in spans of another name is another problem; numbers in a name make no difference."""
    found = [
        answer_failure(answer(text("x"), name=name, finish_reason="length")) for name in ("step 1", "step 2", "plan")
    ]
    keys = [one.key for one in found if one]
    assert keys[0] == keys[1] != keys[2]
