"""Vercel AI SDK 4 to 6 (attributes `ai.*`); version 7 writes GenAI names, and these where it is asked to.

Its `gen_ai.usage.*` counts as the provider does in versions 4 and 5 and with cached tokens in version 6, under one name
and without a version of the scope; so its own names go first.
"""

from typing import Final

from spanwise_schemas.conventions.model import Source

KINDS: Final = {
    "ai.generatetext": "chain",
    "ai.streamtext": "chain",
    "ai.generateobject": "chain",
    "ai.streamobject": "chain",
    "ai.embed": "chain",
    "ai.embedmany": "chain",
    "ai.rerank": "chain",
    "ai.generatetext.dogenerate": "llm",
    "ai.streamtext.dostream": "llm",
    "ai.generateobject.dogenerate": "llm",
    "ai.streamobject.dostream": "llm",
    "ai.embed.doembed": "embedding",
    "ai.embedmany.doembed": "embedding",
    "ai.rerank.dorerank": "reranker",
    "ai.toolcall": "tool",
}
"""`ai.operationId`, in lower case, to span kind."""
METADATA: Final = "ai.response.providerMetadata"
WHOLE: Final = ()
"""The path to all of a JSON value."""

RULES: Final = (
    Source("kind", "ai.operationId", "kind", KINDS),
    Source("provider", "ai.model.provider", "provider"),
    Source("model_request", "ai.model.id", "string"),
    Source("model_response", "ai.response.model", "string"),
    Source("input", "ai.prompt.messages", "messages"),
    Source("input", "ai.prompt", "body"),
    Source("input", "ai.toolCall.args", "body"),
    Source("input", "ai.values", "json_strings"),
    Source("input", "ai.value", "body", path=WHOLE),
    Source("output", "ai.response.*", "answer_parts"),
    Source("output", "ai.result.*", "answer_parts"),
    Source("output", "ai.toolCall.result", "body", path=WHOLE),
    Source("vectors", "ai.embedding", "ignored"),
    Source("vectors", "ai.embeddings", "ignored"),
    Source("tool_defs", "ai.prompt.tools", "json_strings"),
    Source("tool_name", "ai.toolCall.name", "string"),
    Source("tool_call_id", "ai.toolCall.id", "string"),
    Source("finish_reason", "ai.response.finishReason", "finish_reason"),
    Source("response_id", "ai.response.id", "string"),
    # Version 6 tells the parts, which add up whoever the provider is.
    Source("tok_input", "ai.usage.inputTokenDetails.noCacheTokens", "count", counting="exclusive", first=True),
    Source("tok_input", "ai.usage.inputTokens", "count", counting="provider", first=True),
    Source("tok_input", "ai.usage.promptTokens", "count", counting="provider", first=True),
    Source("tok_input", "ai.usage.tokens", "count"),
    Source("tok_output", "ai.usage.outputTokenDetails.textTokens", "count", counting="exclusive", first=True),
    Source("tok_output", "ai.usage.outputTokens", "count", counting="provider", first=True),
    Source("tok_output", "ai.usage.completionTokens", "count", counting="provider", first=True),
    Source("tok_cache_read", "ai.usage.inputTokenDetails.cacheReadTokens", "count"),
    Source("tok_cache_read", "ai.usage.cachedInputTokens", "count"),
    Source("tok_cache_write", "ai.usage.inputTokenDetails.cacheWriteTokens", "count"),
    Source("tok_reasoning", "ai.usage.outputTokenDetails.reasoningTokens", "count"),
    Source("tok_reasoning", "ai.usage.reasoningTokens", "count"),
    Source("tok_total", "ai.usage.totalTokens", "count"),
    # Whole usage objects first, then what there is.
    Source("usage", METADATA, "usage", path=("anthropic", "usage")),
    Source("usage", METADATA, "usage", path=("anthropic",)),
    Source("usage", METADATA, "usage", path=("openai", "usage")),
    Source("usage", METADATA, "usage", path=("openai",)),
    Source("ttft_us", "ai.response.msToFirstChunk", "milliseconds"),
    Source("ttft_us", "ai.stream.msToFirstChunk", "milliseconds"),
    Source("streaming", "ai.operationId", "streamed"),
    Source("session_id", "ai.telemetry.metadata.sessionId", "string"),
    Source("session_id", "ai.settings.context.sessionId", "string"),
    Source("user_id", "ai.telemetry.metadata.userId", "string"),
    Source("user_id", "ai.settings.context.userId", "string"),
    Source("tags", "ai.telemetry.metadata.tags", "strings"),
    Source("params", "ai.settings.*", "parameters_below"),
    Source("output_format", "ai.schema", "string"),
)
