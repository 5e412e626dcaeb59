"""One span in, whole rows out."""

import json

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spanwise_collector.failures.fingerprint import fingerprint
from spanwise_collector.failures.masks import VERSION as MASKS
from spanwise_schemas.wire import HEADER_PROJECT
from tests.support.otlp import (
    NOW_MS,
    NOW_NS,
    SPAN,
    TRACE,
    attributes,
    one_row,
    record,
    rows,
    span,
    traces,
    transform,
    transformer,
)

EMPTY_ROW = {
    "project_id": "shop",
    "trace_id": TRACE,
    "span_id": SPAN,
    "parent_span_id": bytes(8),
    "start_time": NOW_MS * 1000 - 2_000_000,
    "duration_us": 1_000_000,
    "ttft_us": 0,
    "is_root": True,
    "name": "chat",
    "kind": 0,
    "status": 0,
    "error_type": "",
    "status_message": "",
    "env": "",
    "service": "bot",
    "release": "",
    "convention": "",
    "scope": "spanwise",
    "sdk": "",
    "user_id": "",
    "session_id": "",
    "agent_name": "",
    "tool_name": "",
    "prompt_name": "",
    "prompt_version": "",
    "tags": [],
    "provider": "",
    "model_request": "",
    "model_response": "",
    "finish_reason": "",
    "response_id": "",
    "tok_input": 0,
    "tok_cache_read": 0,
    "tok_cache_write": 0,
    "tok_output": 0,
    "tok_reasoning": 0,
    "usage_extra": {},
    "cost_input_n": 0,
    "cost_output_n": 0,
    "cost_total_n": 0,
    "cost_source": 0,
    "price_version": "",
    "counts_usage": False,
    "input_preview": "",
    "output_preview": "",
    "input_bytes": 0,
    "output_bytes": 0,
    "attrs": {},
    "warnings": [],
    "retention_days": 30,
    "ingested_at": NOW_MS,
    "ktopic": "otlp_spans/topic-id",
    "kpart": 3,
    "koff": 7,
    "mapping": "{}",
    "streaming": False,
    "tool_call_id": "",
    "params": {},
    "cost_reported_n": -1,
    "cost_computed_n": -1,
    "usage_reason": "",
    "failure_class": "",
    "failure_sub": "",
    "failure_title": "",
    "fingerprint": 0,
}
QUESTION = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Where is my order?"}]}])
ANSWER = json.dumps(
    [{"role": "assistant", "parts": [{"type": "text", "content": "On its way."}], "finish_reason": "stop"}]
)


def mapping(**given: str) -> str:
    """The column `mapping`: which attribute gave each field."""
    return json.dumps(given, separators=(",", ":"))


def test_plain_span() -> None:
    """A span with nothing but ids, name and times is a row of defaults and has no bodies."""
    batch = transform(record(traces(span())))

    assert ([EMPTY_ROW], []) == (rows(batch, "spans"), rows(batch, "span_io"))


