"""Content that is spread over numbered attributes, put together again.

OpenInference writes `llm.input_messages.0.message.role`, OpenLLMetry `gen_ai.prompt.0.role`; both become the message
JSON of the OpenTelemetry GenAI conventions: `[{"role": ..., "parts": [{"type": "text", "content": ...}]}]`.
"""

from collections.abc import Iterable

from spanwise_collector.normalise.messages import anthropic, openai
from spanwise_collector.normalise.messages.content import (
    Part,
    call_part,
    media_part,
    member,
    reasoning_part,
    response_part,
    text_member,
    text_part,
    unwrapped,
)
from spanwise_collector.normalise.values import Value, to_json

_MAX_LEVELS = 12
_BLOCKS = frozenset(
    {"text", "tool_use", "tool_result", "thinking", "redacted_thinking", "image", "image_url", "document"}
)
"""Types of Anthropic's content blocks."""


def nest(items: Iterable[tuple[str, Value]]) -> Value:
    """Dotted names back to lists and maps.

    Args:
        items: what follows the prefix, with the value: `("0.message.role", "user")`.

    Returns:
        A list where all names at a level are numbers (in order of number, gaps closed), else a map.
    """
    tree: dict[str, object] = {}
    for path, value in items:
        at = tree
        *steps, last = path.split(".", _MAX_LEVELS)
        for step in steps:
            below = at.get(step)
            if not isinstance(below, _Level):
                below = at[step] = _Level()
            at = below
        if not isinstance(at.get(last), _Level):
            at[last] = value
    return _plain(tree)


class _Level(dict[str, object]):
    """A level made of names, apart from a map that is itself an attribute's value."""


def _plain(level: dict[str, object]) -> Value:
    below: dict[str, Value] = {
        key: _plain(value) if isinstance(value, _Level) else value  # type: ignore[misc]
        for key, value in level.items()
    }
    if below and all(key.isascii() and key.isdigit() for key in below):
        return [below[key] for key in sorted(below, key=lambda key: (len(key.lstrip("0")), key))]
    return below


def indexed_json(items: Iterable[tuple[str, Value]], path: tuple[str, ...] | None = None) -> str:
    """A numbered list as JSON text.

    Args:
        items: as for `nest`.
        path: leads to the member of each entry that counts, None for all of it. An entry without that member stays as
            it is, and JSON in text becomes structured.
    """
    found = nest(items)
    if path is None or not isinstance(found, list):
        return to_json(found)
    inner = [(one, member(one, *path)) for one in found]
    return to_json([whole if part is None else unwrapped(part) for whole, part in inner])


def indexed_messages(items: Iterable[tuple[str, Value]], role: str = "") -> str:
    """Numbered messages as GenAI message JSON text.

    Args:
        items: what follows the prefix, with the value.
        role: of messages that name none.
    """
    found = nest(items)
    messages = found if isinstance(found, list) else [found]
    return to_json([made for one in messages for made in _messages(one, role)])


def _messages(found: Value, role: str) -> list[Value]:
    """A message; OpenLLMetry writes Anthropic's content blocks as JSON text, and its thoughts under a role."""
    content = found.get("content") if isinstance(found, dict) else None
    if isinstance(found, dict):
        finish = {key: found[key] for key in ("finish_reason",) if key in found}
        if found.get("role") == "thinking":
            return [{"role": "assistant", "parts": [reasoning_part(content)], **finish}]
        blocks = [] if "tool_calls" in found else _blocks(content)
        if blocks:
            *others, last = anthropic.messages({"role": found.get("role") or role, "content": blocks})
            return [*others, last | finish]
    made = _message(found)
    if not made["role"]:
        made["role"] = role
    return [made]


def _blocks(content: Value) -> list[Value]:
    """Content blocks that were written as JSON text; none where it is a text of its own."""
    found = unwrapped(content) if isinstance(content, str) and content.startswith("[{") else None
    if not isinstance(found, list):
        return []
    return found if all(text_member(one, "type") in _BLOCKS for one in found) else []


def _message(found: Value) -> dict[str, Value]:
    if not isinstance(found, dict):
        return {"role": "", "parts": [text_part(found)]}
    inner = found.get("message")
    message = inner if isinstance(inner, dict) else found
    role = message.get("role") or ""
    made: dict[str, Value] = {"role": role, "parts": [*_parts(message, role)]}
    if "name" in message:
        made["name"] = message["name"]
    if "finish_reason" in message:
        made["finish_reason"] = message["finish_reason"]
    return made


def _parts(message: dict[str, Value], role: Value) -> list[Part]:
    """All that a message says, once: some clients repeat the text, or tool calls, among the contents."""
    listed, called = message.get("contents"), message.get("tool_calls")
    contents = [_part(one) for one in listed] if isinstance(listed, list) else []
    calls = [_tool_call(one) for one in called] if isinstance(called, list) else []
    content, call_id = message.get("content"), message.get("tool_call_id")
    parts: list[Part] = []
    if role == "tool" and content is None and contents:
        parts.append(response_part(call_id, [*contents]))
        contents = []
    elif role == "tool" and (call_id is not None or content is not None):
        parts.append(response_part(call_id, content))
    elif isinstance(content, list):
        parts += [openai.part(one) for one in content]
    elif content not in (None, "") and text_part(content) not in contents:
        parts.append(text_part(content))
    parts += contents
    function = message.get("function_call")
    if isinstance(function, dict) and not calls:
        calls.append(call_part(None, function.get("name"), function.get("arguments")))
    return parts + [one for one in calls if one not in contents]


def _part(found: Value) -> Part:
    """One of OpenInference's `message.contents`; a part of an unknown type is kept as it is."""
    if isinstance(member(found, "tool_call"), dict):
        return _tool_call(found)
    inner = member(found, "message_content")
    if not isinstance(inner, dict):
        return {"type": "unknown", "content": found}
    match inner.get("type"):
        case "text":
            return text_part(inner.get("text"))
        case "reasoning":
            return reasoning_part(inner.get("text"))
        case "image" | "audio" as modality if isinstance(inner.get(modality), dict):
            medium = inner[modality]
            within = member(medium, modality)
            return media_part(modality, url=text_member(within if isinstance(within, dict) else medium, "url"))
        case _:
            return dict(inner)


def _tool_call(found: Value) -> Part:
    if not isinstance(found, dict):
        return call_part(None, "", found)
    inner = found.get("tool_call")
    call = inner if isinstance(inner, dict) else found
    function = call.get("function")
    named = function if isinstance(function, dict) else call
    return call_part(call.get("id"), named.get("name"), named.get("arguments"))
