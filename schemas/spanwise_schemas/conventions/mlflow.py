"""MLflow tracing, exported as OTLP: its attributes hold JSON, texts with their quotes.

With MLFLOW_ENABLE_OTEL_GENAI_SEMCONV it writes the GenAI conventions' names instead, but calls the model that answered
the one asked for; the request's own arguments stay beside them, each under its bare name.
"""

from typing import Final

from spanwise_schemas.conventions.model import Source

SCOPES: Final = ("mlflow",)
KINDS: Final = {
    "llm": "llm",
    "chat_model": "llm",
    "embedding": "embedding",
    "reranker": "reranker",
    "retriever": "retriever",
    "tool": "tool",
    "memory": "tool",
    "agent": "agent",
    "chain": "chain",
    "workflow": "chain",
    "task": "chain",
    "guardrail": "guardrail",
    "evaluator": "evaluator",
    "parser": "other",
    "unknown": "other",
}
"""`mlflow.spanType` to span kind (`mlflow.entities.SpanType`)."""
WHOLE: Final = ()
"""The path to all of a JSON value."""
USAGE: Final = "mlflow.chat.tokenUsage"
COST: Final = "mlflow.llm.cost"

RULES: Final = (
    Source("kind", "mlflow.spanType", "kind", KINDS, path=WHOLE),
    # What the GenAI conventions have no word for comes as MLflow's own.
    Source("kind", "gen_ai.operation.name", "kind", KINDS, scopes=SCOPES),
    Source("provider", "mlflow.llm.provider", "provider", path=WHOLE),
    Source("model_request", "model", "string", path=WHOLE, scopes=SCOPES, first=True),
    Source("model_request", "mlflow.llm.model", "string", path=WHOLE),
    Source("input", "mlflow.spanInputs", "body"),
    Source("output", "mlflow.spanOutputs", "body"),
    Source("tool_defs", "mlflow.chat.tools", "body"),
    Source("tool_defs", "tools", "body", scopes=SCOPES),
    Source("tok_input", USAGE, "count", path=("input_tokens",)),
    Source("tok_output", USAGE, "count", path=("output_tokens",)),
    Source("tok_cache_read", USAGE, "count", path=("cache_read_input_tokens",)),
    Source("tok_cache_write", USAGE, "count", path=("cache_creation_input_tokens",)),
    Source("tok_cache_write_1h", USAGE, "count", path=("cache_creation_input_tokens_above_1hr",)),
    Source("tok_total", USAGE, "count", path=("total_tokens",)),
    Source("cost_total", COST, "usd", path=("total_cost",)),
    Source("cost_input", COST, "usd", path=("input_cost",)),
    Source("cost_output", COST, "usd", path=("output_cost",)),
    Source("streaming", "stream", "boolean", scopes=SCOPES),
    Source("session_id", "mlflow.trace.session", "string", path=WHOLE),
    Source("user_id", "mlflow.trace.user", "string", path=WHOLE),
)
