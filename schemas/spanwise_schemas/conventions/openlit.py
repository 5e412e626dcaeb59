"""OpenLIT: GenAI names with meanings of its own."""

from typing import Final

from spanwise_schemas.conventions.model import Source

SCOPES: Final = ("openlit",)

RULES: Final = (
    # Anthropic's input_tokens as they come, without cached ones.
    Source("tok_input", "gen_ai.usage.input_tokens", "count", scopes=SCOPES, first=True, counting="provider"),
)
