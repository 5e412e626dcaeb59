"""Content that comes as events: span events, and log records that name their span.

Older instrumentations write one event per message (`gen_ai.user.message`, `gen_ai.choice`), newer ones a single
`gen_ai.client.inference.operation.details` with the attributes that could as well stand on the span. Sources: the
GenAI conventions up to v1.36 for the former, schema gen-ai/1.42.0 for the latter; payloads of
opentelemetry-instrumentation-openai-v2, -genai-*, -google-genai, openlit and strands.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from spanwise_collector.normalise.messages import Side, read_content
from spanwise_collector.normalise.messages.content import Message, call_part, response_part, text_part, unwrapped
from spanwise_collector.normalise.messages.openai import message
from spanwise_collector.normalise.plan import SLOT
from spanwise_collector.normalise.values import Value, to_json, to_text

ContentSide = Literal["input", "output", "system", "tools"]
SIDES: Final[tuple[ContentSide, ...]] = ("input", "output", "system", "tools")

_SLOTS: Final[Mapping[ContentSide, int]] = {
    "input": SLOT["input"],
    "output": SLOT["output"],
    "system": SLOT["system_instructions"],
    "tools": SLOT["tool_defs"],
}

DETAILS: Final = "gen_ai.client.inference.operation.details"
_CHOICE: Final = "gen_ai.choice"
_ROLES: Final[Mapping[str, str]] = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_WHOLE: Final[Mapping[str, tuple[str, Side]]] = {
    "gen_ai.content.prompt": ("gen_ai.prompt", "input"),
    "gen_ai.content.completion": ("gen_ai.completion", "output"),
}
_ATTRIBUTES: Final[Mapping[str, ContentSide]] = {
    "gen_ai.input.messages": "input",
    "gen_ai.output.messages": "output",
    "gen_ai.system_instructions": "system",
    "gen_ai.tool.definitions": "tools",
}
EVENTS: Final = frozenset({DETAILS, _CHOICE, *_ROLES, *_WHOLE})
"""Names of events that carry content."""


class Piece(NamedTuple):
    """A piece of a span's content.

    Attributes:
        side: where it belongs.
        text: messages as a JSON list, which is put after the list before it; system instructions and tool definitions
            as text or JSON.
    """

    side: ContentSide
    text: str


def pieces_of(name: str, attributes: Mapping[str, Value], body: Value) -> Iterator[Piece]:
    """What an event tells of its span's content; nothing for names that are not among `EVENTS`.

    Args:
        name: of the event.
        attributes: of the event.
        body: of a log record; None for span events.
    """
    told = body if isinstance(body, dict) else {}
    if name == DETAILS:
        for key, side in _ATTRIBUTES.items():
            value = attributes.get(key, told.get(key))
            if value:
                yield _whole(value, side)
    elif name in _WHOLE:
        key, where = _WHOLE[name]
        value = attributes.get(key, body)
        if value:
            yield _whole(value, where)
    elif name in _ROLES:
        yield _messages("input", [_message(told or attributes, _ROLES[name])])
    elif name == _CHOICE:
        yield _messages("output", [_choice(told or attributes)])


def joined(texts: Iterable[str]) -> str:
    """Pieces of one side, in order, as one body: lists are put one after the other, of other texts the last holds."""
    messages: list[Value] = []
    last = ""
    for text in texts:
        parsed = unwrapped(text)
        if isinstance(parsed, list):
            messages += parsed
        else:
            last = text
    return to_json(messages) if messages else last


def take_contents(events: Iterable[Mapping[str, Value]], values: list[Any], changes: dict[int, str]) -> None:
    """Fill the bodies that only a span's events tell.

    Args:
        events: of the span, as they are stored.
        values: of the fields, in the table's order; changed in place.
        changes: receives the fields that were filled, with the event's name.
    """
    found: dict[int, list[str]] = {}
    for event in events:
        name, attributes = event.get("name"), event.get("attributes")
        if name in EVENTS and isinstance(name, str) and isinstance(attributes, dict):
            for piece in pieces_of(name, attributes, None):
                slot = _SLOTS[piece.side]
                if values[slot] is None:
                    found.setdefault(slot, []).append(piece.text)
                    changes[slot] = name
    for slot, texts in found.items():
        values[slot] = joined(texts)


def _whole(value: Value, side: ContentSide) -> Piece:
    structured = unwrapped(value)
    if side in ("input", "output"):
        found = read_content(structured, "input" if side == "input" else "output")
        if found is not None and found.messages is not None:
            return _messages(side, found.messages)
    return Piece(side, to_text(value))


def _messages(side: ContentSide, messages: list[Message]) -> Piece:
    return Piece(side, to_json(list(messages)))


def _message(told: Mapping[str, Value], role: str) -> Message:
    """A message of the older events: the fields are those of OpenAI's chat, or a list of Bedrock's blocks."""
    blocks = _blocks(unwrapped(told.get("content")))
    if blocks is not None:
        return {"role": role, "parts": list(blocks)}
    return message({**told, "role": role, "tool_calls": _calls(told), "tool_call_id": told.get("id")})


def _calls(told: Mapping[str, Value]) -> Value:
    return unwrapped(told.get("tool_calls"))


def _choice(told: Mapping[str, Value]) -> Message:
    inner = unwrapped(told.get("message"))
    if isinstance(inner, dict):
        made = _message({key: value for key, value in inner.items() if key != "id"}, "assistant")
    else:
        blocks = _blocks(inner)
        if blocks is not None:
            made = {"role": "assistant", "parts": list(blocks)}
        else:
            made = _message({**told, "content": told.get("content") or inner, "id": None}, "assistant")
    if told.get("finish_reason"):
        made["finish_reason"] = told["finish_reason"]
    return made


def _blocks(content: Value) -> list[dict[str, Value]] | None:
    """Parts from Bedrock's content blocks, as Strands writes them; None for anything else."""
    if not isinstance(content, list) or not content:
        return None
    parts = [_block(one) for one in content]
    return [part for part in parts if part is not None] if None not in parts else None


def _block(found: Value) -> dict[str, Value] | None:
    if not isinstance(found, dict) or "type" in found:
        return None
    if "text" in found:
        return text_part(found["text"])
    use, result = found.get("toolUse"), found.get("toolResult")
    if isinstance(use, dict):
        return call_part(use.get("toolUseId"), use.get("name"), use.get("input"))
    if isinstance(result, dict):
        return response_part(result.get("toolUseId"), result.get("content"))
    return None
