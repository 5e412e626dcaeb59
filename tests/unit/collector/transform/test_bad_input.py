"""What is wrong is refused or repaired with a reason, and what stands beside it is stored."""

from typing import Any

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spanwise_collector.normalise.problems import REFUSALS, WARNINGS
from spanwise_schemas.wire import Envelope
from tests.support.otlp import (
    NOW_MS,
    NOW_NS,
    RESOURCE,
    SPAN,
    TRACE,
    any_value,
    attributes,
    logs,
    one_row,
    record,
    rows,
    span,
    traces,
    transform,
    transformer,
)

DAY_NS = 86_400 * 10**9
GOOD = span("good", span_id=b"goodspan")
DEEP: object = "x"
for _ in range(20):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "empty"),
        (b"", "empty"),
        (b'{"resourceSpans": []}', "not_protobuf"),
        (b"\xff" * 20, "not_protobuf"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "not_protobuf"),
        (traces(GOOD).SerializeToString()[:-5], "truncated"),
        (b"\x0a", "truncated"),
        (traces().SerializeToString(), "no_items"),
        (b"\x10\x01", "no_items"),
        (b"\x0a" + b"x" * 5_000_000, "too_large"),
    ],
)
def test_unreadable_record(value: bytes | None, reason: str) -> None:
    """A record that cannot be read is refused as a whole, and the record after it is stored."""
    batch = transform(record(value, offset=1), record(traces(GOOD), offset=2))

    assert ([(reason, 1)], ["good"]) == (
        [(one.reason, one.items) for one in batch.rejections],
        [row["name"] for row in rows(batch, "spans")],
    )


def test_reject_row() -> None:
    """A rejection says where the record is, what was found and what to do."""
    headers = Envelope("p1", seq=5, spans=9, dropped=0).to_headers()
    bad = record(b"{}", offset=4, headers=headers)

    batch = transform(bad)

    detail = "It starts with 7b 7d. " + REFUSALS["not_protobuf"]
    assert [(bad, "not_protobuf", detail, 9)] == [
        (one.record, one.reason, one.detail, one.items) for one in batch.rejections
    ]
    assert rows(batch, "ingest_rejects") == [
        {
            "topic": "otlp_spans",
            "topic_id": "topic-id",
            "part": 3,
            "off": 4,
            "producer": "p1",
            "reason": "not_protobuf",
            "detail": detail,
            "n_items": 9,
            "record_bytes": 2,
            "record_ts": NOW_MS,
        }
    ]


@pytest.mark.parametrize("timestamp_ms", [-1, 0, 1_000_000_000_000, 5_000_000_000_000, 2**62])
def test_record_without_a_usable_time(timestamp_ms: int) -> None:
    """Without the record's time no other can be judged; the record is refused, and the reject row fits its table."""
    batch = transform(record(traces(GOOD), timestamp_ms=timestamp_ms))

    assert (["bad_record_time"], [4_102_444_800_000]) == (
        [one.reason for one in batch.rejections],
        [row["record_ts"] for row in rows(batch, "ingest_rejects")],
    )


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (span(trace_id=b""), "bad_trace_id"),
        (span(trace_id=b"short"), "bad_trace_id"),
        (span(trace_id=bytes(16)), "bad_trace_id"),
        (span(trace_id=bytes(range(32))), "bad_trace_id"),
        (span(span_id=b""), "bad_span_id"),
        (span(span_id=bytes(8)), "bad_span_id"),
        (span(span_id=b"too long for it"), "bad_span_id"),
        (span(start_ns=0, end_ns=0), "no_time"),
        (span(start_ns=1, end_ns=2), "too_old"),
        (span(start_ns=NOW_NS - 31 * DAY_NS, end_ns=NOW_NS), "too_old"),
    ],
)
def test_refused_span(bad: Span, reason: str) -> None:
    """A span that cannot be stored is refused by itself."""
    batch = transform(record(traces(GOOD, bad)))

    assert ([(reason, 1)], ["good"]) == (
        [(one.reason, one.items) for one in batch.rejections],
        [row["name"] for row in rows(batch, "spans")],
    )


