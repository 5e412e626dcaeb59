"""GenAI message JSON in which a part's text is a provider's block, written as JSON.

MLflow does so with blocks it has no part for, OpenLLMetry with the summary of OpenAI's reasoning.
"""

from typing import Final

from spanwise_collector.normalise.messages import anthropic
from spanwise_collector.normalise.messages.content import Message, Part, reasoning_part, text_member, unwrapped
from spanwise_collector.normalise.messages.openai_responses import thoughts
from spanwise_collector.normalise.values import Value

MARK: Final = '\\"type\\"'
"""Stands in the text of every body that has such a part: a look for it spares the others."""
_ANTHROPIC: Final = frozenset({"thinking", "redacted_thinking"})
_TEXTS: Final = frozenset({"summary_text", "reasoning_text"})


def opened(messages: list[Message]) -> list[Message] | None:
    """The messages with such blocks as parts, or None where there is none."""
    found = [_opened_message(one) for one in messages]
    return found if found != messages else None


def _opened_message(message: Message) -> Message:
    parts = message.get("parts")
    if not isinstance(parts, list):
        return message
    return {**message, "parts": [made for part in parts if isinstance(part, dict) for made in _opened_part(part)]}


def _opened_part(part: Part) -> list[Value]:
    if part.get("type") not in ("text", "reasoning"):
        return [part]
    inside = unwrapped(part.get("content"))
    blocks = inside if isinstance(inside, list) else [inside]
    made = [one for block in blocks for one in _thoughts(block)]
    return [*made] if made else [part]


def _thoughts(block: Value) -> list[Part]:
    if not isinstance(block, dict):
        return []
    kind = text_member(block, "type")
    if kind in _ANTHROPIC:
        return [anthropic.part(block)]
    if kind == "reasoning":
        return [reasoning_part(text) for text in thoughts(block)]
    return [reasoning_part(text_member(block, "text"))] if kind in _TEXTS else []
