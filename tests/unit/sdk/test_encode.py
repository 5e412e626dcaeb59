"""From spans to records: the fast encoding equals OpenTelemetry's; records hold one partition and keep their size."""

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from spanwise._encode import Losses, SpanEncoder, encode_score_batch
from spanwise._mask import MASK_FAILED, Masking
from spanwise._otlp import simple_span
from spanwise._pack import MAX_ITEMS, pack
from spanwise._scores import Score
from spanwise_schemas.wire import LOGS_TOPIC, MAX_RECORD_BYTES, SPANS_TOPIC, partition_for

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
value = st.one_of(
    text,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.lists(text, max_size=3).map(tuple),
    st.lists(st.integers(-5, 5), max_size=3).map(tuple),
)
ids = st.integers(1, 2**64 - 1)


def context(trace: int, span: int, *, remote: bool = False) -> SpanContext:
    """A valid span context."""
    return SpanContext(trace, span, is_remote=remote, trace_flags=TraceFlags(1))


class Attributes(dict[str, Any]):
    """What the OpenTelemetry SDK holds in a span: a mapping with `copy`."""


def make_span(trace: int = 1, span: int = 2, attributes: dict[str, Any] | None = None, **more: Any) -> ReadableSpan:
    """A finished span."""
    defaults: dict[str, Any] = {
        "name": "n",
        "resource": Resource({"service.name": "app", "service.instance.id": "old"}),
        "instrumentation_scope": InstrumentationScope("scope", "1"),
        "start_time": 10,
        "end_time": 20,
    }
    return ReadableSpan(context=context(trace, span), attributes=Attributes(attributes or {}), **(defaults | more))


spans = st.builds(
    make_span,
    trace=st.integers(1, 2**128 - 1),
    span=ids,
    attributes=st.dictionaries(text.filter(bool), value, max_size=5),
    name=text,
    parent=st.none() | st.builds(context, ids, ids, remote=st.booleans()),
    kind=st.sampled_from(list(SpanKind)),
    status=st.just(Status())
    | st.builds(lambda message: Status(StatusCode.ERROR, message), st.none() | text)
    | st.just(Status(StatusCode.OK)),
    start_time=st.integers(0, 2**64 - 1),
    end_time=st.integers(0, 2**64 - 1),
)


@given(spans)
def test_the_fast_encoding_equals_opentelemetrys(span: ReadableSpan) -> None:
    """Every field of a simple span is what `encode_spans` writes."""
    data = simple_span(span)

    assert data is not None
    assert ProtoSpan.FromString(data) == encode_spans([span]).resource_spans[0].scope_spans[0].spans[0]


def test_spans_that_are_not_simple_go_through_opentelemetrys_encoder() -> None:
    """Events, links and nested values are kept."""
    rich = [
        make_span(events=[Event("exception", {"exception.type": "E"}, timestamp=15)]),
        make_span(links=[Link(context(5, 6))]),
        make_span(attributes={"nested": {"a": 1}}),
        make_span(attributes={"plain": "x"}),
    ]
    losses = Losses()

    request = ExportTraceServiceRequest.FromString(SpanEncoder({}, None).encode(rich, losses))

    got = [span for group in request.resource_spans for scope in group.scope_spans for span in scope.spans]
    expected = [
        span for group in encode_spans(rich).resource_spans for scope in group.scope_spans for span in scope.spans
    ]
    assert sorted(map(str, got)) == sorted(map(str, expected))
    assert losses == Losses()


def test_every_resource_is_stamped_with_its_sender() -> None:
    """Project and producer replace what the resource had; the rest of it, and the scope, stay."""
    encoder = SpanEncoder({"spanwise.project": "p", "service.instance.id": "me"}, None)
    batch = [make_span(), make_span(events=[Event("e", timestamp=1)])]

    request = ExportTraceServiceRequest.FromString(encoder.encode(batch, Losses()))

    for group in request.resource_spans:
        found = {pair.key: pair.value.string_value for pair in group.resource.attributes}
        assert found == {"service.name": "app", "spanwise.project": "p", "service.instance.id": "me"}
        assert [scope.scope.name for scope in group.scope_spans] == ["scope"]


def test_the_mask_sees_every_text_but_those_that_carry_meaning() -> None:
    """Inputs, events, status and nested values are masked; model and operation are not."""
    span = make_span(
        attributes={"input.value": "call 555", "gen_ai.request.model": "m-555", "list": ("555", "x"), "n": 555},
        events=[Event("exception", {"exception.message": "bad 555", "exception.type": "E555"}, timestamp=1)],
        status=Status(StatusCode.ERROR, "failed 555"),
    )

    data = SpanEncoder({}, Masking(lambda found: found.replace("555", "***"))).encode([span], Losses())

    masked = ExportTraceServiceRequest.FromString(data).resource_spans[0].scope_spans[0].spans[0]
    attributes = {pair.key: pair.value for pair in masked.attributes}
    assert attributes["input.value"].string_value == "call ***"
    assert attributes["gen_ai.request.model"].string_value == "m-555"
    assert [item.string_value for item in attributes["list"].array_value.values] == ["***", "x"]
    assert {pair.key: pair.value.string_value for pair in masked.events[0].attributes} == {
        "exception.message": "bad ***",
        "exception.type": "E555",
    }
    assert masked.status.message == "failed ***"


