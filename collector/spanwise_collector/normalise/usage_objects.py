"""Usage objects: the token counts of a call in one JSON value, as providers and instrumentations write them.

What a count holds is told by the names beside it, since the same attribute carries several of these styles.
"""

from collections.abc import Mapping
from typing import Final

from spanwise_collector.normalise.messages import anthropic, openai, openai_responses
from spanwise_collector.normalise.messages.content import unwrapped
from spanwise_collector.normalise.values import Value

Counts = dict[str, int]
"""Token counts by field, `{"tok_input": 12}`: input with cached tokens, output with reasoning."""

_LANGFUSE: Final = {
    "tok_cache_read": ("input_cache_read", "cache_read_input_tokens", "input_cached_tokens"),
    "tok_cache_write": ("input_cache_creation", "cache_creation_input_tokens"),
    "tok_cache_write_1h": ("cache_creation_ephemeral_1h_input_tokens",),
    "tok_reasoning": ("output_reasoning", "output_reasoning_tokens"),
    "tok_audio_input": ("input_audio", "input_audio_tokens"),
    "tok_audio_output": ("output_audio", "output_audio_tokens"),
    "tok_total": ("total",),
}
_CACHE_OF_ANTHROPIC: Final = ("cache_read_input_tokens", "cache_creation_input_tokens")
_METADATA: Final = {
    "tok_cache_read": ("cachedPromptTokens", "cacheReadInputTokens"),
    "tok_cache_write": ("cacheWriteTokens", "cacheCreationInputTokens"),
    "tok_reasoning": ("reasoningTokens",),
}


def read_usage_object(value: Value) -> Counts | None:
    """Token counts in a usage object of any known style; None where there are none.

    Known are the objects of OpenAI's chat completions and responses and of Anthropic's messages, Langfuse's
    `usage_details`, and the members that the Vercel AI SDK puts into its provider metadata.
    """
    found = unwrapped(value)
    if not isinstance(found, dict):
        return None
    if "prompt_tokens" in found:
        counts = openai.counts(found)
    elif any(name in found for name in _CACHE_OF_ANTHROPIC) and "input_tokens" in found:
        counts = anthropic.counts(found)
    elif "input_tokens" in found:
        counts = openai_responses.counts(found)
    elif _count(found.get("input")) is not None or _count(found.get("output")) is not None:
        counts = _langfuse(found)
    else:
        counts = _named(found, _METADATA)
    return counts or None


def _langfuse(found: Mapping[str, Value]) -> Counts:
    """Langfuse's own style: every name is a count of its own, so `input` is what the other inputs leave."""
    counts = _named(found, _LANGFUSE)
    parts = {name: count for name, value in found.items() if (count := _count(value)) is not None}
    inputs = [name for name in parts if name.startswith("input") or name in _CACHE_OF_ANTHROPIC]
    outputs = [name for name in parts if name.startswith("output")]
    if inputs:
        counts["tok_input"] = sum(parts[name] for name in inputs)
    if outputs:
        counts["tok_output"] = sum(parts[name] for name in outputs)
    return counts


def _named(found: Mapping[str, Value], names: Mapping[str, tuple[str, ...]]) -> Counts:
    told = {
        field: next((count for name in listed if (count := _count(found.get(name))) is not None), None)
        for field, listed in names.items()
    }
    return {field: count for field, count in told.items() if count is not None}


def _count(value: Value) -> int | None:
    return value if type(value) is int and value >= 0 else None
