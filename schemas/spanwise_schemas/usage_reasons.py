"""Why a span that tells of usage does not bear the bill: the words in `spans.usage_reason`, and what they mean."""

from collections.abc import Mapping
from typing import Final

MEANINGS: Final[Mapping[str, str]] = {
    "not_a_model_call": "Not a model call: agents, chains and workflows repeat the sum of the calls inside them.",
}


def meaning_of(reason: str) -> str:
    """A reason in a sentence; the word itself where it is from a newer version."""
    return MEANINGS.get(reason, reason.replace("_", " "))