def test_refusals_of_one_reason_are_one_rejection() -> None:
    """Ten spans with the same fault make one rejection of ten items, with the first one's detail."""
    bad = [span(f"bad {number}", trace_id=b"") for number in range(10)]

    (rejection,) = transform(record(traces(*bad))).rejections

    assert ("bad_trace_id", 10) == (rejection.reason, rejection.items)
    assert rejection.detail == "Trace id empty of span 'bad 0': A trace id is 16 bytes that are not all zero."


OK_TIMES = {"start_time": NOW_MS * 1000 - 2_000_000, "duration_us": 1_000_000, "warnings": []}


@pytest.mark.parametrize(
    ("start_ns", "end_ns", "stored"),
    [
        (NOW_NS - 2 * 10**9, NOW_NS - 10**9, OK_TIMES),
        (NOW_NS, NOW_NS - 10**9, {"start_time": NOW_MS * 1000, "duration_us": 0, "warnings": ["end_before_start"]}),
        (NOW_NS, 0, {"start_time": NOW_MS * 1000, "duration_us": 0, "warnings": ["no_end_time"]}),
        (0, NOW_NS, {"start_time": NOW_MS * 1000, "duration_us": 0, "warnings": ["no_start_time"]}),
        # Ten minutes ahead is a clock; beyond, it is an error.
        (
            NOW_NS + 599 * 10**9,
            NOW_NS + 600 * 10**9,
            {"start_time": NOW_MS * 1000 + 599_000_000, "duration_us": 1_000_000, "warnings": []},
        ),
        (
            NOW_NS + DAY_NS,
            NOW_NS + 2 * DAY_NS,
            {"start_time": NOW_MS * 1000, "duration_us": 0, "warnings": ["time_in_future"]},
        ),
        (
            NOW_NS - 10**9,
            2**64 - 1,
            {"start_time": NOW_MS * 1000 - 1_000_000, "duration_us": 1_000_000, "warnings": ["time_in_future"]},
        ),
        (
            NOW_NS - 30 * DAY_NS,
            NOW_NS,
            {"start_time": NOW_MS * 1000 - 30 * 86_400_000_000, "duration_us": 30 * 86_400_000_000, "warnings": []},
        ),
    ],
)
def test_times(start_ns: int, end_ns: int, stored: dict[str, Any]) -> None:
    """Times that cannot be are set to the nearest that can, with a warning."""
    row = one_row(span(start_ns=start_ns, end_ns=end_ns))

    assert stored == {key: row[key] for key in stored}


@pytest.mark.parametrize(
    ("bad", "columns"),
    [
        (span(parent=b"abc"), {"parent_span_id": bytes(8), "is_root": True, "warnings": ["bad_parent_id"]}),
        (span(parent=SPAN), {"parent_span_id": bytes(8), "is_root": True, "warnings": ["self_parent"]}),
        (span(parent=bytes(8)), {"parent_span_id": bytes(8), "is_root": True, "warnings": []}),
        (span("a\0b"), {"name": "a\ufffdb", "warnings": ["nul_replaced"]}),
        (span("n" * 300), {"name": "n" * 256, "warnings": ["field_cut"]}),
        (span(values={"user.id": "u" * 300}), {"user_id": "u" * 256, "warnings": ["field_cut"]}),
        (span(values={"k\0": "a\0b"}), {"attrs": {"k\ufffd": "a\ufffdb"}, "warnings": ["nul_replaced"]}),
        (span(values={"k": "v" * 70_000}), {"attrs": {"k": "v" * 65_536}, "warnings": ["attribute_cut"]}),
        (span(values={"k" * 300: "v"}), {"attrs": {"k" * 256: "v"}, "warnings": ["attribute_cut"]}),
        (span(values={"x": DEEP}), {"warnings": ["value_too_deep"]}),
        (span(status=Status(code=7)), {"status": 0, "warnings": []}),  # type: ignore[arg-type]
        (
            span(values={"gen_ai.operation.name": "zap"}),
            {"kind": 0, "attrs": {"gen_ai.operation.name": "zap"}, "warnings": ["bad_kind"]},
        ),
        (
            span(values={"gen_ai.response.time_to_first_chunk": -1.0}),
            {"ttft_us": 0, "attrs": {"gen_ai.response.time_to_first_chunk": "-1.0"}, "warnings": ["bad_duration"]},
        ),
        (
            span(values={"llm.cost.total": float("nan")}),
            {"cost_source": 0, "cost_total_n": 0, "warnings": ["bad_cost"]},
        ),
    ],
)
def test_repaired_span(bad: Span, columns: dict[str, Any]) -> None:
    """What can be stored in part is stored in part, and the row says what was done."""
    row = one_row(bad)

    assert columns == {key: row[key] for key in columns}