def test_gen_ai_call() -> None:
    """A model call in the GenAI conventions fills every column it names, and its bodies stand apart."""
    call = span(
        "chat gpt-4o",
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.usage.input_tokens": 1_000,
            "gen_ai.usage.output_tokens": 200,
            "gen_ai.usage.cache_read.input_tokens": 400,
            "gen_ai.usage.reasoning.output_tokens": 50,
            "gen_ai.response.time_to_first_chunk": 0.25,
            "gen_ai.request.temperature": 0.5,
            "gen_ai.request.stream": True,
            "gen_ai.input.messages": QUESTION,
            "gen_ai.output.messages": ANSWER,
            "gen_ai.system_instructions": "Be kind.",
            "gen_ai.tool.definitions": [{"name": "track"}],
            "session.id": "s-1",
            "user.id": "u-1",
            "tag.tags": ["vip", "eu"],
            "gen_ai.prompt.name": "greeting",
            "gen_ai.prompt.version": "3",
            "spanwise.metadata.plan": "pro",
        },
        parent=b"parent!!",
        status=Status(code=Status.STATUS_CODE_OK),
    )
    resource = {
        "service.name": "bot",
        "service.version": "1.4",
        "deployment.environment.name": "prod",
        "spanwise.project": "shop",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": "1.45.2",
        "host.name": "h1",
    }

    batch = transform(record(traces(call, resource=resource, version="0.1")))

    # 600 input tokens at 2.50, 400 cached at 1.25, 200 output at 10 USD per million.
    cost_input, cost_output = 600 * 2_500 + 400 * 1_250, 200 * 10_000
    assert rows(batch, "spans") == [
        EMPTY_ROW
        | {
            "parent_span_id": b"parent!!",
            "is_root": False,
            "name": "chat gpt-4o",
            "kind": 1,
            "status": 1,
            "ttft_us": 250_000,
            "env": "prod",
            "release": "1.4",
            "convention": "gen_ai",
            "sdk": "opentelemetry 1.45.2",
            "user_id": "u-1",
            "session_id": "s-1",
            "prompt_name": "greeting",
            "prompt_version": "3",
            "tags": ["vip", "eu"],
            "provider": "openai",
            "model_request": "gpt-4o",
            "model_response": "gpt-4o-2024-08-06",
            "finish_reason": "stop",
            "response_id": "chatcmpl-1",
            "tok_input": 1_000,
            "tok_cache_read": 400,
            "tok_output": 200,
            "tok_reasoning": 50,
            "cost_input_n": cost_input,
            "cost_output_n": cost_output,
            "cost_total_n": cost_input + cost_output,
            "cost_source": 2,
            "price_version": "genai-prices 0.2.3",
            "counts_usage": True,
            "input_preview": "Where is my order?",
            "output_preview": "On its way.",
            "input_bytes": len(QUESTION),
            "output_bytes": len(ANSWER),
            "attrs": {
                "resource.host.name": "h1",
                "scope.version": "0.1",
                "spanwise.metadata.plan": "pro",
            },
            "streaming": True,
            "params": {"temperature": "0.5"},
            "cost_computed_n": cost_input + cost_output,
            "mapping": mapping(
                kind="gen_ai.operation.name",
                provider="gen_ai.provider.name",
                model_request="gen_ai.request.model",
                model_response="gen_ai.response.model",
                input="gen_ai.input.messages",
                output="gen_ai.output.messages",
                system_instructions="gen_ai.system_instructions",
                tool_defs="gen_ai.tool.definitions",
                finish_reason="gen_ai.response.finish_reasons",
                response_id="gen_ai.response.id",
                tok_input="gen_ai.usage.input_tokens",
                tok_output="gen_ai.usage.output_tokens",
                tok_cache_read="gen_ai.usage.cache_read.input_tokens",
                tok_reasoning="gen_ai.usage.reasoning.output_tokens",
                ttft_us="gen_ai.response.time_to_first_chunk",
                session_id="session.id",
                user_id="user.id",
                tags="tag.tags",
                prompt_name="gen_ai.prompt.name",
                prompt_version="gen_ai.prompt.version",
                params="gen_ai.request.*",
                streaming="gen_ai.request.stream",
            ),
        }
    ]
    assert rows(batch, "span_io") == [
        {
            "project_id": "shop",
            "trace_id": TRACE,
            "span_id": SPAN,
            "start_time": NOW_MS * 1000 - 2_000_000,
            "input": QUESTION,
            "output": ANSWER,
            "system_instructions": "Be kind.",
            "tool_defs": '[{"name":"track"}]',
            "events": "",
            "ingested_at": NOW_MS,
            "raw": {},
        }
    ]


