"""Why a span that could bear the bill of a provider call does not: the words of `spans.usage_reason`, and sentences.

An empty word: the span bears a bill, or has none to bear.
"""

from collections.abc import Mapping
from typing import Final

NOT_A_MODEL_CALL: Final = "not_a_model_call"
SAME_RESPONSE: Final = "same_response"
WRAPS_CALLS: Final = "wraps_calls"
SAME_USAGE_INSIDE: Final = "same_usage_inside"
NO_USAGE_INSIDE: Final = "no_usage_inside"
ANSWERED_LATER: Final = "answered_later"

MEANINGS: Final[Mapping[str, str]] = {
    NOT_A_MODEL_CALL: "It is no model call: agents, chains and tools repeat what the calls inside them say.",
    SAME_RESPONSE: "Another span reports the same answer (same response id, at the same time) and is counted instead.",
    WRAPS_CALLS: "It wraps model calls that are counted themselves; its usage is theirs once more.",
    SAME_USAGE_INSIDE: "It lies inside a call of equal usage by another instrumentation, which is counted instead.",
    NO_USAGE_INSIDE: "It reports no usage and lies inside a model call that does.",
    ANSWERED_LATER: "It is the request alone; its answer came as a span of its own, which is counted.",
}

SETTLED: Final = frozenset({SAME_RESPONSE, WRAPS_CALLS, SAME_USAGE_INSIDE, NO_USAGE_INSIDE, ANSWERED_LATER})
"""Reasons that depend on other spans, so that a span which arrives later may bring or end them."""

DETAIL_COLUMNS: Final = ("tok_cache_read", "tok_cache_write", "tok_reasoning")
"""Columns of `spans` for sorts of tokens that not every instrumentation tells."""
DETAIL_COUNTS: Final = frozenset({"audio_input", "audio_output", "cache_write_1h"})
"""Such sorts in the map `usage_extra`."""


def meaning_of(reason: str) -> str:
    """A reason in a sentence; the word itself where it is from a newer version."""
    return MEANINGS.get(reason, reason.replace("_", " "))
