"""Failures in the rows that ingest makes, and in what real clients sent."""

import json
from collections import Counter
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spanwise_collector.failures.classes import CLASSES
from tests.golden.clients.evaluate.rows import records_of
from tests.golden.clients.recording import load
from tests.support.otlp import attributes, one_row, rows, span, transformer

FAILED = Status(code=Status.STATUS_CODE_ERROR)
CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 10,
    "gen_ai.usage.output_tokens": 20,
}
TOOLS = json.dumps([{"type": "function", "name": "get_weather", "parameters": {"required": ["city"]}}])


def messages(*parts: dict[str, Any], finish: str = "stop") -> str:
    """An answer in the conventions' form."""
    return json.dumps([{"role": "assistant", "parts": list(parts), "finish_reason": finish}])


def text(content: str) -> str:
    """An answer of one text."""
    return messages({"type": "text", "content": content})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"gen_ai.output.messages": text("It is sunny.")}, ("", "", "")),
        (
            {"gen_ai.output.messages": text("I'm sorry, but I can't help with that.")},
            ("refusal", "policy", "The model declined: chat gpt-4o"),
        ),
        (
            {"gen_ai.output.messages": "I cannot assist with that."},
            ("refusal", "policy", "The model declined: chat gpt-4o"),
        ),
        (
            {"gen_ai.output.messages": text("It is"), "gen_ai.response.finish_reasons": ["length"]},
            ("truncation", "", "Answer cut off at the token limit: chat gpt-4o"),
        ),
        (
            {"gen_ai.output.messages": messages({"type": "text", "content": "It is"}, finish="max_tokens")},
            ("truncation", "", "Answer cut off at the token limit: chat gpt-4o"),
        ),
        (
            {"gen_ai.output.messages": text("{"), "gen_ai.output.type": "json"},
            ("invalid_json", "truncated", "Answer is JSON that ends in the middle: chat gpt-4o"),
        ),
        (
            {
                "gen_ai.output.messages": messages({"type": "tool_call", "name": "get_wether", "arguments": {}}),
                "gen_ai.tool.definitions": TOOLS,
            },
            (
                "hallucinated_tool",
                "",
                "Called get_wether, which was not offered; the closest one is get_weather",
            ),
        ),
        (
            {
                "output.value": json.dumps({"choices": [{"message": {"role": "assistant", "content": "No"}}]}),
                "llm.invocation_parameters": json.dumps({"response_format": {"type": "json_object"}}),
            },
            ("invalid_json", "not_json", "Answer is plain text, where JSON was asked for: chat gpt-4o"),
        ),
    ],
)
def test_answers_of_spans_that_are_ok(values: dict[str, object], expected: tuple[str, str, str]) -> None:
    """What is wrong with an answer is in the row of the call; its status stays."""
    row = one_row(span("chat gpt-4o", CALL | values))
    assert expected == (row["failure_class"], row["failure_sub"], row["failure_title"])
    assert (row["fingerprint"] != 0) == bool(row["failure_class"])
    assert 0 == row["status"]


def test_a_retriever() -> None:
    """An empty list of documents is a failure of the retriever."""
    row = one_row(span("search", {"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": "[]"}))
    assert ("empty_retrieval", "No documents found: search") == (row["failure_class"], row["failure_title"])


def test_an_error() -> None:
    """Type, message and stack come from the event, the status from an attribute; the override decides the number."""
    stack = 'Traceback (most recent call last):\n  File "/srv/app/orders.py", line 5, in parse\n'
    details = {"exception.type": "ValueError", "exception.message": "no order 7", "exception.stacktrace": stack}
    event = Span.Event(name="exception", attributes=attributes(details))
    row = one_row(span("load", status=FAILED, events=[event]))
    assert ("exception", "", "ValueError in app.orders.parse: no order <num>") == (
        row["failure_class"],
        row["failure_sub"],
        row["failure_title"],
    )
    limited = one_row(span("GET", {"http.response.status_code": 429}, status=FAILED))
    assert ("rate_limit", "Rate limit (429): GET") == (limited["failure_class"], limited["failure_title"])
    own = [one_row(span(name, {"spanwise.fingerprint": "orders"}, status=FAILED)) for name in ("a", "b")]
    assert own[0]["fingerprint"] == own[1]["fingerprint"] != row["fingerprint"]
    assert "orders" == own[0]["attrs"]["spanwise.fingerprint"]


@pytest.mark.parametrize(
    "name", ["genai_anthropic-spans", "google_genai-spans", "langsmith", "litellm_otel-default", "pydantic_ai"]
)
def test_real_clients(name: str) -> None:
    """Of what a client sent every failed span has a class, no other one has, and the provider's errors are told."""
    made = rows(transformer().transform(records_of(load(name))[0], frozenset()), "spans")
    failed = [row for row in made if row["failure_class"]]
    assert [row["status"] == 2 for row in made] == [bool(row["failure_class"]) for row in made]
    assert {row["failure_class"] for row in failed} <= set(CLASSES)
    found = Counter((row["failure_class"], row["failure_sub"]) for row in failed)
    assert found["rate_limit", ""] > 0
    assert found["timeout", ""] > 0
    assert found["exception", "server_error"] + found["error", "server_error"] > 0