def test_openinference_call() -> None:
    """Numbered attributes become one list of messages; they and the copy of the request are kept as sent."""
    call = span(
        "ChatCompletion",
        {
            "openinference.span.kind": "LLM",
            "llm.system": "openai",
            "llm.model_name": "gpt-4o",
            "input.value": '{"messages": []}',
            "input.mime_type": "application/json",
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.contents.0.message_content.type": "text",
            "llm.input_messages.0.message.contents.0.message_content.text": "Look",
            "llm.input_messages.0.message.contents.1.message_content.type": "image",
            "llm.input_messages.0.message.contents.1.message_content.image.image.url": "https://example.org/a.png",
            "llm.input_messages.1.message.role": "tool",
            "llm.input_messages.1.message.tool_call_id": "c1",
            "llm.input_messages.1.message.content": "42",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c2",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "track",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"id": 1}',
            "llm.tools.0.tool.json_schema": '{"name": "track"}',
            "llm.token_count.prompt": 100,
            "llm.token_count.completion": 10,
            "llm.token_count.total": 110,
            "llm.invocation_parameters": '{"temperature": 1}',
        },
    )

    batch = transform(record(traces(call, resource={"openinference.project.name": "phoenix"}, scope="oi")))

    messages = [
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "Look"},
                {"type": "uri", "modality": "image", "uri": "https://example.org/a.png"},
            ],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "42"}]},
    ]
    answer = [
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "c2", "name": "track", "arguments": {"id": 1}}],
        }
    ]
    (io,) = rows(batch, "span_io")
    sent = {one.key: one.value.string_value for one in call.attributes}
    assert (
        messages,
        answer,
        [{"name": "track"}],
        {key: sent[key] for key in sent if key.startswith(("llm.input_", "llm.output_")) or key == "input.value"},
    ) == (
        json.loads(io["input"]),
        json.loads(io["output"]),
        json.loads(io["tool_defs"]),
        io["raw"],
    )
    assert rows(batch, "spans") == [
        EMPTY_ROW
        | {
            "project_id": "phoenix",
            "service": "",
            "name": "ChatCompletion",
            "scope": "oi",
            "kind": 1,
            "convention": "openinference",
            "provider": "openai",
            "model_request": "gpt-4o",
            "model_response": "gpt-4o",
            "tok_input": 100,
            "tok_output": 10,
            "usage_extra": {"total": 110},
            "cost_input_n": 100 * 2_500,
            "cost_output_n": 10 * 10_000,
            "cost_total_n": 100 * 2_500 + 10 * 10_000,
            "cost_source": 2,
            "price_version": "genai-prices 0.2.3",
            "counts_usage": True,
            "input_preview": "42",
            "output_preview": 'track({"id":1})',
            "input_bytes": len(io["input"]),
            "output_bytes": len(io["output"]),
            "attrs": {"llm.invocation_parameters": '{"temperature": 1}'},
            "params": {"temperature": "1"},
            "cost_computed_n": 100 * 2_500 + 10 * 10_000,
            "mapping": mapping(
                kind="openinference.span.kind",
                provider="llm.system",
                model_request="llm.model_name",
                model_response="llm.model_name",
                input="llm.input_messages.*",
                output="llm.output_messages.*",
                tool_defs="llm.tools.*",
                tok_input="llm.token_count.prompt",
                tok_output="llm.token_count.completion",
                tok_total="llm.token_count.total",
                params="llm.invocation_parameters",
            ),
        }
    ]


def test_failed_span() -> None:
    """An error takes type and message from the exception event where the span has none; events and links are kept."""
    failed = span(
        status=Status(code=Status.STATUS_CODE_ERROR),
        events=[
            Span.Event(
                name="exception",
                time_unix_nano=NOW_NS,
                attributes=attributes({"exception.type": "TimeoutError", "exception.message": "no answer"}),
            )
        ],
        links=[Span.Link(trace_id=TRACE, span_id=SPAN)],
    )

    batch = transform(record(traces(failed)))

    assert rows(batch, "spans") == [
        EMPTY_ROW
        | {
            "status": 2,
            "error_type": "TimeoutError",
            "status_message": "no answer",
            "failure_class": "timeout",
            "failure_title": "Timeout: no answer",
            "fingerprint": fingerprint("shop", "timeout", "", "", "", f"m{MASKS}", "no answer"),
        }
    ]
    assert json.loads(rows(batch, "span_io")[0]["events"]) == [
        {
            "type": "event",
            "name": "exception",
            "time": "2026-11-22T12:00:00.000000Z",
            "attributes": {"exception.type": "TimeoutError", "exception.message": "no answer"},
        },
        {"type": "link", "trace_id": TRACE.hex(), "span_id": SPAN.hex(), "attributes": {}},
    ]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"gen_ai.operation.name": "execute_tool"}, 3),
        ({"gen_ai.operation.name": "invoke_agent"}, 4),
        ({"gen_ai.operation.name": "fetch_response"}, 0),
        ({"gen_ai.operation.name": "new_word", "openinference.span.kind": "CHAIN"}, 5),
        ({"openinference.span.kind": "GUARDRAIL"}, 8),
        ({"traceloop.span.kind": "workflow"}, 5),
        ({"llm.request.type": "rerank"}, 7),
        ({"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 1}, 1),
        ({"gen_ai.request.model": "m"}, 0),
    ],
)
def test_kind(values: dict[str, object], kind: int) -> None:
    """The kind comes from the best convention whose word is known; a model with tokens is a call without saying so."""
    assert kind == one_row(span(values=values))["kind"]


