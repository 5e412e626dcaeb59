"""Message content in log records and span events: one form, at its span."""

import json
from typing import Any

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.otlp import NOW_NS, SPAN, TRACE, any_value, attributes, logs, record, rows, span, traces, transform

SIDES = ["", "input", "output", "system", "tools"]
USER = {"role": "user", "parts": [{"type": "text", "content": "Where is it?"}]}
CALL = {"id": "c1", "type": "function", "function": {"name": "track", "arguments": '{"id": 1}'}}
CALL_PART = {"type": "tool_call", "id": "c1", "name": "track", "arguments": {"id": 1}}


def entry(event: str, body: object = None, values: dict[str, object] | None = None, **fields: Any) -> LogRecord:
    """A log record of the test span."""
    given: dict[str, Any] = {
        "event_name": event,
        "trace_id": TRACE,
        "span_id": SPAN,
        "time_unix_nano": NOW_NS - 10**9 + 1234,
    }
    if body is not None:
        given["body"] = any_value(body)
    return LogRecord(attributes=attributes(values or {}), **(given | fields))


def told(*entries: LogRecord) -> list[tuple[str, Any]]:
    """Sides and contents of the rows that log records become."""
    batch = transform(record(logs(*entries)))
    assert (len(entries), []) == (batch.contents, batch.rejections)
    return [(SIDES[row["side"]], json.loads(row["body"])) for row in rows(batch, "span_content")]


@pytest.mark.parametrize(
    ("event", "body", "expected"),
    [
        ("gen_ai.user.message", {"content": "Where is it?"}, ("input", [USER])),
        (
            "gen_ai.system.message",
            {"content": "Be kind."},
            ("input", [{"role": "system", "parts": [{"type": "text", "content": "Be kind."}]}]),
        ),
        ("gen_ai.assistant.message", {"tool_calls": [CALL]}, ("input", [{"role": "assistant", "parts": [CALL_PART]}])),
        (
            "gen_ai.tool.message",
            {"id": "c1", "content": "Graz"},
            ("input", [{"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "Graz"}]}]),
        ),
        (
            "gen_ai.choice",
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "In Graz."}},
            (
                "output",
                [
                    {
                        "role": "assistant",
                        "parts": [{"type": "text", "content": "In Graz."}],
                        "finish_reason": "stop",
                    }
                ],
            ),
        ),
    ],
)
def test_event_of_one_message(event: str, body: object, expected: tuple[str, object]) -> None:
    """An event for each message: its body becomes one message, on the side that the event's name says."""
    assert [expected] == told(entry(event, body))


@pytest.mark.parametrize("in_body", [False, True])
@pytest.mark.parametrize("as_text", [False, True])
def test_event_of_the_whole_call(in_body: bool, as_text: bool) -> None:
    """The event with all content says each part once, structured or as JSON text, in attributes or in its body."""
    answer = {"role": "assistant", "parts": [CALL_PART], "finish_reason": "tool_call"}
    tools = [{"type": "function", "name": "track"}]
    values: dict[str, object] = {
        "gen_ai.input.messages": [USER],
        "gen_ai.output.messages": [answer],
        "gen_ai.system_instructions": [{"type": "text", "content": "Be kind."}],
        "gen_ai.tool.definitions": tools,
        "gen_ai.operation.name": "chat",
    }
    given = {key: json.dumps(value) if as_text and type(value) is list else value for key, value in values.items()}

    event = "gen_ai.client.inference.operation.details"
    found = told(entry(event, given) if in_body else entry(event, None, given))

    assert [
        ("input", [USER]),
        ("output", [answer]),
        ("system", [{"type": "text", "content": "Be kind."}]),
        ("tools", tools),
    ] == found


def test_the_same_piece_twice() -> None:
    """A record that is sent again makes the same key, so that it is stored once; another piece makes another."""
    first, other = entry("gen_ai.user.message", {"content": "a"}), entry("gen_ai.user.message", {"content": "b"})
    batch = transform(record(logs(first, other)), record(logs(first), offset=8))

    keys = [(row["time"], row["side"], row["seq"]) for row in rows(batch, "span_content")]

    assert (3, 2, keys[0]) == (len(keys), len(set(keys)), keys[2])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"trace_id": b""}, "content_without_span"),
        ({"span_id": b""}, "content_without_span"),
        ({"time_unix_nano": NOW_NS - 31 * 86_400 * 10**9}, "too_old"),
    ],
)
def test_content_that_cannot_be_stored(fields: dict[str, Any], reason: str) -> None:
    """Content without a span, or older than what is kept, is refused with its reason."""
    batch = transform(record(logs(entry("gen_ai.user.message", {"content": "a"}, **fields))))

    assert [(reason, 1)] == [(one.reason, one.items) for one in batch.rejections]


def event(name: str, values: dict[str, object]) -> Span.Event:
    """A span event."""
    return Span.Event(name=name, time_unix_nano=NOW_NS, attributes=attributes(values))


def test_span_events() -> None:
    """Events of the span itself fill its bodies, Bedrock's blocks too; the mapping names them."""
    call = span(
        values={"gen_ai.operation.name": "chat"},
        events=[
            event("gen_ai.user.message", {"content": json.dumps([{"text": "Where is it?"}])}),
            event(
                "gen_ai.choice",
                {
                    "message": json.dumps([{"toolUse": {"toolUseId": "c1", "name": "track", "input": {"id": 1}}}]),
                    "finish_reason": "tool_use",
                },
            ),
        ],
    )
    batch = transform(record(traces(call)))
    (row,), (io,) = rows(batch, "spans"), rows(batch, "span_io")

    assert (
        [USER],
        [{"role": "assistant", "parts": [CALL_PART], "finish_reason": "tool_use"}],
        ("Where is it?", 'track({"id":1})', "tool_call"),
        {
            "kind": "gen_ai.operation.name",
            "input": "gen_ai.user.message",
            "output": "gen_ai.choice",
            "finish_reason": "@output",
        },
    ) == (
        json.loads(io["input"]),
        json.loads(io["output"]),
        (row["input_preview"], row["output_preview"], row["finish_reason"]),
        json.loads(row["mapping"]),
    )


def test_attributes_go_before_events() -> None:
    """Where the span says its input itself, an event does not replace it."""
    call = span(
        values={"gen_ai.operation.name": "chat", "gen_ai.input.messages": [USER]},
        events=[event("gen_ai.user.message", {"content": "other"})],
    )

    (io,) = rows(transform(record(traces(call))), "span_io")

    assert [USER] == json.loads(io["input"])
