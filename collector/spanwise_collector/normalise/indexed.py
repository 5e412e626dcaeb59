"""Content that is spread over numbered attributes, put together again.

OpenInference writes `llm.input_messages.0.message.role`, OpenLLMetry `gen_ai.prompt.0.role`; both become the message
JSON of the OpenTelemetry GenAI conventions: `[{"role": ..., "parts": [{"type": "text", "content": ...}]}]`.
"""

from collections.abc import Iterable

from spanwise_collector.normalise.values import Value, to_json

_MAX_LEVELS = 12


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


def indexed_json(items: Iterable[tuple[str, Value]]) -> str:
    """A numbered list as JSON text, as it is."""
    return to_json(nest(items))


def indexed_messages(items: Iterable[tuple[str, Value]]) -> str:
    """Numbered messages as GenAI message JSON text."""
    found = nest(items)
    messages = found if isinstance(found, list) else [found]
    return to_json([_message(one) for one in messages])


def _message(found: Value) -> Value:
    if not isinstance(found, dict):
        return {"role": "", "parts": [_text(found)]}
    inner = found.get("message")
    message = inner if isinstance(inner, dict) else found
    parts: list[Value] = []
    role = message.get("role") or ""
    call_id = message.get("tool_call_id")
    content = message.get("content")
    if role == "tool" and call_id is not None:
        parts.append({"type": "tool_call_response", "id": call_id, "response": content})
    elif content not in (None, ""):
        parts.append(_text(content))
    contents = message.get("contents")
    parts += map(_part, contents if isinstance(contents, list) else [])
    calls = message.get("tool_calls")
    parts += map(_tool_call, calls if isinstance(calls, list) else [])
    made: dict[str, Value] = {"role": role, "parts": parts}
    if "name" in message:
        made["name"] = message["name"]
    if "finish_reason" in message:
        made["finish_reason"] = message["finish_reason"]
    return made


def _text(content: Value) -> Value:
    return {"type": "text", "content": content}


def _part(found: Value) -> Value:
    """One of OpenInference's `message.contents`; a part of an unknown type is kept as it is."""
    inner = found.get("message_content") if isinstance(found, dict) else None
    if not isinstance(inner, dict):
        return {"type": "unknown", "content": found}
    if inner.get("type") == "text":
        return _text(inner.get("text"))
    image = inner.get("image")
    if inner.get("type") == "image" and isinstance(image, dict):
        inside = image.get("image")
        return {"type": "uri", "modality": "image", "uri": (inside if isinstance(inside, dict) else image).get("url")}
    return dict(inner)


def _tool_call(found: Value) -> Value:
    if not isinstance(found, dict):
        return {"type": "tool_call", "name": "", "arguments": found}
    inner = found.get("tool_call")
    call = inner if isinstance(inner, dict) else found
    function = call.get("function")
    named = function if isinstance(function, dict) else call
    return {"type": "tool_call", "id": call.get("id"), "name": named.get("name"), "arguments": named.get("arguments")}
