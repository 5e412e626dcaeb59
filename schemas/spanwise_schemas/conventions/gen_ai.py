"""OpenTelemetry's GenAI semantic conventions, current names (registry of schema gen-ai/1.42.0)."""

from typing import Final

from spanwise_schemas.conventions.model import Source

OPERATIONS: Final = {
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
    # What package `@ai-sdk/otel` adds to the convention.
    "agent_step": "chain",
    "rerank": "reranker",
    # Reads an earlier answer again: no model runs, so it must not count as a call.
    "fetch_response": "other",
}
"""`gen_ai.operation.name` to span kind."""

RULES: Final = (
    Source("kind", "gen_ai.operation.name", "kind", OPERATIONS),
    Source("provider", "gen_ai.provider.name", "provider"),
    Source("model_request", "gen_ai.request.model", "string"),
    Source("model_response", "gen_ai.response.model", "string"),
    Source("input", "gen_ai.input.messages", "messages"),
    Source("input", "gen_ai.tool.call.arguments", "body"),
    Source("input", "gen_ai.retrieval.query.text", "body"),
    Source("output", "gen_ai.output.messages", "messages"),
    Source("output", "gen_ai.tool.call.result", "body"),
    Source("output", "gen_ai.retrieval.documents", "body"),
    Source("system_instructions", "gen_ai.system_instructions", "body"),
    Source("tool_defs", "gen_ai.tool.definitions", "body"),
    Source("tool_name", "gen_ai.tool.name", "string"),
    Source("agent_name", "gen_ai.agent.name", "string"),
    Source("finish_reason", "gen_ai.response.finish_reasons", "finish_reason"),
    Source("response_id", "gen_ai.response.id", "string"),
    Source("tok_input", "gen_ai.usage.input_tokens", "count"),
    Source("tok_output", "gen_ai.usage.output_tokens", "count"),
    Source("tok_cache_read", "gen_ai.usage.cache_read.input_tokens", "count"),
    Source("tok_cache_write", "gen_ai.usage.cache_creation.input_tokens", "count"),
    Source("tok_cache_write", "gen_ai.usage.cache_write.input_tokens", "count"),
    Source("tok_reasoning", "gen_ai.usage.reasoning.output_tokens", "count"),
    # What the package `anthropic` adds to the convention in the spans that it writes itself.
    Source("tok_cache_write_1h", "anthropic.usage.cache_creation.ephemeral_1h_input_tokens", "count"),
    Source("finish_reason", "anthropic.message.stop_reason", "finish_reason"),
    Source("ttft_us", "gen_ai.response.time_to_first_chunk", "seconds"),
    Source("ttft_us", "gen_ai.client.operation.time_to_first_chunk", "seconds"),
    Source("session_id", "gen_ai.conversation.id", "string"),
    Source("params", "gen_ai.request.*", "parameters_below"),
    Source("output_format", "gen_ai.output.type", "string"),
    Source("output_format", "gen_ai.openai.request.response_format", "string"),
    Source("streaming", "gen_ai.request.stream", "boolean"),
    Source("streaming", "gen_ai.client.operation.time_to_first_chunk", "given"),
    Source("tool_call_id", "gen_ai.tool.call.id", "string"),
)
