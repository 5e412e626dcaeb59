"""Requests become records: every item once, in its partition, below the size limit."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.signals import LOGS, TRACES, Signal
from spanwise_collector.receive.split import MAX_HEAD_BYTES, MAX_ITEMS, Packed, Split, split
from spanwise_schemas.wire import MAX_RECORD_BYTES, partition_for
from tests.support import otlp

IDS = st.sampled_from([bytes([n]) * 16 for n in range(1, 12)])
SPANS = st.lists(st.tuples(IDS, st.integers(0, 400_000)), max_size=12)


def no_project(_resource: Any) -> str:
    """Leave the project to the resource."""
    return ""


def named_project(resource: Any) -> str:
    """The resource's own project."""
    return str(next(pair.value.string_value for pair in resource.attributes if pair.key == "spanwise.project"))


def request_of(groups: list[list[list[tuple[bytes, int]]]]) -> ExportTraceServiceRequest:
    """Resources with scopes with spans: trace id and size of each; names tell them apart."""
    request = ExportTraceServiceRequest()
    for number, scopes in enumerate(groups):
        group = request.resource_spans.add(schema_url="https://example.com/r")
        group.resource.attributes.extend(otlp.attributes({"spanwise.project": f"p{number % 2}", "group": number}))
        for at, spans in enumerate(scopes):
            scoped = group.scope_spans.add(schema_url="https://example.com/s")
            scoped.scope.name = f"scope {number} {at}"
            scoped.spans.extend(
                otlp.span(f"{number}/{at}/{n}", {"text": "x" * size}, trace_id=trace_id)
                for n, (trace_id, size) in enumerate(spans)
            )
    return request


def contents(value: bytes) -> list[tuple[str, str, str]]:
    """Scope, resource and span of each span of a record, as text."""
    request = ExportTraceServiceRequest.FromString(value)
    return [
        (str(group.resource) + group.schema_url, str(scoped.scope) + scoped.schema_url, str(span))
        for group in request.resource_spans
        for scoped in group.scope_spans
        for span in scoped.spans
    ]


def split_traces(
    request: Any, *, partitions: int = 4, project_of: Callable[[Any], str] = no_project, original: bool = True
) -> Split:
    """Split a request of which the bytes are known, or not."""
    data = request.SerializeToString() if original else None
    return split(TRACES, request, data, partitions=partitions, project_of=project_of)


@given(st.lists(st.lists(SPANS, max_size=3), max_size=3), st.integers(1, 8), st.booleans(), st.booleans())
def test_every_span_is_in_one_record_of_its_partition_and_project(
    groups: list[list[list[tuple[bytes, int]]]], partitions: int, by_project: bool, original: bool
) -> None:
    """With its resource and scope, in a record below the limit; nothing is lost, doubled or mixed."""
    request = request_of(groups)
    project_of = named_project if by_project else no_project

    parts = split_traces(request, partitions=partitions, project_of=project_of, original=original)

    assert parts.refused == Counter()
    assert parts.items == sum(len(spans) for scopes in groups for spans in scopes)
    found = [one for record in parts.records for one in contents(record.value)]
    assert Counter(found) == Counter(contents(request.SerializeToString()))
    for record in parts.records:
        assert len(record.value) <= MAX_RECORD_BYTES
        read = ExportTraceServiceRequest.FromString(record.value)
        spans = [span for group in read.resource_spans for scoped in group.scope_spans for span in scoped.spans]
        assert len(spans) == record.items > 0
        assert {partition_for(span.trace_id, partitions) for span in spans} == {record.partition}
        senders = [group.resource for group in read.resource_spans if any(one.spans for one in group.scope_spans)]
        assert set(map(project_of, senders)) == {record.project}
        assert record.key == spans[0].trace_id


