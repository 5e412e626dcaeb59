"""Which shape a body has: every family is asked in turn."""

from collections.abc import Callable
from typing import Final

from spanwise_collector.normalise.messages import (
    ai_sdk,
    anthropic,
    dspy,
    genai,
    laminar,
    langchain,
    langfuse,
    langsmith,
    openai,
    openai_agents,
    openai_responses,
    pydantic_ai,
)
from spanwise_collector.normalise.messages.content import Content, Side
from spanwise_collector.normalise.values import Value

Shape = Callable[[Value, Side], Content | None]

SHAPES: Final[tuple[Shape, ...]] = (
    genai.read,
    pydantic_ai.read,
    langfuse.read,
    ai_sdk.read,
    langchain.read,
    laminar.read,
    langsmith.read,
    anthropic.read,
    openai_responses.read,
    openai_agents.read,
    openai.read,
    dspy.read,
)
"""Families of shapes; the first that knows a body's shape reads it. Narrow ones go before broad ones."""


def read_content(body: Value, side: Side) -> Content | None:
    """What a body says, or None when it has no shape that is known.

    Args:
        body: structured values: a body's JSON, parsed.
        side: whether it is what went in or what came out.
    """
    for shape in SHAPES:
        found = shape(body, side)
        if found is not None:
            return found
    return None
