"""What Laminar, LangSmith, MLflow and OpenLLMetry say in ways of their own."""

import json
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spanwise_schemas.attributes import KINDS
from tests.support.otlp import attributes, one_row, record, rows, span, traces, transform

OK = Status(code=Status.STATUS_CODE_OK)


def with_event(made: Span, name: str, values: dict[str, object], after_ms: int = 1) -> Span:
    """The span with an event more."""
    made.events.add(
        name=name, time_unix_nano=made.start_time_unix_nano + after_ms * 1_000_000, attributes=attributes(values)
    )
    return made


def both_rows(made: Span, scope: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The span's rows in `spans` and `span_io`."""
    batch = transform(record(traces(made, scope=scope)))
    return rows(batch, "spans")[0], rows(batch, "span_io")[0]


@pytest.mark.parametrize(
    ("last", "kind"), [("openai.embeddings", "embedding"), ("openai.chat", "llm"), ("cohere.rerank", "reranker")]
)
def test_laminar_types_every_call_as_llm(last: str, kind: str) -> None:
    """The last name on the path tells calls of other kinds; the path itself stays an attribute."""
    values: dict[str, object] = {"lmnr.span.type": "LLM", "lmnr.span.path": ["answer", last]}
    row = one_row(span(values=values), scope="lmnr.tracer")

    assert KINDS[row["kind"]] == kind
    assert dict(row["attrs"])["lmnr.span.path"] == json.dumps(["answer", last], separators=(",", ":"))


def test_langsmith_tells_a_failure_by_its_event() -> None:
    """Its status is ok from the start; type and words are those of the exception inside."""
    made = span(values={"langsmith.span.kind": "llm"})
    made.status.CopyFrom(OK)
    said = "RateLimitError('Slow down')\n\nTraceback (most recent call last):\n  File"
    with_event(made, "exception", {"exception.type": "Exception", "exception.message": said})
    row = one_row(made, scope="langsmith")

    assert (row["status"], row["error_type"], row["status_message"]) == (2, "RateLimitError", "Slow down")


def test_exception_that_was_handled_is_no_failure() -> None:
    """Elsewhere a span with status ok stays so, whatever happened inside."""
    made = span(values={"gen_ai.operation.name": "chat"})
    made.status.CopyFrom(OK)
    row = one_row(with_event(made, "exception", {"exception.type": "Exception"}), scope="app")

    assert (row["status"], row["error_type"]) == (1, "")


def test_mlflow_stream_is_put_together_from_its_chunks() -> None:
    """Tool calls and token details come from the chunks; what the span calls its output is kept as sent."""
    sent = '{"id":"chatcmpl-1","choices":[{"finish_reason":"stop","message":{"role":"assistant","content":""}}]}'
    made = span(values={"mlflow.spanType": '"CHAT_MODEL"', "mlflow.spanOutputs": sent})
    call = {"index": 0, "id": "call_1", "function": {"name": "track", "arguments": '{"order":"A"}'}}
    usage = {"prompt_tokens": 9, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 3}}
    chunks: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"role": "assistant", "tool_calls": [call]}}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
        {"choices": [], "usage": usage},
    ]
    for at, chunk in enumerate(chunks):
        whole = {"id": "chatcmpl-1", "model": "gpt-4o", "object": "chat.completion.chunk", **chunk}
        with_event(made, f"mlflow.chunk.item.{at}", {"mlflow.chunk.value": json.dumps(whole)}, after_ms=40 + at)
    row, io = both_rows(made, "mlflow.tracing.provider")

    part = {"type": "tool_call", "id": "call_1", "name": "track", "arguments": {"order": "A"}}
    assert json.loads(io["output"]) == [{"role": "assistant", "parts": [part], "finish_reason": "tool_calls"}]
    assert dict(io["raw"]) == {"mlflow.spanOutputs": sent}
    assert (row["finish_reason"], row["response_id"], row["ttft_us"]) == ("tool_call", "chatcmpl-1", 40_000)
    assert (row["tok_input"], row["tok_output"], row["tok_reasoning"]) == (9, 5, 3)


def test_mlflow_calls_the_model_that_answered_the_one_asked_for() -> None:
    """With the GenAI conventions' names the right one is in the argument `model`, which others use otherwise."""
    values: dict[str, object] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-2024-08-06"}
    values["model"] = '"gpt-4o"'

    assert one_row(span(values=values), scope="mlflow.tracing.provider")["model_request"] == "gpt-4o"
    assert one_row(span(values=values), scope="app")["model_request"] == "gpt-4o-2024-08-06"


def test_openllmetry_writes_blocks_and_thoughts_into_numbered_messages() -> None:
    """JSON of Anthropic's blocks becomes parts, a message in the role of thinking the model's reasoning."""
    blocks = [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "Near Graz."}]
    values: dict[str, object] = {
        "llm.request.type": "chat",
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": json.dumps(blocks),
        "gen_ai.completion.0.role": "thinking",
        "gen_ai.completion.0.content": "Hm.",
        "gen_ai.completion.0.finish_reason": "end_turn",
        "gen_ai.completion.1.content": "There.",
    }
    row, io = both_rows(span(values=values), "opentelemetry.instrumentation.anthropic")

    response = {"type": "tool_call_response", "id": "toolu_1", "response": "Near Graz."}
    assert json.loads(io["input"]) == [{"role": "tool", "parts": [response]}]
    assert json.loads(io["output"]) == [
        {"role": "assistant", "parts": [{"type": "reasoning", "content": "Hm."}], "finish_reason": "end_turn"},
        {"role": "assistant", "parts": [{"type": "text", "content": "There."}]},
    ]
    assert row["finish_reason"] == "stop"


def test_json_in_a_text_is_a_text() -> None:
    """A list that is no content block is what the user wrote."""
    words = json.dumps([{"type": "table", "rows": []}])
    values: dict[str, object] = {"llm.request.type": "chat", "gen_ai.prompt.0.content": words}
    _, io = both_rows(span(values=values), "opentelemetry.instrumentation.openai")

    assert json.loads(io["input"]) == [{"role": "user", "parts": [{"type": "text", "content": words}]}]


def test_request_for_embeddings_in_a_body() -> None:
    """The texts remain of the request; model and tokens come from both bodies."""
    values: dict[str, object] = {
        "mlflow.spanType": '"EMBEDDING"',
        "mlflow.spanInputs": '{"model": "small", "input": ["One.", "Two."], "dimensions": 3}',
        "mlflow.spanOutputs": '{"model": "small-1", "data": [{"embedding": [0.5]}], "usage": {"prompt_tokens": 9}}',
    }
    row, io = both_rows(span(values=values), "mlflow.tracing.provider")

    assert json.loads(io["input"]) == ["One.", "Two."]
    assert (row["model_request"], row["model_response"], row["tok_input"]) == ("small", "small-1", 9)
    assert dict(row["params"]) == {"dimensions": "3"}
