"""Pydantic AI's messages: GenAI message JSON with words of its own, and in version 1 of its data a list of events.

Shapes: `pydantic_ai._otel_messages`; the events are those of the GenAI conventions before they had messages.
"""

from typing import Final

from spanwise_collector.normalise.messages import openai
from spanwise_collector.normalise.messages.content import Content, Message, Part, Side, reasoning_part, text_member
from spanwise_collector.normalise.values import Value

_CHOICE: Final = "gen_ai.choice"


def is_own(messages: list[Message]) -> bool:
    """Whether GenAI messages have words of Pydantic AI's own. Written flat: it looks at every part of every call."""
    for message in messages:
        parts = message["parts"]
        if isinstance(parts, list):
            for part in parts:
                if isinstance(part, dict) and (part["type"] == "thinking" or "result" in part):
                    return True
    return False


def read(body: Value, side: Side) -> Content | None:
    """Events: what went in are the messages, what came out the choices."""
    if not isinstance(body, list) or not body:
        return None
    names = [text_member(one, "event.name") for one in body]
    if not all(name.startswith("gen_ai.") for name in names):
        return None
    wanted = [one for one, name in zip(body, names, strict=True) if (name == _CHOICE) == (side == "output")]
    return Content(messages=[_event(one) for one in wanted if isinstance(one, dict)])


def in_standard_words(messages: list[Message]) -> list[Message] | None:
    """Messages with the GenAI conventions' words, or None where they have no others."""
    found = [_message(one) for one in messages]
    return found if found != messages else None


def _event(found: dict[str, Value]) -> Message:
    inner = found.get("message")
    spoken = inner if isinstance(inner, dict) else found
    role = spoken.get("role") or text_member(found, "event.name").removeprefix("gen_ai.").removesuffix(".message")
    made = openai.message({**spoken, "role": role, "tool_call_id": spoken.get("id", spoken.get("tool_call_id"))})
    made.pop("name", None)
    return made


def _message(found: Message) -> Message:
    parts = found.get("parts")
    return {**found, "parts": [_part(one) for one in parts]} if isinstance(parts, list) else found


def _part(found: Value) -> Value:
    if not isinstance(found, dict):
        return found
    if found.get("type") == "thinking":
        # Logfire passes Anthropic's block on as it is.
        return reasoning_part(found["thinking"]) if "thinking" in found else {**found, "type": "reasoning"}
    if found.get("type") == "tool_call_response" and "result" in found:
        made: Part = {("response" if key == "result" else key): value for key, value in found.items()}
        return made
    return found
