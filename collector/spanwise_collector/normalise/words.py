"""One vocabulary for what sources say in many: providers, finish reasons, error levels.

The words are those of OpenTelemetry's GenAI conventions (`gen_ai.provider.name`, `FinishReason` in
gen-ai-output-messages.json), schema gen-ai/1.42.0.
"""

from collections.abc import Mapping
from typing import Final

PROVIDERS: Final[Mapping[str, str]] = {
    "google": "gcp.gen_ai",
    "gemini": "gcp.gemini",
    "google.generative-ai": "gcp.gemini",
    "google_genai": "gcp.gen_ai",
    "vertexai": "gcp.vertex_ai",
    "vertex_ai": "gcp.vertex_ai",
    "google.vertex": "gcp.vertex_ai",
    "bedrock": "aws.bedrock",
    "aws": "aws.bedrock",
    "azure": "azure.ai.openai",
    "az.ai.openai": "azure.ai.openai",
    "az.ai.inference": "azure.ai.inference",
    "mistralai": "mistral_ai",
    "mistral": "mistral_ai",
    "xai": "x_ai",
}
"""Lower-case name to the conventions' spelling; a name that is not here stays as it is, in lower case."""

FINISH_REASONS: Final[Mapping[str, str]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "completed": "stop",
    "end": "stop",
    "tool_calls": "tool_call",
    "tool_use": "tool_call",
    "function_call": "tool_call",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "refusal": "content_filter",
    "safety": "content_filter",
    "failed": "error",
}
"""Word, lower-case and with underscores, to the conventions' one; another word stays as it is."""

ERROR_LEVELS: Final = frozenset({"error", "fatal", "critical"})
