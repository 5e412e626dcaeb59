"""What holds for all input, however broken."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spanwise_collector.ingest.draft import Batch
from spanwise_collector.ingest.records import Record
from spanwise_collector.normalise.problems import REFUSALS, WARNINGS
from spanwise_schemas.conventions import SPAN_FIELDS
from tests.support.otlp import NOW_MS, NOW_NS, any_value, logs, one_row, record, rows, span, traces, transformer

TRANSFORMER = transformer()

# Text as protobuf can carry it: everything that UTF-8 can, so no surrogates.
texts = st.text(st.characters(codec="utf-8"), max_size=12)
names = st.one_of(
    texts,
    st.sampled_from([source.attribute.replace("*", "0.message.role") for one in SPAN_FIELDS for source in one.sources]),
)
json_texts = st.sampled_from(
    ['["a"]', "[{", '[{"role":"user"}]', '[{"role":1,"parts":[{"name":[]}]}]', '[{"role":"\\ud800"}]', "[1,2]", "[]"]
)
values: st.SearchStrategy[object] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(),
        texts,
        json_texts,
        st.binary(max_size=8),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
key_values = st.builds(lambda key, value: KeyValue(key=key, value=any_value(value)), names, values)
ids = st.sampled_from([b"", bytes(8), b"12345678", b"abcdefgh", bytes(range(16)), bytes(16), b"x" * 5])
times = st.sampled_from([0, 1, NOW_NS - 86_400 * 10**9 * 40, NOW_NS - 10**9, NOW_NS, NOW_NS + 10**15, 2**64 - 1])
spans = st.builds(
    Span,
    trace_id=ids,
    span_id=ids,
    parent_span_id=ids,
    name=texts,
    start_time_unix_nano=times,
    end_time_unix_nano=times,
    attributes=st.lists(key_values, max_size=8),
    events=st.lists(
        st.builds(Span.Event, name=texts, time_unix_nano=times, attributes=st.lists(key_values, max_size=2)), max_size=2
    ),
    links=st.lists(st.builds(Span.Link, trace_id=ids, span_id=ids), max_size=1),
    status=st.builds(Status, code=st.integers(-1, 5), message=texts),
)
entries = st.builds(
    LogRecord,
    trace_id=ids,
    span_id=ids,
    time_unix_nano=times,
    event_name=st.sampled_from(["", "gen_ai.evaluation.result", "x"]),
    attributes=st.lists(
        st.one_of(
            key_values,
            st.builds(
                lambda key, value: KeyValue(key=key, value=any_value(value)),
                st.sampled_from(
                    ["gen_ai.evaluation.name", "gen_ai.evaluation.score.value", "session.id", "spanwise.score.id"]
                ),
                values,
            ),
        ),
        max_size=6,
    ),
)


@st.composite
def broken(draw: st.DrawFn, requests: st.SearchStrategy[bytes]) -> bytes:
    """A valid request with some bytes changed, and perhaps cut short."""
    data = bytearray(draw(requests))
    for _ in range(draw(st.integers(0, 4))):
        if data:
            data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))]) if draw(st.booleans()) else bytes(data)


span_requests = st.lists(spans, max_size=4).map(lambda found: traces(*found))
log_requests = st.lists(entries, max_size=4).map(lambda found: logs(*found))
payloads = st.one_of(
    st.none(),
    st.binary(max_size=200),
    broken(span_requests.map(lambda one: one.SerializeToString())),
    broken(log_requests.map(lambda one: one.SerializeToString())),
)


def batch_of(values: list[bytes | None], topic: str) -> tuple[list[Record], Batch]:
    """Records with these values, and what becomes of them."""
    records = [record(value, offset=offset, topic=topic) for offset, value in enumerate(values)]
    return records, TRANSFORMER.transform(records, frozenset())


@settings(max_examples=150)
@given(st.lists(payloads, max_size=4), st.sampled_from(["otlp_spans", "otlp_logs"]))
def test_any_bytes(values: list[bytes | None], topic: str) -> None:
    """No input raises; every record leaves rows, duplicates or a rejection; reasons and warnings are known codes."""
    records, batch = batch_of(values, topic)

    spoken_for = {one.record.offset for one in batch.rejections}
    if topic == "otlp_spans":
        spoken_for |= {row["koff"] for row in rows(batch, "spans")}
        unseen = {one.offset for one in records} - spoken_for
        assert len(unseen) <= batch.duplicates
    assert batch.rejected == sum(one.items for one in batch.rejections)
    assert {one.reason for one in batch.rejections} <= set(REFUSALS)
    assert {code for row in rows(batch, "spans") for code in row["warnings"]} <= set(WARNINGS)


@settings(max_examples=60)
@given(st.lists(span_requests, max_size=4))
def test_spans_in_are_spans_out(requests: list[Any]) -> None:
    """Spans in = stored + rejected + duplicates; the ids told to the caller are those stored."""
    sent = sum(len(one.resource_spans[0].scope_spans[0].spans) for one in requests)
    empty = sum(not one.resource_spans[0].scope_spans[0].spans for one in requests)

    _, batch = batch_of([one.SerializeToString() for one in requests], "otlp_spans")

    stored = rows(batch, "spans")
    assert sent + empty == batch.spans + batch.rejected + batch.duplicates
    assert batch.span_ids == [row["trace_id"] + row["span_id"] for row in stored]
    assert batch.warnings == sum(len(row["warnings"]) for row in stored)


@settings(max_examples=60)
@given(st.lists(log_requests, max_size=4))
def test_scores_in_are_scores_out(requests: list[Any]) -> None:
    """Log records in = scores stored + rejected."""
    sent = sum(len(one.resource_logs[0].scope_logs[0].log_records) for one in requests)
    empty = sum(not one.resource_logs[0].scope_logs[0].log_records for one in requests)

    _, batch = batch_of([one.SerializeToString() for one in requests], "otlp_logs")

    assert (sent + empty, batch.scores) == (batch.scores + batch.rejected, len(rows(batch, "scores")))


@given(st.lists(payloads, max_size=4))
def test_same_records_same_rows(values: list[bytes | None]) -> None:
    """A batch that is rebuilt, by this process or another with empty caches, is the same batch."""
    records, batch = batch_of(values, "otlp_spans")
    other = transformer().transform(records, frozenset())

    def content(found: Batch) -> object:
        return {name: table.serialize().to_pybytes() for name, table in found.tables.items()}

    assert (content(batch), batch.rejections, batch.span_ids) == (content(other), other.rejections, other.span_ids)


@given(st.lists(spans, max_size=4))
def test_times_fit_their_partitions(found: list[Span]) -> None:
    """Whatever clocks say, a record's spans lie in the retention, so that no insert touches more days than that."""
    _, batch = batch_of([traces(*found).SerializeToString()], "otlp_spans")

    oldest, latest = NOW_MS * 1000 - 30 * 86_400_000_000, NOW_MS * 1000 + 600_000_000
    for row in rows(batch, "spans"):
        assert oldest <= row["start_time"] <= row["start_time"] + row["duration_us"] <= latest


@given(texts, st.integers(0, 40))
def test_previews_are_text(text: str, copies: int) -> None:
    """A preview is the beginning of the body in characters, whole ones."""
    body = text.replace("\0", "") * copies

    assert body[:256] == one_row(span(values={"input.value": body}))["input_preview"]
