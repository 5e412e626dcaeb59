"""OpenLLMetry, also known as Traceloop (package opentelemetry-semantic-conventions-ai)."""

from typing import Final

from spanwise_schemas.conventions.model import Source

ENTITY_KINDS: Final = {"workflow": "chain", "task": "chain", "agent": "agent", "tool": "tool"}
"""`traceloop.span.kind` to span kind."""
REQUEST_TYPES: Final = {"chat": "llm", "completion": "llm", "embedding": "embedding", "rerank": "reranker"}
"""`llm.request.type` to span kind."""

RULES: Final = (
    Source("kind", "llm.request.type", "kind", REQUEST_TYPES),
    Source("kind", "traceloop.span.kind", "kind", ENTITY_KINDS),
    Source("input", "traceloop.entity.input", "body"),
    Source("output", "traceloop.entity.output", "body"),
    Source("tool_defs", "llm.request.functions.*", "indexed_json"),
    Source("finish_reason", "llm.response.finish_reason", "finish_reason"),
    Source("tok_input", "llm.usage.prompt_tokens", "count"),
    Source("tok_output", "llm.usage.completion_tokens", "count"),
    Source("tok_cache_read", "gen_ai.usage.cache_read_input_tokens", "count"),
    Source("tok_cache_write", "gen_ai.usage.cache_creation_input_tokens", "count"),
    Source("tok_reasoning", "gen_ai.usage.reasoning_tokens", "count"),
    Source("tok_total", "llm.usage.total_tokens", "count"),
    Source("cost_total", "gen_ai.usage.cost", "usd"),
    Source("session_id", "traceloop.association.properties.session_id", "string"),
    Source("user_id", "traceloop.association.properties.user_id", "string"),
    Source("user_id", "gen_ai.user", "string"),
    Source("user_id", "llm.user", "string"),
    Source("prompt_name", "traceloop.prompt.key", "string"),
    Source("prompt_version", "traceloop.prompt.version", "string"),
    Source("streaming", "llm.is_streaming", "boolean"),
    Source("streaming", "gen_ai.is_streaming", "boolean"),
)
