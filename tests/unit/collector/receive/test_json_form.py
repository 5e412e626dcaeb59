"""OTLP/JSON as exporters in other languages write it."""

import base64
import json
import math
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.json_form import read_json
from spanwise_collector.receive.signals import LOGS, TRACES
from tests.support import otlp
from tests.support.otlp import NOW_NS, SPAN, TRACE

IDS = frozenset({"traceId", "spanId", "parentSpanId"})


def hex_ids(document: Any) -> Any:
    """Protobuf's JSON with its base64 ids written as OTLP writes them."""
    if isinstance(document, list):
        return [hex_ids(one) for one in document]
    if isinstance(document, dict):
        return {key: base64.b64decode(value).hex() if key in IDS else hex_ids(value) for key, value in document.items()}
    return document


def one_span(**fields: Any) -> dict[str, Any]:
    """A request with one span."""
    span = {"traceId": TRACE.hex(), "spanId": SPAN.hex(), "name": "chat", "startTimeUnixNano": str(NOW_NS), **fields}
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}


def read_span(document: dict[str, Any]) -> Any:
    """The only span of a request, which is read whole."""
    request, lost = read_json(TRACES, json.dumps(document).encode())
    assert lost == 0
    [span] = request.resource_spans[0].scope_spans[0].spans
    return span


VALUES = st.recursive(
    st.text(st.characters(exclude_categories=["Cs"]))
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text("abcdef", min_size=1), VALUES, max_size=5), st.booleans())
def test_everything_that_protobuf_writes_is_read_back(values: dict[str, Any], original_names: bool) -> None:
    """A request in protobuf's own JSON form, with hex ids, is the same request; under both sorts of field names."""
    span = otlp.span("näme", values, parent=SPAN, kind=3, flags=257, trace_state="a=b")
    span.events.add(name="e", time_unix_nano=NOW_NS).attributes.extend(otlp.attributes(values))
    span.links.add(trace_id=TRACE, span_id=SPAN)
    span.status.code, span.status.message = Status.STATUS_CODE_ERROR, "broken"
    request = otlp.traces(span, version="1")
    document = json_format.MessageToDict(request, preserving_proto_field_name=original_names)
    if original_names:
        document = json.loads(
            json.dumps(document)
            .replace('"trace_id"', '"traceId"')
            .replace('"span_id"', '"spanId"')
            .replace('"parent_span_id"', '"parentSpanId"')
        )

    assert read_json(TRACES, json.dumps(hex_ids(document)).encode()) == (request, 0)


def test_log_records_are_read_the_same_way() -> None:
    """Scores come as log records."""
    body = {
        "resourceLogs": [
            {
                "scopeLogs": [
                    {
                        "logRecords": [
                            {
                                "timeUnixNano": NOW_NS,
                                "eventName": "gen_ai.evaluation.result",
                                "traceId": TRACE.hex().upper(),
                                "body": {"kvlistValue": {"values": [{"key": "a", "value": {"intValue": "7"}}]}},
                            }
                        ]
                    }
                ]
            }
        ]
    }

    request, lost = read_json(LOGS, json.dumps(body).encode())

    [entry] = request.resource_logs[0].scope_logs[0].log_records
    assert (lost, entry.event_name, entry.trace_id, entry.time_unix_nano) == (
        0,
        "gen_ai.evaluation.result",
        TRACE,
        NOW_NS,
    )
    assert entry.body.kvlist_value.values[0].value.int_value == 7


