"""The whole table: every convention's rules at their fields, in order of precedence."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from spanwise_schemas.conventions import (
    ai_sdk,
    gen_ai,
    gen_ai_legacy,
    laminar,
    langfuse,
    langsmith,
    litellm,
    mlflow,
    openinference,
    openlit,
    openllmetry,
    otel,
    pydantic_ai,
    spanwise,
)
from spanwise_schemas.conventions.fields import OF_RESOURCE, OF_SPAN
from spanwise_schemas.conventions.model import PRECEDENCE, Convention, Field, Source

_OF_SPAN: Final[Mapping[Convention, Sequence[Source]]] = {
    "spanwise": spanwise.RULES,
    "otel": otel.RULES,
    "langfuse": langfuse.RULES,
    "laminar": laminar.RULES,
    "gen_ai": gen_ai.RULES,
    "pydantic_ai": pydantic_ai.RULES,
    "openinference": openinference.RULES,
    "gen_ai_legacy": gen_ai_legacy.RULES,
    "openllmetry": openllmetry.RULES,
    "openlit": openlit.RULES,
    "litellm": litellm.RULES,
    "ai_sdk": ai_sdk.RULES,
    "mlflow": mlflow.RULES,
    "langsmith": langsmith.RULES,
}
_OF_RESOURCE: Final[Mapping[Convention, Sequence[Source]]] = {
    "spanwise": spanwise.RESOURCE_RULES,
    "otel": otel.RESOURCE_RULES,
    "langfuse": langfuse.RESOURCE_RULES,
    "openinference": openinference.RESOURCE_RULES,
}


def _filled(fields: Iterable[Field], rules: Mapping[Convention, Sequence[Source]]) -> tuple[Field, ...]:
    """Fields with their sources: those that go first, then by convention, then as listed.

    Raises:
        ValueError: a rule is for a field that does not exist.
    """
    by_field: dict[str, list[Source]] = {one.name: [] for one in fields}
    for convention in PRECEDENCE:
        for rule in rules.get(convention, ()):
            if rule.field not in by_field:
                raise ValueError(f"{convention} has a rule for {rule.field!r}, which is no field")
            by_field[rule.field].append(replace(rule, convention=convention))
    return tuple(
        replace(one, sources=tuple(sorted(by_field[one.name], key=lambda source: not source.first))) for one in fields
    )


SPAN_FIELDS: Final = _filled(OF_SPAN, _OF_SPAN)
"""Fields read from a span's attributes; a field's position is its slot."""
RESOURCE_FIELDS: Final = _filled(OF_RESOURCE, _OF_RESOURCE)
"""Fields read from the resource's attributes; they hold for all its spans."""

RECOGNISED: Final[tuple[Convention, ...]] = (
    "langfuse",
    "laminar",
    "pydantic_ai",
    "openlit",
    "litellm",
    "ai_sdk",
    "mlflow",
    "langsmith",
    "gen_ai",
    "openinference",
    "openllmetry",
    "gen_ai_legacy",
)
"""A span's `convention` is the first of these of which it carries an attribute: names that only one library writes tell
more than those that many do."""

CALL_KINDS: Final = frozenset({"llm", "embedding", "reranker"})
"""Kinds that are calls of a model. Only these can bear a bill: agents, chains and workflows repeat the sum of what they
wrap."""

FIRST_TOKEN_EVENTS: Final = frozenset(
    {"First Token Stream Event", "gen_ai.first_token", "mlflow.chunk.item.0", "llm.content.completion.chunk"}
)
"""Span events that mark the first token (OpenInference) or bring a piece of a stream (MLflow, OpenLLMetry): the first
of them gives the time to the first token when no attribute does."""

FAILED_BY_EVENT: Final = frozenset({"langsmith"})
"""Instrumentation scopes that set a span's status to ok when they open it, which OpenTelemetry then never lets become
an error: there an `exception` event says that it failed."""
