"""The table of conventions, and the pages written from it."""

from pathlib import Path

import pytest
from openinference.semconv.trace import OpenInferenceSpanKindValues, RerankerAttributes, SpanAttributes
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes

from spanwise_collector.normalise import problems_doc
from spanwise_collector.normalise.plan import SLOT, Planner
from spanwise_schemas import attributes, conventions_doc
from spanwise_schemas.attributes import KINDS, OPERATION_OF_KIND
from spanwise_schemas.conventions import READINGS, RESOURCE_FIELDS, SPAN_FIELDS
from tests.support.otlp import one_row, span

DOCS = Path(__file__).parents[4] / "docs"
SOURCES = [source for one in SPAN_FIELDS for source in one.sources]


@pytest.mark.parametrize(
    ("page", "rendered", "command"),
    [
        ("conventions.md", conventions_doc.render(), "spanwise_schemas.conventions_doc"),
        ("rejects.md", problems_doc.render(), "spanwise_collector.normalise.problems_doc"),
    ],
)
def test_page_is_current(page: str, rendered: str, command: str) -> None:
    """The page says what the code does; renew it with the command that it names."""
    assert rendered == (DOCS / page).read_text(encoding="utf-8"), f"run python -m {command} docs/{page}"


def test_names_are_unambiguous() -> None:
    """A field is listed once, a rule is listed once, and every reading has an explanation."""
    fields = [one.name for one in (*SPAN_FIELDS, *RESOURCE_FIELDS)]
    rules = [(source.field, source.attribute, source.path, source.scopes) for source in SOURCES]

    assert (len(fields), len(rules)) == (len(set(fields)), len(set(rules)))
    assert {source.reading for source in SOURCES} <= set(READINGS)


def test_kinds_are_kinds() -> None:
    """Every word of every convention stands for a kind that the tables have."""
    assert {kind for source in SOURCES for kind in source.values.values()} <= set(KINDS)


def test_every_kind_that_the_sdk_writes_is_read() -> None:
    """What the SDK writes for a kind is read as that kind."""
    read = {
        kind: one_row(span(values={attributes.OPERATION: operation}))["kind"]
        for kind, operation in OPERATION_OF_KIND.items()
    }
    read |= {
        kind: one_row(span(values={attributes.SPAN_KIND: kind.upper()}))["kind"]
        for kind in KINDS
        if kind not in OPERATION_OF_KIND and kind != "other"
    }
    read["other"] = one_row(span())["kind"]

    assert {kind: number for number, kind in enumerate(KINDS)} == read


def test_operations_of_the_conventions_are_known() -> None:
    """Every operation name in OpenTelemetry's own package is read."""
    (kind, *_) = SPAN_FIELDS

    (read,) = (one for one in kind.sources if one.convention == "gen_ai")
    assert {one.value for one in gen_ai_attributes.GenAiOperationNameValues} <= set(read.values)


def test_kinds_of_openinference_are_known() -> None:
    """Every span kind in OpenInference's own package is read, except the one that says nothing."""
    (kind, *_) = SPAN_FIELDS

    (read,) = (one for one in kind.sources if one.attribute == "openinference.span.kind")
    assert {one.value.lower() for one in OpenInferenceSpanKindValues} - {"unknown"} <= set(read.values)


def test_openinference_names_are_its_own() -> None:
    """Names that the table calls OpenInference's are in its package."""
    package = {
        value for names in (SpanAttributes, RerankerAttributes) for name, value in vars(names).items() if name.isupper()
    }
    ours = {source.attribute.removesuffix(".*") for source in SOURCES if source.convention == "openinference"}

    assert set() == ours - package


def test_plan_tells_the_rule() -> None:
    """A plan names the attribute that fills each field, what comes next, and what is left over."""
    names = (
        "x",
        "gen_ai.usage.prompt_tokens",
        "gen_ai.prompt.0.content",
        "gen_ai.prompt.name",
        "llm.token_count.prompt",
    )

    plan = Planner(SPAN_FIELDS).plan(names, ())

    assert (
        [(SLOT["tok_input"], "llm.token_count.prompt"), (SLOT["prompt_name"], "gen_ai.prompt.name")],
        [(SLOT["input"], ("gen_ai.prompt.0.content",))],
        {SLOT["tok_input"]: ["gen_ai.usage.prompt_tokens"]},
        ("x", "gen_ai.usage.prompt_tokens"),
        "openinference",
    ) == (
        [(slot, key) for slot, key, _ in plan.steps],
        [(step.slot, step.keys) for step in plan.spread],
        {slot: [step.key for step in steps] for slot, steps in plan.others.items()},
        plan.rest,
        plan.convention,
    )


def test_plans_are_bounded() -> None:
    """Spans with ever new names do not fill memory: the oldest plans go."""
    planner = Planner(SPAN_FIELDS)
    first = planner.plan(("first",), ())

    for number in range(4096):
        planner.plan((f"k{number}",), ())

    assert first is not planner.plan(("first",), ())


def test_scopes_can_match() -> None:
    """A rule for certain scopes names the start of a lower-cased scope name."""
    assert all(scope and scope.islower() for source in SOURCES for scope in source.scopes)


def test_long_shapes_are_not_kept() -> None:
    """A shape with very many or very long names is read and forgotten; one of usual length is kept."""
    planner = Planner(SPAN_FIELDS)
    many = tuple(f"llm.input_messages.{number}.message.role" for number in range(300))

    assert (False, False, True) == tuple(
        planner.plan(names, ()) is planner.plan(names, ()) for names in (many, ("k" * 10_000,), ("k", "l"))
    )
