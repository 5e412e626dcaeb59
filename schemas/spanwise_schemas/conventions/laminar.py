"""Laminar (package lmnr): OpenLLMetry's names with raw requests and answers in them, and its own for the rest."""

from typing import Final

from spanwise_schemas.conventions.model import Source

SCOPES: Final = ("lmnr",)
KINDS: Final = {
    "llm": "llm",
    "cached": "other",
    "tool": "tool",
    "default": "other",
    "executor": "other",
    "evaluator": "evaluator",
    "human_evaluator": "evaluator",
    "evaluation": "other",
}
"""`lmnr.span.type` to span kind. `cached` is an answer replayed from an earlier run: no model ran."""
LAST_NAMES: Final = {"openai.embeddings": "embedding", "litellm.embedding": "embedding", "cohere.rerank": "reranker"}
"""Spans that Laminar types `LLM` though they are calls of another kind, by the last name on `lmnr.span.path`."""

RULES: Final = (
    Source("kind", "lmnr.span.path", "kind_of_path", LAST_NAMES),
    Source("kind", "lmnr.span.type", "kind", KINDS),
    Source("input", "lmnr.span.input", "body"),
    Source("output", "lmnr.span.output", "body"),
    Source("cost_input", "gen_ai.usage.input_cost", "usd", scopes=SCOPES),
    Source("cost_output", "gen_ai.usage.output_cost", "usd", scopes=SCOPES),
    Source("session_id", "lmnr.association.properties.session_id", "string"),
    Source("user_id", "lmnr.association.properties.user_id", "string"),
    Source("tags", "lmnr.association.properties.tags", "strings"),
    Source("tags", "lmnr.span.tags", "strings"),
)
