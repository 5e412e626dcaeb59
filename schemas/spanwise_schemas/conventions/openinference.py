"""OpenInference (package openinference-semantic-conventions)."""

from typing import Final

from spanwise_schemas.conventions.model import Reading, Source

KINDS: Final = {
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
"""`openinference.span.kind` to span kind."""

PREPARED: Final = {"true": "chain", "false": "chain"}
"""An argument of `_prepare_chat_with_tools` to span kind, whatever its value."""

_DSPY: Final = ("openinference.instrumentation.dspy",)
_ROUTED: Final = ("openinference.instrumentation.litellm",)
"""Scopes that name models as LiteLLM does, provider first."""
_LLAMA_INDEX: Final = ("openinference.instrumentation.llama_index",)
_ASKED: Final = (*_DSPY, *_LLAMA_INDEX)
"""Scopes in which `llm.model_name` is the model asked for, never the one that answered."""

_OWN: Final = ("openinference.",)
"""Scopes in whose spans these names go first. Set to write GenAI names besides, the instrumentations make these from
their own: the model that answered becomes the one asked for, a tool's schema its arguments; thoughts are left out."""
_DOCUMENT: Final = ("document",)
_BODIES: Final[tuple[tuple[str, str, Reading, tuple[str, ...] | None], ...]] = (
    ("input", "llm.input_messages.*", "indexed_messages", None),
    ("input", "llm.prompts", "body", None),
    ("input", "embedding.embeddings.*", "indexed_json", ("embedding", "text")),
    ("input", "input.value", "body", None),
    ("output", "llm.output_messages.*", "indexed_messages", None),
    ("output", "retrieval.documents.*", "indexed_json", _DOCUMENT),
    ("output", "reranker.output_documents.*", "indexed_json", _DOCUMENT),
    ("output", "output.value", "body", None),
)

RULES: Final = (
    *(Source(*rule[:3], path=rule[3], scopes=_OWN, first=True) for rule in _BODIES),
    *(Source(*rule[:3], path=rule[3], but_not=_OWN) for rule in _BODIES),
    Source("model_request", "llm.request.model_name", "string", scopes=_OWN, first=True),
    Source(
        "model_request",
        "llm.invocation_parameters",
        "string",
        path=("model",),
        scopes=_OWN,
        but_not=_ROUTED,
        first=True,
    ),
    # LlamaIndex makes a request's arguments ready in a span of its own, which is called a model's and calls none.
    Source("kind", "input.value", "kind", PREPARED, path=("tool_required",), scopes=_LLAMA_INDEX, first=True),
    Source("kind", "openinference.span.kind", "kind", KINDS),
    Source("provider", "llm.provider", "provider"),
    Source("provider", "llm.system", "provider"),
    Source("provider", "llm.invocation_parameters", "routed_provider", path=("model",), scopes=_ROUTED),
    Source("provider", "embedding.invocation_parameters", "routed_provider", path=("model",), scopes=_ROUTED),
    Source("provider", "decision.provider", "provider"),
    Source("provider", "decision.system", "provider"),
    Source("model_request", "llm.request.model_name", "string", but_not=_OWN),
    Source("model_request", "decision.request.model_name", "string"),
    Source("model_request", "llm.invocation_parameters", "routed_model", path=("model",), scopes=_ROUTED),
    Source("model_request", "embedding.invocation_parameters", "routed_model", path=("model",), scopes=_ROUTED),
    Source("model_request", "llm.invocation_parameters", "string", path=("model",), but_not=_OWN),
    Source("model_request", "embedding.invocation_parameters", "string", path=("model",), but_not=_ROUTED),
    # Where nothing else names a model (a call that failed, an agent's), this one is what was asked for.
    Source("model_request", "llm.model_name", "string", but_not=_ROUTED),
    Source("model_request", "embedding.model_name", "string"),
    Source("model_response", "llm.response.model_name", "string"),
    Source("model_response", "decision.response.model_name", "string"),
    Source("model_response", "llm.model_name", "string", but_not=(*_ROUTED, *_ASKED)),
    Source("model_response", "llm.model_name", "unrouted_model", scopes=_ROUTED),
    Source("model_response", "embedding.model_name", "string"),
    Source("model_response", "reranker.model_name", "string"),
    Source("model_response", "decision.model_name", "string"),
    Source("mime_types", "input.mime_type", "ignored"),
    Source("mime_types", "output.mime_type", "ignored"),
    Source("vectors", "embedding.embeddings.*", "ignored"),
    Source("tool_defs", "llm.tools.*", "indexed_json", path=("tool", "json_schema")),
    Source("tool_defs", "llm.invocation_parameters", "body", path=("tools",), scopes=_DSPY),
    Source("tool_name", "tool.name", "string"),
    Source("agent_name", "agent.name", "string"),
    Source("finish_reason", "llm.finish_reason", "finish_reason"),
    Source("tok_input", "llm.token_count.prompt", "count"),
    Source("tok_input", "decision.token_count.input", "count"),
    Source("tok_output", "llm.token_count.completion", "count"),
    Source("tok_output", "decision.token_count.output", "count"),
    Source("tok_cache_read", "llm.token_count.prompt_details.cache_read", "count"),
    Source("tok_cache_write", "llm.token_count.prompt_details.cache_write", "count"),
    Source("tok_reasoning", "llm.token_count.completion_details.reasoning", "count"),
    Source("tok_total", "llm.token_count.total", "count"),
    Source("tok_audio_input", "llm.token_count.prompt_details.audio", "count"),
    Source("tok_audio_output", "llm.token_count.completion_details.audio", "count"),
    Source("cost_total", "llm.cost.total", "usd"),
    Source("cost_input", "llm.cost.prompt", "usd"),
    Source("cost_output", "llm.cost.completion", "usd"),
    Source("prompt_version", "llm.prompt_template.version", "string"),
    Source("streaming", "llm.invocation_parameters", "boolean", path=("stream",)),
    Source("params", "llm.invocation_parameters", "parameters"),
    Source("params", "embedding.invocation_parameters", "parameters"),
)

RESOURCE_RULES: Final = (Source("project_id", "openinference.project.name", "string"),)
