"""Explain says of every value what gave it: for real client payloads' forms, through the real transform and engine."""

import json
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spanwise_collector.ingest.cost import PriceBook, Usage
from spanwise_collector.ingest.price_file import parse_price_file
from spanwise_collector.query.explain import MAX_SPANS, explain_trace
from spanwise_collector.store.database import Database
from spanwise_schemas.api_explain import CostOrigin, FieldOrigin, OtherSource, SpanExplanation
from spanwise_schemas.conventions import RESOURCE_FIELDS, SPAN_FIELDS
from tests.support.otlp import NOW_NS, TRACE, record, span, traces, transformer
from tests.support.rows import Span as Row
from tests.support.rows import insert, llm

PRICES = PriceBook()
BOTH = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 50,
    "gen_ai.usage.cache_read.input_tokens": 400,
    "llm.token_count.prompt": 999,
    "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]),
    "input.value": "hi, as sent",
    "my.own": "kept",
}


def explained(database: Database, *spans: Span) -> list[SpanExplanation]:
    """Spans through the transform into the engine, explained."""
    batch = transformer().transform([record(traces(*spans))], ())
    for table, rows in batch.tables.items():
        database.insert(table, rows, token=f"t:{table}")
    found = explain_trace(database, "shop", TRACE, PRICES)
    assert found is not None
    return found.spans


def origin(found: SpanExplanation, field: str) -> FieldOrigin:
    """One field's origin."""
    return next(one for one in found.fields if one.field == field)


def test_fields_name_the_attribute_that_gave_them_and_those_that_lost(database: Database) -> None:
    """The better attribute is named with convention and reading; the other one is beside it with its value."""
    [found] = explained(database, span("chat", BOTH))

    tokens = origin(found, "tok_input")
    assert (tokens.value, tokens.origin, tokens.attribute, tokens.convention) == (
        "1000",
        "attribute",
        "gen_ai.usage.input_tokens",
        "gen_ai",
    )
    assert tokens.reading.startswith("a whole number")
    assert tokens.others == [OtherSource(attribute="llm.token_count.prompt", convention="openinference", value="999")]
    lost = origin(found, "input").others
    assert [(one.attribute, one.value) for one in lost] == [("input.value", "hi, as sent")]
    assert found.raw == {"input.value": "hi, as sent"}
    assert found.unmapped == {"my.own": "kept"}
    assert found.convention == "gen_ai"


def test_every_field_of_the_table_can_be_explained(database: Database) -> None:
    """What the answer names are fields of the table, in its order, each once, and none without a value or a giver."""
    [found] = explained(database, span("chat", BOTH))
    known = [one.name for one in SPAN_FIELDS] + [one.name for one in RESOURCE_FIELDS] + ["sdk"]
    names = [one.field for one in found.fields]

    assert names == sorted(set(names), key=known.index)
    assert {"kind", "provider", "model_request", "input", "tok_input", "tok_output", "tok_cache_read"} <= set(names)
    assert all(one.attribute or one.origin != "attribute" for one in found.fields)


