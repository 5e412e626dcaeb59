"""LiteLLM's OpenTelemetry callback.

Beside the GenAI names it writes what a provider's answer said about tokens as Python literals, and what the call cost.
"""

from typing import Final

from spanwise_schemas.conventions.model import Source

_USAGE: Final = "metadata.usage_object"
_SCOPE: Final = ("litellm",)

RULES: Final[tuple[Source, ...]] = (
    Source("provider", "litellm.provider.model", "routed_provider"),
    Source("response_id", "gen_ai.response.id", "routed_id", scopes=_SCOPE, first=True),
    Source("tok_cache_read", _USAGE, "count", path=("prompt_tokens_details", "cached_tokens")),
    Source("tok_cache_write", _USAGE, "count", path=("prompt_tokens_details", "cache_creation_tokens")),
    Source(
        "tok_cache_write_1h",
        _USAGE,
        "count",
        path=("prompt_tokens_details", "cache_creation_token_details", "ephemeral_1h_input_tokens"),
    ),
    Source("tok_reasoning", _USAGE, "count", path=("completion_tokens_details", "reasoning_tokens")),
    Source("cost_total", "gen_ai.cost.total_cost", "usd"),
    Source("cost_input", "gen_ai.cost.input_cost", "usd"),
    Source("cost_output", "gen_ai.cost.output_cost", "usd"),
    Source("cost_total", "litellm.cost.total", "usd"),
    Source("cost_input", "litellm.cost.input", "usd"),
    Source("cost_output", "litellm.cost.output", "usd"),
)
