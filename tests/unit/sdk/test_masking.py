"""Masks in the SDK: nothing planted leaves the process, whoever made the span; a function that fails leaks nothing."""

from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags

import spanwise
from spanwise._config import load
from spanwise._encode import Losses, SpanEncoder, encode_score_batch
from spanwise._mask import MASK_FAILED, Masking
from spanwise._scores import Score
from spanwise_schemas.masking import Masks
from tests.support.canaries import KEYS, PATTERNS, Canaries
from tests.unit.sdk.test_encode import make_span

STAMP = {"spanwise.project": "p", "service.instance.id": "a" * 32}


def planted(canaries: Canaries) -> Any:
    """A span as a third party's instrumentation might make it, with a planted text wherever its API takes one."""
    new = canaries.new
    linked = SpanContext(5, 6, is_remote=True, trace_flags=TraceFlags(1))
    return make_span(
        name=f"POST {new('name')}",
        attributes={
            "user.id": new("attribute"),
            "tags": ("x", new("list")),
            "app.password": canaries.hidden("key"),
            "input.value": '{"q": "{\\"password\\": \\"' + canaries.hidden("JSON in JSON") + '\\"}"}',
            new("attribute name"): 1,
        },
        events=[
            Event(new("event name"), {"exception.message": new("message"), "exception.stacktrace": new("stack")}, 1)
        ],
        links=[Link(linked, {"why": new("link")})],
        status=Status(StatusCode.ERROR, new("status")),
        resource=Resource({"process.command_line": new("resource")}, schema_url=new("resource schema")),
        instrumentation_scope=InstrumentationScope(new("scope"), new("version"), new("schema"), {"a": new("scope's")}),
    )


def scored(canaries: Canaries) -> Score:
    """A score with planted texts."""
    return Score(
        trace_id=bytes(range(16)),
        span_id=b"",
        time_ns=1,
        attributes={
            "gen_ai.evaluation.name": f"good {canaries.new('score name')}",
            "gen_ai.evaluation.explanation": canaries.new("explanation"),
            "gen_ai.evaluation.score.label": canaries.new("label"),
            "gen_ai.evaluation.score.value": 0.5,
        },
    )


@pytest.mark.parametrize("masked", [False, True])
def test_what_leaves_the_process(masked: bool) -> None:
    """Of all that was planted nothing is sent with masks, and everything without."""
    canaries = Canaries("s")
    masking = Masking(None, Masks.of(PATTERNS, KEYS)) if masked else None
    span, score = planted(canaries), scored(canaries)

    spans = SpanEncoder(STAMP, masking).encode([span], Losses())
    scores = encode_score_batch([score], STAMP, masking, Losses()).SerializeToString()

    assert canaries.found_in(spans, scores) == (set() if masked else set(canaries.places))
    resource = ExportTraceServiceRequest.FromString(spans).resource_spans[0].resource
    stamped = {one.key: one.value.string_value for one in resource.attributes}
    assert {key: stamped[key] for key in STAMP} == STAMP


def test_the_function_runs_before_the_patterns() -> None:
    """It sees what was recorded, and what it leaves in is found."""
    seen: list[str] = []

    def function(text: str) -> str:
        seen.append(text)
        return text.replace("bob", "alice")

    data = SpanEncoder({}, Masking(function, Masks.of("email", "secret"))).encode(
        [make_span(attributes={"a": "bob@x.org", "secret": "s"})], Losses()
    )

    span = ExportTraceServiceRequest.FromString(data).resource_spans[0].scope_spans[0].spans[0]
    assert {one.key: one.value.string_value for one in span.attributes} == {
        "a": "[masked:email]",
        "secret": "[masked:key]",
    }
    assert "bob@x.org" in seen
    assert "s" not in seen


def test_a_function_that_fails_is_not_quoted() -> None:
    """The value becomes a note, the failure is counted, and its words, which may hold the value, are not kept."""

    def function(text: str) -> str:
        raise RuntimeError(f"cannot mask {text}")

    losses = Losses()
    score = Score(trace_id=bytes(16), span_id=b"", time_ns=1, attributes={"gen_ai.evaluation.explanation": "planted"})
    request = encode_score_batch([score], {}, Masking(function), losses)

    assert b"planted" not in request.SerializeToString()
    assert request.resource_logs[0].scope_logs[0].log_records[0].attributes[0].value.string_value == MASK_FAILED
    assert (losses.mask_failed, losses.details) == (1, {"mask_failed": "RuntimeError"})


def test_settings_come_from_arguments_or_variables() -> None:
    """Both are the collector's; a wrong one is refused with its name."""
    given = load({"mask_patterns": ["email", {"mine": "x+"}], "mask_keys": ["A"]}, {})
    found = load({}, {"SPANWISE_MASK_PATTERNS": '["email", {"mine": "x+"}]', "SPANWISE_MASK_KEYS": "a"})

    assert (given.mask_patterns, given.mask_keys) == (found.mask_patterns, found.mask_keys)
    assert [one.name for one in found.mask_patterns] == ["email", "mine"]
    with pytest.raises(spanwise.ConfigurationError, match=r"SPANWISE_MASK_PATTERNS is 'emial': there is no pattern"):
        load({}, {"SPANWISE_MASK_PATTERNS": "emial"})


def test_logs_requests_are_read_back() -> None:
    """What is masked is still a request with its numbers."""
    canaries = Canaries("t")
    request = encode_score_batch([scored(canaries)], STAMP, Masking(None, Masks.of("all", "")), Losses())

    read = ExportLogsServiceRequest.FromString(request.SerializeToString())
    values = {one.key: one.value for one in read.resource_logs[0].scope_logs[0].log_records[0].attributes}
    assert values["gen_ai.evaluation.score.value"].double_value == 0.5
    assert values["gen_ai.evaluation.name"].string_value == "good [masked:email]"