@given(st.lists(st.lists(SPANS, max_size=3), max_size=2))
def test_spans_of_a_trace_keep_their_order(groups: list[list[list[tuple[bytes, int]]]]) -> None:
    """Across records, too."""
    request = request_of(groups)

    def by_trace(values: list[bytes]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for value in values:
            for group in ExportTraceServiceRequest.FromString(value).resource_spans:
                for scoped in group.scope_spans:
                    for span in scoped.spans:
                        place = f"{span.trace_id.hex()} {scoped.scope.name}"
                        found.setdefault(place, []).append(span.name)
        return found

    records = split_traces(request, original=False).records

    assert by_trace([record.value for record in records]) == by_trace([request.SerializeToString()])


def test_what_goes_to_one_partition_is_forwarded_byte_for_byte() -> None:
    """Also what this version does not know: an unknown field stays where it was."""
    data = otlp.traces(otlp.span("a"), otlp.span("b")).SerializeToString() + b"\xfa\x01\x03abc"
    request = ExportTraceServiceRequest.FromString(data)

    parts = split(TRACES, request, data, partitions=8, project_of=lambda _: "shop")

    assert parts.records == [Packed(partition_for(otlp.TRACE, 8), "shop", otlp.TRACE, data, 2)]


def test_a_record_has_a_thousand_items_at_most() -> None:
    """More are cut into several."""
    request = otlp.traces(*[otlp.span(str(n)) for n in range(2 * MAX_ITEMS + 1)])

    assert [record.items for record in split_traces(request).records] == [MAX_ITEMS, MAX_ITEMS, 1]


@pytest.mark.parametrize(
    ("span", "reason"),
    [
        (otlp.span(trace_id=b""), "bad_trace_id"),
        (otlp.span(trace_id=bytes(16)), "bad_trace_id"),
        (otlp.span(trace_id=b"x" * 15), "bad_trace_id"),
        (otlp.span(span_id=b""), "bad_span_id"),
        (otlp.span(span_id=bytes(8)), "bad_span_id"),
        (otlp.span(span_id=b"x" * 9), "bad_span_id"),
        (otlp.span(start_ns=0, end_ns=0), "no_time"),
        (otlp.span(values={"input": "x" * MAX_RECORD_BYTES}), "too_large"),
    ],
)
def test_a_span_that_cannot_be_stored_is_refused_and_the_others_are_not(span: Any, reason: str) -> None:
    """It is counted by its reason."""
    parts = split_traces(otlp.traces(otlp.span("before"), span, otlp.span("after")))

    assert (parts.items, parts.refused) == (2, Counter({reason: 1}))
    [record] = parts.records
    assert [name for _, _, text in contents(record.value) for name in ("before", "after") if name in text] == [
        "before",
        "after",
    ]


def test_a_resource_that_fills_records_is_refused() -> None:
    """Every record repeats it: more than a quarter of a megabyte is too much."""
    request = otlp.traces(otlp.span(), resource={"environment": "x" * MAX_HEAD_BYTES})

    # With room for it beside the span it is forwarded as it came.
    assert split_traces(request).items == 1
    assert split_traces(request, original=False) == Split([], Counter({"too_large": 1}))


def test_a_request_never_becomes_many_times_as_large() -> None:
    """Large resources whose spans go to hundreds of partitions would: 60 times 200 kB to each of 200."""
    request = ExportTraceServiceRequest()
    spans = [otlp.span(trace_id=(n + 1).to_bytes(16, "big")) for n in range(200)]
    for _ in range(2):
        request.resource_spans.extend(otlp.traces(*spans, resource={"all": "x" * 200_000}).resource_spans)

    with pytest.raises(NotTakenError, match="4 times as large") as caught:
        split_traces(request, partitions=200)
    assert caught.value.reason is Reason.TOO_LARGE


def test_a_request_without_items_is_no_record() -> None:
    """Neither without resources nor with empty ones; the project of an empty resource is not asked for."""

    def never(_resource: Any) -> str:
        raise AssertionError

    assert split_traces(ExportTraceServiceRequest(), project_of=never) == Split([], Counter())
    assert split_traces(otlp.traces(), project_of=never) == Split([], Counter())


def test_log_records_go_with_their_trace_or_with_their_session() -> None:
    """Without a trace the session decides; an id of a wrong length is refused."""
    entries = [
        LogRecord(trace_id=otlp.TRACE, event_name="a"),
        LogRecord(attributes=otlp.attributes({"session.id": "s"}), event_name="b"),
        LogRecord(trace_id=bytes(16), attributes=otlp.attributes({"session.id": "s"}), event_name="c"),
        LogRecord(trace_id=b"short"),
        LogRecord(trace_id=otlp.TRACE, span_id=b"short"),
    ]

    parts = split(LOGS, otlp.logs(*entries), None, partitions=64, project_of=no_project)

    assert parts.refused == Counter({"bad_trace_id": 1, "bad_span_id": 1})
    assert sorted(record.items for record in parts.records) == [1, 2]
    assert partition_for(otlp.TRACE, 64) in {record.partition for record in parts.records}


def test_the_signals_name_real_fields() -> None:
    """What splitting and answering read and write by name exists in the messages."""

    def fields(signal: Signal) -> list[str]:
        request = signal.request()
        group = getattr(request, signal.groups).add()
        scoped = getattr(group, signal.scopes).add()
        getattr(scoped, signal.items).add()
        return [one.name for one in type(signal.response().partial_success).DESCRIPTOR.fields]

    assert [fields(TRACES)[0], fields(LOGS)[0]] == [TRACES.rejected, LOGS.rejected]
