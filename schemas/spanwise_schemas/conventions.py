"""What Spanwise reads from spans: the one table of attribute names, per field in order of precedence.

The collector compiles its code path from this table, `python -m spanwise_schemas.conventions_doc` writes
docs/conventions.md from it. It is data and nothing else: a new convention is a few more lines here, and no code when
its readings exist already.

Sources: OpenTelemetry GenAI registry (schema gen-ai/1.42.0), the packages openinference-semantic-conventions 0.1 and
opentelemetry-semantic-conventions-ai 0.4, and payloads of real client packages.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Convention = Literal["gen_ai", "openinference", "openllmetry", "gen_ai_legacy", "otel", "spanwise"]
"""Where a name comes from. `otel` and `spanwise` names are shared by all, so they say nothing about who wrote a
span."""

Reading = Literal[
    "string",
    "strings",
    "first_string",
    "count",
    "usd",
    "seconds",
    "milliseconds",
    "kind",
    "messages",
    "indexed_messages",
    "indexed_json",
    "body",
    "model_in_json",
    "ignored",
]

READINGS: Final[Mapping[Reading, str]] = {
    "string": "text; numbers and booleans as their JSON text",
    "strings": "an array of strings, or a JSON array in a string, or one string",
    "first_string": "the first of an array of strings, or a JSON array in a string, or the string itself",
    "count": "a whole number from 0 to 4,294,967,295; a whole float or a decimal string is taken too",
    "usd": "a finite amount of US dollars, not negative; kept as whole nano-dollars",
    "seconds": "seconds, kept as whole microseconds",
    "milliseconds": "milliseconds, kept as whole microseconds",
    "kind": "a word from the source's own list, below",
    "messages": "messages as a JSON string or as structured values; kept as JSON text",
    "indexed_messages": "messages spread over attributes `<prefix>.<n>.…`; put together into GenAI message JSON",
    "indexed_json": "a list spread over attributes `<prefix>.<n>.…`; put together into JSON",
    "body": "text as it is; structured values as JSON text",
    "model_in_json": "the member `model` of a JSON object; the attribute itself is kept too",
    "ignored": "read with the field beside it, and stored nowhere else",
}


@dataclass(frozen=True, slots=True)
class Source:
    """One attribute from which a field may come.

    Attributes:
        attribute: its name; with `.*` at the end, every attribute below that prefix.
        reading: how its value is understood, a key of `READINGS`.
        convention: who defines the name.
        values: for the reading `kind`: the source's words, lower-case, to span kinds.
    """

    attribute: str
    reading: Reading
    convention: Convention
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a span and where it comes from: the first source that is present and readable wins.

    Attributes:
        name: its name in the collector; also the column's name where the field is one column.
        meaning: what it holds, with its unit.
        sources: in order of precedence.
        content: True for bodies: a source that did not win is not kept among the attributes, since it repeats the
            winner.
    """

    name: str
    meaning: str
    sources: tuple[Source, ...]
    content: bool = False


_OPERATIONS: Final = {
    "chat": "llm",
    "text_completion": "llm",
    "generate_content": "llm",
    "embeddings": "embedding",
    "retrieval": "retriever",
    "execute_tool": "tool",
    "invoke_agent": "agent",
    "create_agent": "agent",
    "invoke_workflow": "chain",
    "plan": "chain",
    "search_memory": "tool",
    "update_memory": "tool",
    "create_memory": "tool",
    "delete_memory": "tool",
    "create_memory_store": "tool",
    "delete_memory_store": "tool",
    # Reads an earlier answer again: no model runs, so it must not count as a call.
    "fetch_response": "other",
}
_OPENINFERENCE_KINDS: Final = {
    "llm": "llm",
    "embedding": "embedding",
    "tool": "tool",
    "agent": "agent",
    "chain": "chain",
    "retriever": "retriever",
    "reranker": "reranker",
    "guardrail": "guardrail",
    "evaluator": "evaluator",
    "prompt": "prompt",
    "event": "event",
    # A model that answers typed questions instead of writing text: a call, with tokens and a price.
    "decision": "llm",
}
_TRACELOOP_KINDS: Final = {"workflow": "chain", "task": "chain", "agent": "agent", "tool": "tool"}
_REQUEST_TYPES: Final = {"chat": "llm", "completion": "llm", "embedding": "embedding", "rerank": "reranker"}

