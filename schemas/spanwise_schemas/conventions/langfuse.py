"""Langfuse SDKs and its instrumentations."""

from typing import Final

from spanwise_schemas.conventions.model import Source

KINDS: Final = {
    "generation": "llm",
    "embedding": "embedding",
    "tool": "tool",
    "agent": "agent",
    "chain": "chain",
    "retriever": "retriever",
    "evaluator": "evaluator",
    "guardrail": "guardrail",
    "event": "event",
    "span": "other",
}
"""`langfuse.observation.type` to span kind."""
USAGE: Final = "langfuse.observation.usage_details"
COST: Final = "langfuse.observation.cost_details"
# What LangChain's callbacks tell. SDKs from version 5 write metadata as JSON, texts with their quotes.
METADATA: Final = "langfuse.observation.metadata."
WHOLE: Final = ()
"""The path to all of a JSON value."""

RULES: Final = (
    Source("kind", "langfuse.observation.type", "kind", KINDS),
    Source("provider", METADATA + "ls_provider", "provider", path=WHOLE),
    Source("provider", METADATA + "ls_provider", "provider"),
    Source("model_request", METADATA + "ls_model_name", "string", path=WHOLE),
    Source("model_request", METADATA + "ls_model_name", "string"),
    # Of a call that was not answered the model asked for, else the one that answered.
    Source("model_request", "langfuse.observation.model.name", "string"),
    Source("model_response", "langfuse.observation.model.name", "string"),
    Source("input", "langfuse.observation.input", "body"),
    Source("input", "langfuse.trace.input", "body"),
    Source("output", "langfuse.observation.output", "body"),
    Source("output", "langfuse.trace.output", "body"),
    # Of a streamed response the wrapper keeps the answer's other members as metadata.
    Source("response_id", METADATA + "id", "string", path=WHOLE),
    Source("response_id", METADATA + "id", "string"),
    Source("finish_reason", METADATA + "finish_reason", "finish_reason"),
    Source("usage", USAGE, "usage"),
    Source("cost_total", COST, "usd_parts"),
    Source("cost_input", COST, "usd", path=("input",)),
    Source("cost_output", COST, "usd", path=("output",)),
    Source("first_token_at", "langfuse.observation.completion_start_time", "instant"),
    Source("streaming", "langfuse.observation.completion_start_time", "given"),
    Source("session_id", "langfuse.session.id", "string"),
    Source("session_id", METADATA + "langfuse_session_id", "string", path=WHOLE),
    Source("session_id", METADATA + "langfuse_session_id", "string"),
    Source("user_id", "langfuse.user.id", "string"),
    Source("user_id", METADATA + "langfuse_user_id", "string", path=WHOLE),
    Source("user_id", METADATA + "langfuse_user_id", "string"),
    Source("tags", "langfuse.trace.tags", "strings"),
    Source("prompt_name", "langfuse.observation.prompt.name", "string"),
    Source("prompt_version", "langfuse.observation.prompt.version", "string"),
    Source("params", "langfuse.observation.model.parameters", "parameters"),
    Source("error_level", "langfuse.observation.level", "error_level"),
    Source("error_message", "langfuse.observation.status_message", "string"),
)

RESOURCE_RULES: Final = (
    Source("env", "langfuse.environment", "string"),
    Source("release", "langfuse.release", "string"),
)
