"""Pydantic AI and Logfire: GenAI names with additions of their own.

`operation.cost` is not read: it is no bill but an estimate by the price list that Spanwise uses too, without the
lifetime of cache writes, and 0 where the counts are unknown. It stays among the attributes.
"""

from typing import Final

from spanwise_schemas.conventions.model import Source

PYDANTIC_AI: Final = ("pydantic-ai",)
LOGFIRE: Final = ("logfire",)
DETAILS: Final = "gen_ai.usage.details."

RULES: Final = (
    Source("usage", "gen_ai.usage.raw", "usage"),
    Source("tok_cache_read", DETAILS + "cache_read_tokens", "count"),
    Source("tok_cache_write", DETAILS + "cache_write_tokens", "count"),
    Source("tok_cache_write_1h", DETAILS + "ephemeral_1h_input_tokens", "count"),
    Source("tok_reasoning", DETAILS + "reasoning_tokens", "count"),
    Source("tok_reasoning", DETAILS + "thinking_tokens", "count"),
    Source("agent_name", "agent_name", "string", scopes=PYDANTIC_AI),
    Source("model_request", "model_name", "string", scopes=PYDANTIC_AI),
    Source("input", "pydantic_ai.all_messages", "body"),
    Source("input", "all_messages_events", "body", scopes=PYDANTIC_AI),
    Source("input", "events", "body", scopes=PYDANTIC_AI),
    Source("output", "events", "body", scopes=PYDANTIC_AI),
    Source("input", "inputs", "body", scopes=PYDANTIC_AI),
    Source("vectors", "embeddings", "ignored", scopes=PYDANTIC_AI),
    Source("input", "tool_arguments", "body", scopes=PYDANTIC_AI),
    Source("output", "final_result", "body", scopes=PYDANTIC_AI),
    Source("output", "tool_response", "body", scopes=PYDANTIC_AI),
    Source("tool_defs", "model_request_parameters", "body", path=("function_tools",), scopes=PYDANTIC_AI),
    # Of a stream Logfire writes a span for the request and this one, without a length, for the answer.
    Source("streaming", "logfire.msg_template", "streamed", scopes=LOGFIRE),
    Source("tags", "logfire.tags", "strings"),
)