def test_values_from_bodies_say_which(database: Database) -> None:
    """What no attribute says and a body does, is said to come from the body."""
    answer = json.dumps(
        {"id": "resp-1", "choices": [{"message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}]}
    )
    [found] = explained(
        database,
        span("chat", {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "output.value": answer}),
    )

    reason = origin(found, "finish_reason")
    assert (reason.value, reason.origin, reason.attribute) == ("stop", "body", "output")
    assert found.convention == "openinference"


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (
            {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.cache_read.input_tokens": 400},
            "Input: gen_ai.usage.input_tokens says 1,000, of which 400 read from the cache and 0 written to it; "
            "nothing was added.",
        ),
        ({"gen_ai.usage.input_tokens": 7}, "Input: 7 tokens, from gen_ai.usage.input_tokens."),
        ({}, "No token counts were sent: what this call used is unknown."),
    ],
)
def test_how_tokens_were_counted(database: Database, attributes: dict[str, Any], expected: str) -> None:
    """In a sentence that names the attribute and what was added to it."""
    [found] = explained(
        database, span("chat", {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", **attributes})
    )

    assert found.tokens[0] == expected


def test_the_price_that_made_the_cost(database: Database) -> None:
    """Each sort of tokens with its unit price; the lines add up to the total."""
    [found] = explained(database, span("chat", BOTH))

    assert (found.cost.source, found.cost.priced_as, found.cost.price_version) == (
        "computed",
        "openai/gpt-4o",
        PRICES.version,
    )
    assert [(line.sort, line.tokens, line.usd_per_million) for line in found.cost.lines] == [
        ("input", 600, 2.5),
        ("read from cache", 400, 1.25),
        ("output", 50, 10.0),
    ]
    assert sum(line.nanousd or 0 for line in found.cost.lines) == found.cost.total_nanousd == 2_500_000
    assert found.bill == "This span bears the bill: its tokens and cost are in every sum."


def test_a_reported_cost_stands_beside_the_computed_one(database: Database) -> None:
    """The reported one counts; both are told, and no unit prices, which did not make it."""
    [found] = explained(database, span("chat", {**BOTH, "gen_ai.usage.cost": 0.5}))

    assert found.cost == CostOrigin(
        source="reported",
        total_nanousd=500_000_000,
        reported_nanousd=500_000_000,
        computed_nanousd=2_500_000,
        price_version="reported",
        words="The client reported this cost, which goes before a computed one; the price list's own figure is kept "
        "beside it.",
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"model": "no such model"}, "No cost: no price list knows no such model of p."),
        ({"tokens": (0, 0)}, "No cost: without token counts"),
        ({"warnings": ("cache_exceeds_input",)}, "No cost: the token counts cannot be trusted"),
        ({"model": ""}, "No cost: the span names no model."),
        ({"model": "gpt-4o", "provider": "openai"}, "No cost was stored, but the list in use has a price for gpt-4o"),
        ({"kind": "agent"}, "No cost: only model calls are priced"),
    ],
)
def test_why_there_is_no_cost(database: Database, values: dict[str, Any], words: str) -> None:
    """Each reason is another sentence with its remedy."""
    insert(database, [llm(trace=1, span=1, **{"provider": "p", "cost": None, **values})])

    found = explain_trace(database, "default", (1).to_bytes(16, "big"), PRICES)

    assert found is not None
    assert found.spans[0].cost.words.startswith(words)


@pytest.mark.parametrize(
    ("row", "bill"),
    [
        (llm(trace=1, span=1), "This span bears the bill"),
        (
            Row(trace=1, span=1, kind="agent", tokens=(5, 5), usage_reason="not_a_model_call"),
            "Not in the sums. It is no",
        ),
        (Row(trace=1, span=1, kind="tool"), "Nothing to bear: not a model call"),
        (llm(trace=1, span=1, counts=False, tokens=(0, 0), status="error"), "Nothing to bear: the call failed"),
    ],
)
def test_why_a_span_bears_the_bill_or_not(database: Database, row: Row, bill: str) -> None:
    """Each case is another sentence."""
    insert(database, [row])

    found = explain_trace(database, "default", (1).to_bytes(16, "big"), PRICES)

    assert found is not None
    assert found.spans[0].bill.startswith(bill)


def test_derived_values_say_so(database: Database) -> None:
    """A kind that no attribute says, and an error type from a recorded exception."""
    event = Span.Event(name="exception", time_unix_nano=NOW_NS)
    event.attributes.add(key="exception.type").value.string_value = "ValueError"
    failed = span("chat", {"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 1}, events=[event])
    failed.status.code = Status.STATUS_CODE_ERROR

    [found] = explained(database, failed)

    assert (origin(found, "kind").origin, origin(found, "kind").value) == ("derived", "llm")
    assert (origin(found, "error_type").origin, origin(found, "error_type").value) == ("event", "ValueError")


def test_resource_values_say_so(database: Database) -> None:
    """Service and environment come from the resource, whose further attributes are apart from the span's own."""
    [found] = explained(database, span("chat", BOTH))
    from_resource = {one.field for one in found.fields if one.origin == "resource"}

    assert from_resource <= {"env", "service", "release", "sdk"}
    assert not any(key.startswith(("resource.", "scope.")) for key in found.unmapped)
    assert all(key.startswith(("resource.", "scope.")) for key in found.resource)


def test_one_span_alone_and_none(database: Database) -> None:
    """A span can be asked for by its id; an unknown trace, span or project is none."""
    insert(database, [llm(trace=1, span=1), llm(trace=1, span=2, at_ms=5)])
    trace = (1).to_bytes(16, "big")

    def ids(**more: Any) -> list[str] | None:
        found = explain_trace(database, more.pop("project", "default"), trace, PRICES, **more)
        return None if found is None else [one.span_id for one in found.spans]

    assert ids() == [f"{1:016x}", f"{2:016x}"]
    assert ids(span_id=(2).to_bytes(8, "big")) == [f"{2:016x}"]
    assert ids(span_id=(3).to_bytes(8, "big")) is None
    assert ids(project="other") is None
    assert explain_trace(database, "default", (9).to_bytes(16, "big"), PRICES) is None


def test_of_a_large_trace_the_first_spans_are_explained(database: Database) -> None:
    """How many are left out is said."""
    insert(database, [llm(trace=1, span=n, at_ms=n) for n in range(1, MAX_SPANS + 4)])

    found = explain_trace(database, "default", (1).to_bytes(16, "big"), PRICES)

    assert found is not None
    assert (len(found.spans), found.spans[0].span_id, found.left_out) == (MAX_SPANS, f"{1:016x}", 3)


def test_spans_from_before_the_mapping_was_stored_are_explained_as_far_as_they_go(database: Database) -> None:
    """Without a mapping there is no giver to name, and no failure."""
    insert(database, [llm(trace=1, span=1)])

    found = explain_trace(database, "default", (1).to_bytes(16, "big"), PRICES)

    assert found is not None
    assert {one.origin for one in found.spans[0].fields} <= {"derived", "event", "resource"}
    assert found.spans[0].usage.input == 100


def test_every_sort_of_tokens_has_its_own_line(database: Database) -> None:
    """Cache writes by life time and audio are apart; the lines add up to what the price list makes of the call."""
    prices = PriceBook(
        parse_price_file(
            """version = "1"
[[models]]
model = "talker"
input = 1
output = 2
cache_write = 1.25
cache_write_1h = 2
audio_input = 10
audio_output = 20
""",
            name="prices",
        )
    )
    extra = {"cache_write_1h": 100, "audio_input": 50, "audio_output": 10}
    row = llm(trace=1, span=1, model="talker", tokens=(1000, 40), cached=(0, 300), extra=extra)
    insert(database, [row])

    found = explain_trace(database, "default", (1).to_bytes(16, "big"), prices)

    assert found is not None
    lines = {line.sort: line.tokens for line in found.spans[0].cost.lines}
    assert lines == {
        "input": 650,
        "audio heard": 50,
        "written to cache": 200,
        "written to cache for an hour": 100,
        "output": 30,
        "audio spoken": 10,
    }
    unit = prices.price("", "talker", 0)
    assert unit is not None
    whole = unit.cost(Usage(1000, 40, 0, 300, 0, **extra))
    assert whole is not None
    assert sum(line.nanousd or 0 for line in found.spans[0].cost.lines) == whole.total