SPAN_FIELDS: Final[tuple[Field, ...]] = (
    Field(
        "kind",
        "what the span did",
        (
            Source("gen_ai.operation.name", "kind", "gen_ai", _OPERATIONS),
            Source("openinference.span.kind", "kind", "openinference", _OPENINFERENCE_KINDS),
            Source("llm.request.type", "kind", "openllmetry", _REQUEST_TYPES),
            Source("traceloop.span.kind", "kind", "openllmetry", _TRACELOOP_KINDS),
        ),
    ),
    Field(
        "provider",
        "who ran the model",
        (
            Source("gen_ai.provider.name", "string", "gen_ai"),
            Source("llm.provider", "string", "openinference"),
            Source("llm.system", "string", "openinference"),
            Source("decision.provider", "string", "openinference"),
            Source("decision.system", "string", "openinference"),
            Source("gen_ai.system", "string", "gen_ai_legacy"),
        ),
    ),
    Field(
        "model_request",
        "model as asked for",
        (
            Source("gen_ai.request.model", "string", "gen_ai"),
            Source("llm.request.model_name", "string", "openinference"),
            Source("decision.request.model_name", "string", "openinference"),
            Source("llm.invocation_parameters", "model_in_json", "openinference"),
            Source("embedding.invocation_parameters", "model_in_json", "openinference"),
        ),
    ),
    Field(
        "model_response",
        "model that answered",
        (
            Source("gen_ai.response.model", "string", "gen_ai"),
            Source("llm.response.model_name", "string", "openinference"),
            Source("decision.response.model_name", "string", "openinference"),
            # OpenInference's instrumentors write the model that answered here; the one asked for is in the parameters.
            Source("llm.model_name", "string", "openinference"),
            Source("embedding.model_name", "string", "openinference"),
            Source("reranker.model_name", "string", "openinference"),
            Source("decision.model_name", "string", "openinference"),
        ),
    ),
    Field(
        "input",
        "what went in: messages, arguments, a query or text",
        (
            Source("gen_ai.input.messages", "messages", "gen_ai"),
            Source("gen_ai.tool.call.arguments", "body", "gen_ai"),
            Source("gen_ai.retrieval.query.text", "body", "gen_ai"),
            Source("llm.input_messages.*", "indexed_messages", "openinference"),
            Source("input.value", "body", "openinference"),
            Source("gen_ai.prompt.*", "indexed_messages", "gen_ai_legacy"),
            Source("traceloop.entity.input", "body", "openllmetry"),
            Source("gen_ai.prompt", "body", "gen_ai_legacy"),
        ),
        content=True,
    ),
    Field(
        "output",
        "what came out: messages, a tool's result, documents or text",
        (
            Source("gen_ai.output.messages", "messages", "gen_ai"),
            Source("gen_ai.tool.call.result", "body", "gen_ai"),
            Source("gen_ai.retrieval.documents", "body", "gen_ai"),
            Source("llm.output_messages.*", "indexed_messages", "openinference"),
            Source("retrieval.documents.*", "indexed_json", "openinference"),
            Source("reranker.output_documents.*", "indexed_json", "openinference"),
            Source("output.value", "body", "openinference"),
            Source("gen_ai.completion.*", "indexed_messages", "gen_ai_legacy"),
            Source("traceloop.entity.output", "body", "openllmetry"),
            Source("gen_ai.completion", "body", "gen_ai_legacy"),
        ),
        content=True,
    ),
    Field(
        "mime_types",
        "MIME types of input and output; bodies show by themselves whether they are JSON",
        (
            Source("input.mime_type", "ignored", "openinference"),
            Source("output.mime_type", "ignored", "openinference"),
        ),
        content=True,
    ),
    Field(
        "vectors",
        "embeddings as numbers, too large to keep; their texts are in the input",
        (Source("embedding.embeddings.*", "ignored", "openinference"),),
        content=True,
    ),
    Field(
        "system_instructions",
        "system prompt where it is apart from the messages",
        (Source("gen_ai.system_instructions", "body", "gen_ai"),),
        content=True,
    ),
    Field(
        "tool_defs",
        "tools offered to the model",
        (
            Source("gen_ai.tool.definitions", "body", "gen_ai"),
            Source("llm.tools.*", "indexed_json", "openinference"),
            Source("llm.request.functions.*", "indexed_json", "openllmetry"),
        ),
        content=True,
    ),
    Field(
        "tool_name",
        "tool that ran",
        (Source("gen_ai.tool.name", "string", "gen_ai"), Source("tool.name", "string", "openinference")),
    ),
    Field(
        "agent_name",
        "agent at work",
        (Source("gen_ai.agent.name", "string", "gen_ai"), Source("agent.name", "string", "openinference")),
    ),
    Field(
        "finish_reason",
        "why the model stopped",
        (
            Source("gen_ai.response.finish_reasons", "first_string", "gen_ai"),
            Source("llm.finish_reason", "string", "openinference"),
            Source("llm.response.finish_reason", "string", "openllmetry"),
        ),
    ),
    Field("response_id", "the provider's id of the answer", (Source("gen_ai.response.id", "string", "gen_ai"),)),
    Field(
        "tok_input",
        "input tokens, cached ones included",
        (
            Source("gen_ai.usage.input_tokens", "count", "gen_ai"),
            Source("llm.token_count.prompt", "count", "openinference"),
            Source("decision.token_count.input", "count", "openinference"),
            Source("gen_ai.usage.prompt_tokens", "count", "gen_ai_legacy"),
            Source("llm.usage.prompt_tokens", "count", "openllmetry"),
        ),
    ),
    Field(
        "tok_output",
        "output tokens, reasoning included",
        (
            Source("gen_ai.usage.output_tokens", "count", "gen_ai"),
            Source("llm.token_count.completion", "count", "openinference"),
            Source("decision.token_count.output", "count", "openinference"),
            Source("gen_ai.usage.completion_tokens", "count", "gen_ai_legacy"),
            Source("llm.usage.completion_tokens", "count", "openllmetry"),
        ),
    ),
    Field(
        "tok_cache_read",
        "input tokens read from the provider's cache",
        (
            Source("gen_ai.usage.cache_read.input_tokens", "count", "gen_ai"),
            Source("llm.token_count.prompt_details.cache_read", "count", "openinference"),
            Source("gen_ai.usage.cache_read_input_tokens", "count", "openllmetry"),
        ),
    ),
    Field(
        "tok_cache_write",
        "input tokens written to the provider's cache",
        (
            Source("gen_ai.usage.cache_creation.input_tokens", "count", "gen_ai"),
            Source("gen_ai.usage.cache_write.input_tokens", "count", "gen_ai"),
            Source("llm.token_count.prompt_details.cache_write", "count", "openinference"),
            Source("gen_ai.usage.cache_creation_input_tokens", "count", "openllmetry"),
        ),
    ),
    Field(
        "tok_reasoning",
        "output tokens spent on reasoning",
        (
            Source("gen_ai.usage.reasoning.output_tokens", "count", "gen_ai"),
            Source("llm.token_count.completion_details.reasoning", "count", "openinference"),
            Source("gen_ai.usage.reasoning_tokens", "count", "openllmetry"),
        ),
    ),
    Field(
        "tok_total",
        "all tokens as the source added them up; kept in usage_extra",
        (
            Source("llm.token_count.total", "count", "openinference"),
            Source("gen_ai.usage.total_tokens", "count", "gen_ai_legacy"),
            Source("llm.usage.total_tokens", "count", "openllmetry"),
        ),
    ),
    Field(
        "tok_audio_input",
        "audio tokens among the input; kept in usage_extra",
        (Source("llm.token_count.prompt_details.audio", "count", "openinference"),),
    ),
    Field(
        "tok_audio_output",
        "audio tokens among the output; kept in usage_extra",
        (Source("llm.token_count.completion_details.audio", "count", "openinference"),),
    ),
    Field(
        "cost_total",
        "cost as the source says it",
        (
            Source("llm.cost.total", "usd", "openinference"),
            Source("gen_ai.usage.cost", "usd", "openllmetry"),
            Source("operation.cost", "usd", "gen_ai_legacy"),
        ),
    ),
    Field("cost_input", "the input's part of a reported cost", (Source("llm.cost.prompt", "usd", "openinference"),)),
    Field(
        "cost_output", "the output's part of a reported cost", (Source("llm.cost.completion", "usd", "openinference"),)
    ),
    Field(
        "ttft_us",
        "time to the first token, in microseconds",
        (
            Source("gen_ai.response.time_to_first_chunk", "seconds", "gen_ai"),
            Source("gen_ai.client.operation.time_to_first_chunk", "seconds", "gen_ai"),
            Source("gen_ai.server.time_to_first_token", "seconds", "gen_ai_legacy"),
            Source("ai.response.msToFirstChunk", "milliseconds", "openllmetry"),
        ),
    ),
    Field(
        "session_id",
        "conversation or session",
        (
            Source("session.id", "string", "otel"),
            Source("gen_ai.conversation.id", "string", "gen_ai"),
            Source("traceloop.association.properties.session_id", "string", "openllmetry"),
        ),
    ),
    Field(
        "user_id",
        "the application's user",
        (
            Source("user.id", "string", "otel"),
            Source("enduser.id", "string", "otel"),
            Source("traceloop.association.properties.user_id", "string", "openllmetry"),
            Source("gen_ai.user", "string", "openllmetry"),
            Source("llm.user", "string", "openllmetry"),
        ),
    ),
    Field("tags", "the application's labels", (Source("tag.tags", "strings", "otel"),)),
    Field(
        "prompt_name",
        "name of the prompt used",
        (Source("gen_ai.prompt.name", "string", "otel"), Source("traceloop.prompt.key", "string", "openllmetry")),
    ),
    Field(
        "prompt_version",
        "version of the prompt used",
        (
            Source("gen_ai.prompt.version", "string", "otel"),
            Source("llm.prompt_template.version", "string", "openinference"),
            Source("traceloop.prompt.version", "string", "openllmetry"),
        ),
    ),
    Field("error_type", "class of the error", (Source("error.type", "string", "otel"),)),
)
"""Fields read from a span's attributes."""