@pytest.mark.parametrize(
    ("fields", "field", "read"),
    [
        ({"kind": 3}, "kind", 3),
        ({"kind": "SPAN_KIND_CLIENT"}, "kind", 3),
        ({"kind": "3"}, "kind", 3),
        ({"endTimeUnixNano": NOW_NS}, "end_time_unix_nano", NOW_NS),
        ({"endTimeUnixNano": str(NOW_NS)}, "end_time_unix_nano", NOW_NS),
        ({"endTimeUnixNano": 1.5e18}, "end_time_unix_nano", 1_500_000_000_000_000_000),
        ({"end_time_unix_nano": str(NOW_NS)}, "end_time_unix_nano", NOW_NS),
        ({"name": None}, "name", ""),
        ({"name": "half a pair \ud83d"}, "name", "half a pair ?"),
        ({"parentSpanId": ""}, "parent_span_id", b""),
        ({"traceState": "a=b", "fromTheFuture": {"x": [1]}}, "trace_state", "a=b"),
    ],
)
def test_spellings_that_exporters_use(fields: dict[str, Any], field: str, read: object) -> None:
    """Numbers as numbers or strings, enums as numbers or names, null for nothing, unknown fields for later versions."""
    assert getattr(read_span(one_span(**fields)), field) == read


def test_doubles_that_json_has_no_number_for() -> None:
    """NaN and the infinities are strings in protobuf's JSON mapping."""
    attributes = [{"key": key, "value": {"doubleValue": key}} for key in ("NaN", "Infinity", "-Infinity", "1.5")]
    found = [pair.value.double_value for pair in read_span(one_span(attributes=attributes)).attributes]

    assert math.isnan(found[0])
    assert found[1:] == [math.inf, -math.inf, 1.5]


def test_bytes_are_base64_of_either_alphabet() -> None:
    """With `+/` or `-_`, padded or not."""
    for text in ("-_8=", "+/8=", "-_8"):
        [pair] = read_span(one_span(attributes=[{"key": "b", "value": {"bytesValue": text}}])).attributes
        assert pair.value.bytes_value == b"\xfb\xff"


def test_values_nested_too_deep_are_cut_with_a_note() -> None:
    """The rest of the span is kept, and protobuf's readers can read it."""
    value: dict[str, Any] = {"stringValue": "bottom"}
    for _ in range(60):
        value = {"arrayValue": {"values": [value]}}

    span = read_span(one_span(attributes=[{"key": "deep", "value": value}]))

    assert "nested too deep" in str(span)
    assert type(span).FromString(span.SerializeToString()) == span


@pytest.mark.parametrize(
    "wrong",
    [
        {"traceId": "no hex"},
        {"traceId": 5},
        {"name": 5},
        {"kind": "SPAN_KIND_UNKNOWN"},
        {"kind": 1.5},
        {"startTimeUnixNano": "-1"},
        {"startTimeUnixNano": 2**64},
        {"startTimeUnixNano": True},
        {"attributes": {}},
        {"attributes": [{"key": "a", "value": {"intValue": "x"}}]},
        {"attributes": [{"key": "a", "value": {"boolValue": "true"}}]},
        {"attributes": [{"key": "a", "value": {"bytesValue": "?"}}]},
        {"attributes": ["a"]},
        {"status": 5},
    ],
)
def test_a_wrong_span_is_left_out_and_counted(wrong: dict[str, Any]) -> None:
    """The spans beside it are read."""
    document = one_span(name="good")
    spans = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans.insert(0, {**spans[0], **wrong})
    spans.append("no span")

    request, lost = read_json(TRACES, json.dumps(document).encode())

    assert ([span.name for span in request.resource_spans[0].scope_spans[0].spans], lost) == (["good"], 2)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"[]", b"5", b'"x"', b'{"resourceSpans": 5}', b'{"resourceSpans": [5]}', b"[" * 100_000],
)
def test_what_is_no_request_is_refused(body: bytes) -> None:
    """Answered with 400."""
    with pytest.raises(NotTakenError, match="The body is not") as caught:
        read_json(TRACES, body)
    assert caught.value.reason is Reason.BAD_BODY


def test_an_empty_request_is_one() -> None:
    """Some exporters send one to see whether anybody answers."""
    assert read_json(TRACES, b"{}") == (ExportTraceServiceRequest(), 0)
