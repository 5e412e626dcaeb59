"""Chat messages in the form of the OpenTelemetry GenAI conventions: a role and a list of parts.

https://github.com/open-telemetry/semantic-conventions-genai, `gen_ai.input.messages` and `gen_ai.output.messages`.
"""

import contextlib
import json
from collections.abc import Sequence
from typing import Any

from spanwise._capture import plain

Message = dict[str, Any]


def field(value: Any, name: str, default: Any = None) -> Any:
    """A field of a mapping or of an object; clients hand out both."""
    if isinstance(value, dict):
        return value.get(name, default)
    return getattr(value, name, default)


def is_messages(value: object) -> bool:
    """Whether a value looks like a conversation: a list whose items all have a role."""
    return isinstance(value, list | tuple) and bool(value) and all(_has_role(item) for item in value)


def _has_role(item: object) -> bool:
    return isinstance(field(item, "role"), str) and (not isinstance(item, dict) or len(item) > 1)


def to_messages(messages: Sequence[Any]) -> list[Message]:
    """Messages of OpenAI's or Anthropic's form, dicts or objects, in OpenTelemetry's form, which is left as it is."""
    return [to_message(message) for message in messages]


def to_message(message: Any) -> Message:
    """One message; see `to_messages`."""
    role = str(field(message, "role") or "assistant")
    ready = field(message, "parts")
    if isinstance(ready, list):
        return {"role": role, "parts": ready}
    content = field(message, "content")
    parts: list[Any] = []
    call_id = field(message, "tool_call_id")
    if role == "tool" and call_id is not None:
        return {
            "role": role,
            "parts": [{"type": "tool_call_response", "id": call_id, "response": plain_content(content)}],
        }
    if isinstance(content, str):
        if content:
            parts.append(text_part(content))
    elif isinstance(content, list | tuple):
        parts.extend(to_part(block) for block in content)
    elif content is not None:
        parts.append({"type": "unknown", "content": content})
    refusal = field(message, "refusal")
    if isinstance(refusal, str) and refusal:
        parts.append({"type": "refusal", "content": refusal})
    for call in field(message, "tool_calls") or ():
        function = field(call, "function")
        parts.append(tool_call_part(field(call, "id"), field(function, "name"), field(function, "arguments")))
    return {"role": role, "parts": parts}


def plain_content(content: Any) -> Any:
    """Content of a tool's answer: its text when that is all it has."""
    if isinstance(content, list | tuple) and len(content) == 1 and field(content[0], "type") == "text":
        return field(content[0], "text")
    return content


def text_part(text: str) -> Message:
    """A part of plain text."""
    return {"type": "text", "content": text}


def tool_call_part(call_id: object, name: object, arguments: Any) -> Message:
    """A part in which the model asks for a tool; arguments that are JSON text are read."""
    if isinstance(arguments, str):
        # A model may write broken JSON; then what it wrote is kept as text.
        with contextlib.suppress(ValueError):
            arguments = json.loads(arguments) if arguments else {}
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}


def to_part(block: Any) -> Any:
    """One content block of OpenAI (chat, responses) or Anthropic; an unknown one is kept as it is."""
    if isinstance(block, str):
        return text_part(block)
    match field(block, "type"):
        case "text" | "input_text" | "output_text":
            return text_part(str(field(block, "text") or ""))
        case "thinking":
            return {"type": "reasoning", "content": field(block, "thinking")}
        case "refusal":
            return {"type": "refusal", "content": field(block, "refusal")}
        case "tool_use" | "server_tool_use":
            return tool_call_part(field(block, "id"), field(block, "name"), field(block, "input"))
        case "tool_result":
            return {
                "type": "tool_call_response",
                "id": field(block, "tool_use_id"),
                "response": plain_content(field(block, "content")),
            }
        case "image_url" | "input_image":
            image = field(block, "image_url")
            return image_part(image if isinstance(image, str) else field(image, "url"), block)
        case "image":
            return _anthropic_image(block)
        case _:
            return _plain(block)


def image_part(url: Any, block: Any) -> Any:
    """A part for an image by URL; a `data:` URL becomes a blob. A block without a URL is kept as it is."""
    if not isinstance(url, str):
        return _plain(block)
    head, comma, data = url.partition(",")
    if url.startswith("data:") and comma:
        return {"type": "blob", "modality": "image", "mime_type": head[5:].split(";", 1)[0], "content": data}
    return {"type": "uri", "modality": "image", "uri": url}


def _anthropic_image(block: Any) -> Any:
    source = field(block, "source")
    match field(source, "type"):
        case "base64":
            mime_type, data = field(source, "media_type"), field(source, "data")
            return {"type": "blob", "modality": "image", "mime_type": mime_type, "content": data}
        case "url":
            return image_part(field(source, "url"), block)
        case _:
            return _plain(block)


def _plain(block: Any) -> Any:
    return block if isinstance(block, dict) else plain(block)
