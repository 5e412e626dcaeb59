"""Retrievers that found nothing."""

import re
from typing import Final

from spanwise_collector.failures.failure import Found
from spanwise_collector.failures.masks import mask
from spanwise_evaluators.reading.short import short

MAX_EMPTY: Final = 64
"""Characters of an output that may say that there is nothing."""
_NOTHING: Final = re.compile(r"\s*(?:\[\s*\]|null|None|\{\s*(?:\"\w{1,20}\"\s*:\s*\[\s*\]\s*)?\})\s*")


def is_empty_retrieval(output: str) -> bool:
    """Whether a retriever's output is a list without documents; "" was not recorded, which says nothing."""
    return len(output) <= MAX_EMPTY and _NOTHING.fullmatch(output) is not None


def empty_retrieval(name: str) -> Found:
    """A retriever that found nothing.

    Args:
        name: of the span.
    """
    return Found("empty_retrieval", "", f"No documents found: {short(name)}", (mask(name),))
