"""LangSmith SDK, exported as OTLP: GenAI names for some things, its runs' own fields for the rest."""

from typing import Final

from spanwise_schemas.conventions.model import Source

KINDS: Final = {
    "llm": "llm",
    "embedding": "embedding",
    "tool": "tool",
    "retriever": "retriever",
    "chain": "chain",
    "prompt": "prompt",
    "parser": "other",
}
"""`langsmith.span.kind` to span kind."""
USAGE: Final = "langsmith.metadata.usage_metadata"
INPUT_DETAILS: Final = "gen_ai.usage.input_token_details"
OUTPUT_DETAILS: Final = "gen_ai.usage.output_token_details"

RULES: Final = (
    # Its `gen_ai.operation.name` calls a retriever `embeddings` and a prompt `chat`.
    Source("kind", "langsmith.span.kind", "kind", KINDS, first=True),
    Source("provider", "langsmith.metadata.ls_provider", "provider"),
    Source("model_request", "langsmith.metadata.ls_model_name", "string"),
    Source("tok_input", USAGE, "count", path=("input_tokens",)),
    Source("tok_output", USAGE, "count", path=("output_tokens",)),
    Source("tok_cache_read", USAGE, "count", path=("input_token_details", "cache_read")),
    Source("tok_cache_read", INPUT_DETAILS, "count", path=("cache_read",)),
    Source("tok_cache_write", USAGE, "count", path=("input_token_details", "cache_creation")),
    Source("tok_cache_write", INPUT_DETAILS, "count", path=("cache_creation",)),
    Source("tok_cache_write_1h", USAGE, "count", path=("input_token_details", "ephemeral_1h_input_tokens")),
    Source("tok_cache_write_1h", INPUT_DETAILS, "count", path=("ephemeral_1h_input_tokens",)),
    Source("tok_reasoning", USAGE, "count", path=("output_token_details", "reasoning")),
    Source("tok_reasoning", OUTPUT_DETAILS, "count", path=("reasoning",)),
    Source("session_id", "langsmith.metadata.session_id", "string"),
    Source("session_id", "langsmith.metadata.thread_id", "string"),
    Source("session_id", "langsmith.metadata.conversation_id", "string"),
    Source("user_id", "langsmith.metadata.user_id", "string"),
    Source("tags", "langsmith.span.tags", "comma_strings"),
    Source("streaming", "langsmith.request.streaming", "boolean"),
)