@pytest.mark.parametrize("count", [-1, 2**32, 2**63 - 1, 1.5, "many", "", True, float("inf"), [1]])
def test_absurd_token_count(count: object) -> None:
    """A count that is none is left among the attributes, and no cost is made of it."""
    values = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": count,
        "gen_ai.usage.output_tokens": 10,
    }

    row = one_row(span(values=values))

    assert (0, 10, 0, 0, ["bad_token_count"], True) == (
        row["tok_input"],
        row["tok_output"],
        row["cost_total_n"],
        row["cost_source"],
        row["warnings"],
        row["counts_usage"],
    )
    assert list(row["attrs"]) == ["gen_ai.usage.input_tokens"]


@pytest.mark.parametrize("count", [2**32 - 1, 4_294_967_295.0, "4294967295"])
def test_largest_token_count(count: object) -> None:
    """The largest count that the column holds is stored."""
    assert 2**32 - 1 == one_row(span(values={"gen_ai.usage.input_tokens": count}))["tok_input"]


def test_unreadable_value_gives_way_to_the_next_source() -> None:
    """Where the best attribute makes no sense, the next one fills the column."""
    row = one_row(span(values={"gen_ai.usage.input_tokens": -5, "llm.token_count.prompt": 12}))

    assert (12, ["bad_token_count"]) == (row["tok_input"], row["warnings"])


def test_more_cached_than_input_tokens() -> None:
    """A contradiction in the counts is stored as sent, flagged, and priced by nobody."""
    values = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.cache_read.input_tokens": 8,
        "gen_ai.usage.cache_creation.input_tokens": 3,
    }

    row = one_row(span(values=values))

    assert (10, 8, 3, 0, ["cache_exceeds_input"]) == (
        row["tok_input"],
        row["tok_cache_read"],
        row["tok_cache_write"],
        row["cost_source"],
        row["warnings"],
    )


def test_many_attributes() -> None:
    """Beyond the limit attributes are dropped, with a warning; those that fill columns are never among them."""
    values: dict[str, object] = {f"k{number}": number for number in range(600)}

    row = one_row(span(values=values | {"user.id": "u"}))

    assert (512, "u", ["attributes_dropped"]) == (len(row["attrs"]), row["user_id"], row["warnings"])


def test_many_events() -> None:
    """Beyond the limit events are dropped, with a warning."""
    row = one_row(span(events=[Span.Event(name="token")] * 300))

    assert ["events_dropped"] == row["warnings"]


def test_duplicate_attribute() -> None:
    """Of an attribute that comes twice the last value holds."""
    twice = span(values={"user.id": "first"})
    twice.attributes.add(key="user.id", value=any_value("second"))

    row = one_row(twice)

    assert ("second", ["duplicate_attribute"]) == (row["user_id"], row["warnings"])


def test_invalid_utf8() -> None:
    """Text of another encoding is repaired in the span that has it; the spans beside it are stored without a flag."""
    wrong = span("caf?", {"user.id": "J?rg"}, span_id=b"wrongspn")
    data = traces(GOOD, wrong, span("last", span_id=b"lastspan")).SerializeToString().replace(b"?", b"\xe9")

    found = [(row["name"], row["user_id"], row["warnings"]) for row in rows(transform(record(data)), "spans")]

    assert found == [("good", "", []), ("caf\ufffd", "J\ufffdrg", ["invalid_utf8"]), ("last", "", [])]


