"""Under which attributes an input or output is written; see `spanwise_schemas.attributes`."""

from typing import Any, Final

from spanwise._capture import clip, to_json, to_text
from spanwise._messages import Message, is_messages, to_messages
from spanwise_schemas import attributes as names

Attributes = dict[str, Any]

OUTPUTS: Final = frozenset({names.OUTPUT, names.OUTPUT_MESSAGES, names.TOOL_RESULT})
"""Attributes that hold an output."""

_SHORTENINGS: Final = (8, 32, 128)


def of_kind(kind: str, name: str) -> Attributes:
    """The attributes that say what kind of work a span does."""
    operation = names.OPERATION_OF_KIND.get(kind)
    if operation is None:
        return {} if kind == "other" else {names.SPAN_KIND: kind.upper()}
    found: Attributes = {names.OPERATION: operation}
    if kind == "tool":
        found[names.TOOL_NAME] = name
    elif kind == "agent":
        found[names.AGENT_NAME] = name
    return found


def of_input(kind: str, value: Any, limit: int) -> Attributes:
    """The attributes of an input.

    Args:
        kind: the span's kind.
        value: the input; for an observed function a dict of its arguments.
        limit: longest text in bytes.
    """
    if kind == "llm":
        found: Attributes = {}
        conversation = value
        if isinstance(value, dict):
            conversation = value.get("messages")
            if isinstance(value.get("model"), str):
                found[names.REQUEST_MODEL] = value["model"]
        if isinstance(conversation, str):
            conversation = [{"role": "user", "content": conversation}]
        if is_messages(conversation):
            return found | of_messages(names.INPUT_MESSAGES, to_messages(conversation), limit, "input")
        return found | _of_value(names.INPUT, names.INPUT_MIME, value, limit, "input")
    if kind == "tool":
        return _of_text(names.TOOL_ARGUMENTS, value, limit, "input")
    return _of_value(names.INPUT, names.INPUT_MIME, value, limit, "input")


def of_output(kind: str, value: Any, limit: int) -> Attributes:
    """The attributes of an output; see `of_input`."""
    if kind == "llm":
        conversation = value if isinstance(value, list | tuple) else [value]
        if is_messages(conversation):
            return of_messages(names.OUTPUT_MESSAGES, to_messages(conversation), limit, "output")
    elif kind == "tool":
        return _of_text(names.TOOL_RESULT, value, limit, "output")
    return _of_value(names.OUTPUT, names.OUTPUT_MIME, value, limit, "output")


def of_messages(name: str, messages: list[Message], limit: int, side: str) -> Attributes:
    """Messages as JSON. What is too long has its longest texts cut, so that it stays readable as JSON."""
    text = to_json(messages)
    if _fits(text, limit):
        return {name: clip(text, limit)[0]}
    for share in _SHORTENINGS:
        text = to_json(_shortened(messages, limit // share))
        if _fits(text, limit):
            return {name: clip(text, limit)[0], names.TRUNCATED: (side,)}
    last = to_json(_shortened(messages[-1:], limit // 4))
    return {name: clip(last, limit)[0], names.TRUNCATED: (side,)}


def _fits(text: str, limit: int) -> bool:
    return len(text) <= limit and (text.isascii() or len(text.encode("utf-8", "replace")) <= limit)


def _shortened(value: Any, longest: int) -> Any:
    if isinstance(value, str):
        return clip(value, longest)[0]
    if isinstance(value, dict):
        return {key: _shortened(item, longest) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shortened(item, longest) for item in value]
    return value


def _of_value(name: str, mime: str, value: Any, limit: int, side: str) -> Attributes:
    text, is_json, truncated = to_text(value, limit)
    found: Attributes = {name: text, mime: names.MIME_JSON if is_json else names.MIME_TEXT}
    if truncated:
        found[names.TRUNCATED] = (side,)
    return found


def _of_text(name: str, value: Any, limit: int, side: str) -> Attributes:
    text, _, truncated = to_text(value, limit)
    return {name: text, names.TRUNCATED: (side,)} if truncated else {name: text}
