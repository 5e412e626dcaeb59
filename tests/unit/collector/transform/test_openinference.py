"""Spans of OpenInference's instrumentations and of LiteLLM: what belongs together is put together."""

import json
from typing import Any

from tests.support.otlp import record, rows, span, traces, transform

_OPENINFERENCE = "openinference.instrumentation."


def stored(attributes: dict[str, Any], scope: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The row of a span and its bodies."""
    batch = transform(record(traces(span("call", attributes), scope=scope)))
    (row,), bodies = rows(batch, "spans"), rows(batch, "span_io")
    return row, bodies[0] if bodies else {}


def columns(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    """Some columns of a row."""
    return tuple(row[name] for name in names)


def test_what_only_the_whole_answer_tells() -> None:
    """The answer beside its messages gives id, sorts of tokens and the exact model, where attributes leave them out."""
    usage = {"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens": 99}
    choice = {"finish_reason": "stop", "message": {"role": "assistant", "content": "Graz."}}
    answer = {"id": "chatcmpl-1", "model": "gpt-4o-2024-08-06", "choices": [choice], "usage": usage}
    request = {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": "Where?"}]}
    row, io = stored(
        {
            "openinference.span.kind": "LLM",
            "llm.model_name": "gpt-4o",
            "llm.token_count.completion": 20,
            "input.value": json.dumps(request),
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": "Where?",
            "output.value": json.dumps(answer),
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": "Graz.",
        },
        _OPENINFERENCE + "openai",
    )

    assert (
        "gpt-4o",
        "gpt-4o-2024-08-06",
        "chatcmpl-1",
        "stop",
        (10, 4, 20),
        True,
        [{"role": "assistant", "parts": [{"type": "text", "content": "Graz."}]}],
    ) == (
        *columns(row, "model_request", "model_response", "response_id", "finish_reason"),
        columns(row, "tok_input", "tok_cache_read", "tok_output"),
        row["streaming"],
        json.loads(io["output"]),
    )
    mapping = json.loads(row["mapping"])
    assert (mapping["response_id"], mapping["tok_output"]) == ("@output", "llm.token_count.completion")


def test_system_prompt_once() -> None:
    """Instructions of a request that lost to its messages are left out where the messages have them."""
    attributes = {
        "openinference.span.kind": "LLM",
        "input.value": json.dumps({"model": "gpt-4o", "input": "Where?", "instructions": "Be brief."}),
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.content": "Where?",
    }
    said = {"llm.input_messages.0.message.role": "system", "llm.input_messages.0.message.content": "Be brief."}

    _, without = stored(attributes, _OPENINFERENCE + "openai")
    _, with_it = stored(said | attributes, _OPENINFERENCE + "openai")

    assert (without["system_instructions"], with_it["system_instructions"]) == ("Be brief.", "")


def test_model_of_a_request() -> None:
    """Where `llm.model_name` is known to be the model asked for, it says nothing of the one that answered."""
    attributes = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o"}
    of_llama_index, _ = stored(attributes, _OPENINFERENCE + "llama_index")
    of_openai, _ = stored(attributes, _OPENINFERENCE + "openai")

    assert columns(of_llama_index, "model_request", "model_response") == ("gpt-4o", "")
    assert columns(of_openai, "model_request", "model_response") == ("gpt-4o", "gpt-4o")


def test_provider_in_front_of_a_model() -> None:
    """LiteLLM's `provider/model` is a provider and a model; another part in front belongs to the model's name."""
    attributes = {
        "openinference.span.kind": "LLM",
        "llm.model_name": "anthropic/claude-haiku-4-5",
        "llm.invocation_parameters": json.dumps({"model": "anthropic/claude-haiku-4-5"}),
    }
    other = attributes | {"llm.invocation_parameters": json.dumps({"model": "meta-models/llama-3"})}
    row, _ = stored(attributes, _OPENINFERENCE + "litellm")
    other_row, _ = stored(other, _OPENINFERENCE + "litellm")

    assert columns(row, "provider", "model_request", "model_response") == ("anthropic", "claude-haiku-4-5", "")
    assert columns(other_row, "provider", "model_request") == ("", "meta-models/llama-3")


def test_genai_names_made_from_its_own() -> None:
    """Set to write GenAI names besides, OpenInference calls a tool's schema its arguments; its own names go first."""
    attributes = {
        "openinference.span.kind": "TOOL",
        "input.value": '{"order": "7"}',
        "gen_ai.tool.call.arguments": '{"type": "object"}',
        "output.value": "Graz",
    }
    _, own = stored(attributes, _OPENINFERENCE + "langchain")
    _, other = stored(attributes, "app")

    assert (own["input"], own["raw"]) == ('{"order": "7"}', {"gen_ai.tool.call.arguments": '{"type": "object"}'})
    assert other["input"] == '{"type": "object"}'


def test_embedding() -> None:
    """What is embedded are its texts; its vectors are not kept."""
    row, io = stored(
        {
            "openinference.span.kind": "EMBEDDING",
            "embedding.model_name": "text-embedding-3-small",
            "embedding.embeddings.0.embedding.text": "One",
            "embedding.embeddings.0.embedding.vector": [0.5, 0.25],
            "embedding.embeddings.1.embedding.text": "Two",
        },
        _OPENINFERENCE + "openai",
    )

    assert (row["kind"], json.loads(io["input"]), row["attrs"]) == (2, ["One", "Two"], {})


def test_litellm_callback() -> None:
    """Token sorts are read from Python's literals; the provider's id from LiteLLM's own; calls that stand apart."""
    usage = (
        "{'prompt_tokens_details': {'cached_tokens': 4, 'cache_creation_tokens': 3}, 'completion_tokens_details': None}"
    )
    inside = "cmVzcF9iR2wwWld4c2JUcGpkWE4wYjIxZmJHeHRYM0J5YjNacFpHVnlPbTl3Wlc1aGFUdHRiMlJsYkY5cFpEcE9iMjVs"
    row, io = stored(
        {
            "metadata.usage_object": usage,
            "litellm.provider.model": "openai/gpt-4o",
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.system": "",
            "gen_ai.response.id": "resp_bGl0ZWxsbTptb2RlbF9pZDpOb25lO3Jlc3BvbnNlX2lkOnJlc3BfMQ==",
            "gen_ai.usage.input_tokens": 10,
            "gen_ai.usage.output_tokens": 20,
            "gen_ai.cost.total_cost": 0.5,
            "gen_ai.output.messages": '[{"role": "assistant", "parts": [], "finish_reason": "tool_calls"}]',
            "gen_ai.completion.0.function_call.name": "track",
            "gen_ai.completion.0.function_call.arguments": '{"order": "7"}',
        },
        "litellm",
    )
    kept, _ = stored({"gen_ai.response.id": "resp_" + inside}, "litellm")

    assert ("openai", "resp_1", (10, 4, 3, 20), 500_000_000, "litellm") == (
        *columns(row, "provider", "response_id"),
        columns(row, "tok_input", "tok_cache_read", "tok_cache_write", "tok_output"),
        *columns(row, "cost_total_n", "convention"),
    )
    assert [{"type": "tool_call", "id": None, "name": "track", "arguments": {"order": "7"}}] == json.loads(
        io["output"]
    )[0]["parts"]
    assert kept["response_id"] == "resp_" + inside


def test_model_that_only_the_answer_tells() -> None:
    """Where an attribute names the model asked for in place of the one that answered, the answer's word is stored."""
    row, _ = stored(
        {
            "openinference.span.kind": "LLM",
            "llm.model_name": "openai/gpt-4o",
            "output.value": json.dumps(
                {"model": "gpt-4o-2024-08-06", "choices": [{"message": {"role": "assistant", "content": "x"}}]}
            ),
        },
        _OPENINFERENCE + "litellm",
    )

    assert row["model_response"] == "gpt-4o-2024-08-06"


def test_what_makes_a_request_ready_is_no_call() -> None:
    """LlamaIndex's span `_prepare_chat_with_tools` is a step; its input is a body, and no attribute besides."""
    given = json.dumps({"chat_history": ["Hi"], "tool_required": False})
    attributes = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "input.value": given}
    row, io = stored(attributes, _OPENINFERENCE + "llama_index")
    call, _ = stored(attributes | {"input.value": '{"messages": ["Hi"]}'}, _OPENINFERENCE + "llama_index")

    kept = {"openinference.span.kind": "LLM"}
    assert (columns(row, "kind", "counts_usage", "attrs"), io["input"]) == ((5, False, kept), given)
    assert columns(call, "kind", "counts_usage") == (1, True)