def test_invalid_utf8_in_the_resource() -> None:
    """Wrong text in a resource is flagged on all its spans."""
    data = (
        traces(GOOD, resource={"spanwise.project": "shop", "host.name": "?"}).SerializeToString().replace(b"?", b"\xff")
    )

    (row,) = rows(transform(record(data)), "spans")

    assert ("shop", {"resource.host.name": "\ufffd"}, ["invalid_utf8"]) == (
        row["project_id"],
        row["attrs"],
        row["warnings"],
    )


def test_value_deeper_than_protobuf_reads() -> None:
    """A value nested deeper than the protobuf reader goes is cut, and the span and its neighbours are stored."""
    value = any_value("x").SerializeToString()
    for _ in range(100):
        value = field(5, field(1, value))
    deep = span().SerializeToString() + field(9, field(1, b"k") + field(2, value))
    data = field(1, field(2, field(2, GOOD.SerializeToString()) + field(2, deep)))

    batch = transform(record(data))

    assert ([("good", []), ("chat", ["value_too_deep"])], []) == (
        [(row["name"], row["warnings"]) for row in rows(batch, "spans")],
        batch.rejections,
    )


def field(number: int, payload: bytes) -> bytes:
    """A length-prefixed protobuf field."""
    length, prefix = len(payload), b""
    while length > 0x7F:
        prefix += bytes([length & 0x7F | 0x80])
        length >>= 7
    return bytes([number << 3 | 2]) + prefix + bytes([length]) + payload


def test_one_broken_span() -> None:
    """A span whose bytes make no sense is refused by itself; the others of the request are stored."""
    request = traces(GOOD, span("broken", span_id=b"brokenxx"), span("last", span_id=b"lastspan"))
    # Field 1 of the span, the trace id, becomes field 1 with a wire type that does not exist.
    data = bytearray(request.SerializeToString())
    start = data.index(b"brokenxx") - 20
    assert data[start] == 0x0A
    data[start] = 0x0F

    batch = transform(record(bytes(data)))

    assert ([("bad_item", 1)], ["good", "last"]) == (
        [(one.reason, one.items) for one in batch.rejections],
        [row["name"] for row in rows(batch, "spans")],
    )


def test_one_broken_resource() -> None:
    """Spans whose resource makes no sense belong to nobody: all are refused, those of other resources stored."""
    broken = field(1, b"\x0f") + field(2, field(2, GOOD.SerializeToString()) + field(2, span().SerializeToString()))
    data = traces(GOOD).SerializeToString() + field(1, broken)

    batch = transform(record(data))

    assert ([("bad_item", 2)], ["good"]) == (
        [(one.reason, one.items) for one in batch.rejections],
        [row["name"] for row in rows(batch, "spans")],
    )


def test_score_in_another_encoding() -> None:
    """Wrong text in a score is repaired and counted; the score is stored."""
    values = {"gen_ai.evaluation.name": "n", "gen_ai.evaluation.score.label": "sch?n"}
    entry = LogRecord(event_name="gen_ai.evaluation.result", trace_id=TRACE, attributes=attributes(values))
    data = logs(entry).SerializeToString().replace(b"?", b"\xf6")

    batch = transform(record(data, topic="otlp_logs"))

    assert (["sch\ufffdn"], 1) == ([row["label"] for row in rows(batch, "scores")], batch.warnings)


def test_every_code_has_a_sentence() -> None:
    """Codes are words; sentences say what was done and end."""
    for code, sentence in {**REFUSALS, **WARNINGS}.items():
        assert code.replace("_", "").isalnum()
        assert sentence.endswith(".")


def test_retention_is_the_deployments() -> None:
    """How old a span may be follows the retention that is configured, and the row carries it."""
    old = span(start_ns=NOW_NS - 40 * DAY_NS, end_ns=NOW_NS - 40 * DAY_NS)

    batch = transformer(retention_days=60).transform([record(traces(old, resource=RESOURCE))], ())

    assert [60] == [row["retention_days"] for row in rows(batch, "spans")]
