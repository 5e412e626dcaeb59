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

APIS: Final = frozenset(
    {"chat", "responses", "messages", "completion", "embedding", "image", "transcription", "speech", "rerank"}
)
"""What follows the provider's name where a source names its API too, as in `openai.chat`."""

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

# The usual ones of litellm.types.utils.LlmProviders.
ROUTED_PROVIDERS: Final = frozenset(
    """
    openai azure azure_text azure_ai anthropic anthropic_text bedrock bedrock_mantle sagemaker
    sagemaker_chat vertex_ai vertex_ai_beta gemini cohere cohere_chat mistral codestral groq xai deepseek
    deepinfra perplexity together_ai fireworks_ai openrouter replicate huggingface ollama ollama_chat vllm
    hosted_vllm lm_studio llamafile xinference nvidia_nim cerebras sambanova databricks watsonx watsonx_text
    ai21 ai21_chat voyage jina_ai cloudflare github github_copilot moonshot dashscope volcengine minimax
    novita nebius nscale hyperbolic friendliai featherless_ai snowflake oci meta_llama amazon_nova
    vercel_ai_gateway litellm_proxy custom_openai openai_like text-completion-openai
    """.split()  # noqa: SIM905 - a paragraph reads better than eighty lines
)
"""What LiteLLM puts in front of a model's name: `openai/gpt-4o`."""