def test_a_failing_mask_sends_nothing_unmasked() -> None:
    """The value is replaced and counted; also when the mask returns no text."""

    def mask(found: str) -> Any:
        if found == "secret":
            raise RuntimeError("mask is broken")

    losses = Losses()
    data = SpanEncoder({}, Masking(mask)).encode([make_span(attributes={"a": "secret", "b": "other"})], losses)

    span = ExportTraceServiceRequest.FromString(data).resource_spans[0].scope_spans[0].spans[0]
    assert {pair.value.string_value for pair in span.attributes} == {MASK_FAILED}
    assert losses.mask_failed == 2


def test_a_span_too_large_for_a_record_is_cut_and_one_that_stays_too_large_is_counted() -> None:
    """Long texts are cut; millions of small values cannot be."""
    large = make_span(span=3, attributes={f"text{n}": "x" * 300_000 for n in range(5)})
    hopeless = make_span(span=4, attributes={"numbers": tuple(range(500_000))})
    losses = Losses()

    request = ExportTraceServiceRequest.FromString(SpanEncoder({}, None).encode([large, hopeless, make_span()], losses))

    got = {
        span.span_id[-1]: span.ByteSize()
        for group in request.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    }
    assert set(got) == {2, 3}
    assert got[3] < 900_000
    assert losses.too_large == 1


def test_what_cannot_be_encoded_is_counted_and_the_rest_is_kept() -> None:
    """One broken span does not take its neighbours with it."""
    broken = make_span(start_time=-1)
    losses = Losses()

    request = ExportTraceServiceRequest.FromString(
        SpanEncoder({}, Masking(lambda found: found)).encode([broken, make_span()], losses)
    )

    assert sum(len(scope.spans) for group in request.resource_spans for scope in group.scope_spans) == 1
    assert losses.encode_failed == 1


@given(st.lists(st.integers(1, 2**128 - 1), min_size=1, max_size=200), st.integers(1, 12), st.integers(1, 4))
def test_records_hold_one_partition_each_and_every_span_once(traces: list[int], partitions: int, cuts: int) -> None:
    """However requests are cut and however many partitions there are."""
    batch = [make_span(trace, number + 1) for number, trace in enumerate(traces)]
    requests = [encode_spans(batch[start::cuts]).SerializeToString() for start in range(min(cuts, len(batch)))]

    records = pack(SPANS_TOPIC, requests, partitions)

    seen: Counter[bytes] = Counter()
    for record in records:
        found = [
            span
            for group in ExportTraceServiceRequest.FromString(record.value).resource_spans
            for scope in group.scope_spans
            for span in scope.spans
        ]
        assert {partition_for(span.trace_id, partitions) for span in found} == {record.partition}
        assert (record.items, record.key) == (len(found), found[0].trace_id)
        seen.update(span.span_id for span in found)
    assert seen == Counter((number + 1).to_bytes(8, "big") for number in range(len(traces)))


def test_records_stay_within_size_and_count() -> None:
    """At most 1,000 items and less than the limit in bytes."""
    small = encode_spans([make_span(span=number + 1) for number in range(2_500)]).SerializeToString()
    large = encode_spans(
        [make_span(span=number + 1, attributes={"x": "y" * 200_000}) for number in range(10)]
    ).SerializeToString()

    records = pack(SPANS_TOPIC, [small, large], 1)

    assert sum(record.items for record in records) == 2_510
    assert max(record.items for record in records) == MAX_ITEMS
    assert max(len(record.value) for record in records) < MAX_RECORD_BYTES


def test_scores_travel_with_their_target() -> None:
    """By trace id where there is one; those of one session go to one partition."""
    scores = [
        Score(b"\x01" * 16, b"\x02" * 8, 5, {"gen_ai.evaluation.name": "q"}),
        *(Score(b"", b"", 6, {"session.id": "s", "gen_ai.evaluation.score.value": 0.5}) for _ in range(3)),
    ]
    request = encode_score_batch(scores, {"spanwise.project": "p"}, None, Losses()).SerializeToString()

    records = pack(LOGS_TOPIC, [request], 64)

    assert sorted(record.items for record in records) == [1, 3]
    assert {record.key for record in records if record.items == 1} == {b"\x01" * 16}