RESOURCE_FIELDS: Final[tuple[Field, ...]] = (
    Field(
        "project_id",
        "project; `default` where none is named",
        (
            Source("spanwise.project", "string", "spanwise"),
            Source("openinference.project.name", "string", "openinference"),
        ),
    ),
    Field(
        "env",
        "deployment environment",
        (Source("deployment.environment.name", "string", "otel"), Source("deployment.environment", "string", "otel")),
    ),
    Field("service", "service name", (Source("service.name", "string", "otel"),)),
    Field("release", "release of the service", (Source("service.version", "string", "otel"),)),
    Field(
        "sdk_name",
        "SDK that sent it, first part of the column `sdk`",
        (Source("telemetry.distro.name", "string", "otel"), Source("telemetry.sdk.name", "string", "otel")),
    ),
    Field(
        "sdk_version",
        "its version, second part of the column `sdk`",
        (Source("telemetry.distro.version", "string", "otel"), Source("telemetry.sdk.version", "string", "otel")),
    ),
)
"""Fields read from the resource's attributes; they hold for all its spans."""

CONVENTION_ORDER: Final[tuple[Convention, ...]] = ("gen_ai", "openinference", "openllmetry", "gen_ai_legacy")
"""A span's `convention` is the first of these of which it carries an attribute."""


