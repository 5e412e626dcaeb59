"""Attribute names against the packages that own them."""

from openinference.semconv.trace import SpanAttributes
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes

from spanwise_schemas import attributes

OURS = {name: value for name, value in vars(attributes).items() if name.isupper() and isinstance(value, str)}
EVENTS = {attributes.SCORE_EVENT}


def test_every_genai_name_is_one_that_opentelemetry_published() -> None:
    """No name in the `gen_ai` namespace is our own invention."""
    published = {
        value
        for name, value in vars(gen_ai_attributes).items()
        if name.startswith("GEN_AI_") and isinstance(value, str)
    }

    assert set() == {value for value in OURS.values() if value.startswith("gen_ai.")} - published - EVENTS


def test_names_of_openinference_are_spelt_as_there() -> None:
    """The names we share with OpenInference are the ones its package has."""
    assert [
        SpanAttributes.TAG_TAGS,
        SpanAttributes.OPENINFERENCE_SPAN_KIND,
        SpanAttributes.INPUT_VALUE,
        SpanAttributes.INPUT_MIME_TYPE,
        SpanAttributes.OUTPUT_VALUE,
        SpanAttributes.OUTPUT_MIME_TYPE,
        SpanAttributes.LLM_PROMPT_TEMPLATE_VERSION,
        SpanAttributes.LLM_COST_TOTAL,
        SpanAttributes.SESSION_ID,
        SpanAttributes.USER_ID,
    ] == [
        attributes.TAGS,
        attributes.SPAN_KIND,
        attributes.INPUT,
        attributes.INPUT_MIME,
        attributes.OUTPUT,
        attributes.OUTPUT_MIME,
        attributes.PROMPT_VERSION,
        attributes.COST,
        attributes.SESSION_ID,
        attributes.USER_ID,
    ]


def test_kinds_without_a_genai_operation_are_known_kinds() -> None:
    """Every kind that maps to an operation is one of the stored kinds, and no operation stands for two kinds."""
    assert set(attributes.OPERATION_OF_KIND) <= set(attributes.KINDS)
    assert len(set(attributes.OPERATION_OF_KIND.values())) == len(attributes.OPERATION_OF_KIND)