def test_structured_values() -> None:
    """Messages may be structured values and attributes of any sort; all are stored as text."""
    call = span(
        values={
            "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "hä"}]}],
            "flag": False,
            "number": 0,
            "share": 0.5,
            "raw": b"\x00\xff",
            "list": ["a", 1, {"b": None}],
            "nothing": None,
            "odd": [float("nan"), {"a": float("inf")}],
            "empty": "",
        }
    )

    row = one_row(call)

    assert ("hä", len('[{"role":"user","parts":[{"type":"text","content":"h"}]}]') + 2) == (
        row["input_preview"],
        row["input_bytes"],
    )
    assert row["attrs"] == {
        "flag": "false",
        "number": "0",
        "share": "0.5",
        "raw": "AP8=",
        "list": '["a",1,{"b":null}]',
        "nothing": "null",
        "odd": '["nan",{"a":"inf"}]',
        "empty": "",
    }


def test_loser_of_a_field_stays_an_attribute() -> None:
    """Where two attributes name a field, the better one fills the column and the other is kept as it is."""
    row = one_row(span(values={"gen_ai.system": "az", "gen_ai.provider.name": "azure.ai.openai"}))

    assert ("azure.ai.openai", {"gen_ai.system": "az"}) == (row["provider"], row["attrs"])


def test_time_to_first_token_from_an_event() -> None:
    """OpenInference marks the first token with an event."""
    start = NOW_NS - 2_000_000_000
    row = one_row(span(events=[Span.Event(name="First Token Stream Event", time_unix_nano=start + 300_000_000)]))

    assert row["ttft_us"] == 300_000


def test_time_to_first_token_in_milliseconds() -> None:
    """Strands writes milliseconds under a name whose unit is seconds elsewhere; the scope decides."""
    values = {"gen_ai.server.time_to_first_token": 450}

    assert (450_000, 450_000_000) == (
        one_row(span(values=values), scope="strands-agents")["ttft_us"],
        one_row(span(values=values), scope="openlit")["ttft_us"],
    )


@pytest.mark.parametrize(
    ("name", "stored"),
    [("", "default"), ("  team/a b ", "team/a b"), ("x\n<y>", "x__y_"), ("é" * 70, "é" * 64), ("\0", "_")],
)
def test_project_name(name: str, stored: str) -> None:
    """A project's name is cleaned to what a URL and a menu can show."""
    assert stored == one_row(span(), resource={"spanwise.project": name})["project_id"]


def test_retention_must_make_sense() -> None:
    """A retention that no column can hold fails at once and names the setting."""
    with pytest.raises(ValueError, match="SPANWISE_RETENTION_DAYS is 0; give 1 to 65535 days"):
        transformer(retention_days=0)


def test_project_of_the_record() -> None:
    """The project in a record's header, which a receiver wrote for a key, goes before what the resource says."""
    batch = transform(record(traces(span()), headers=[(HEADER_PROJECT, b"billing")]))

    assert [EMPTY_ROW | {"project_id": "billing"}] == rows(batch, "spans")