@dataclass(frozen=True, slots=True)
class ScopeRule:
    """What is different in spans of one instrumentation.

    Attributes:
        scope: start of the instrumentation scope's name, lower-case.
        input_excludes_cache: its input tokens leave cached ones out, so that they are added to `tok_input`.
        server_ttft_in_ms: it writes `gen_ai.server.time_to_first_token` in milliseconds, not seconds.
        reason: where that was seen.
    """

    scope: str
    input_excludes_cache: bool = False
    server_ttft_in_ms: bool = False
    reason: str = ""


SCOPE_RULES: Final[tuple[ScopeRule, ...]] = (
    ScopeRule(
        "openlit",
        input_excludes_cache=True,
        reason="OpenLIT sends Anthropic's input_tokens as they come, without cached ones",
    ),
    ScopeRule("strands", server_ttft_in_ms=True, reason="Strands writes whole milliseconds"),
)
"""The first rule whose `scope` starts the instrumentation scope's name holds; without one, the GenAI conventions'
meaning."""

CALL_KINDS: Final = frozenset({"llm", "embedding", "reranker"})
"""Kinds that are calls of a model. Only these can bear a bill: agents, chains and workflows repeat the sum of what they
wrap."""

FIRST_TOKEN_EVENTS: Final = frozenset({"First Token Stream Event", "gen_ai.first_token"})
"""Span events that mark the first token (OpenInference); used when no attribute gives the time to it."""
