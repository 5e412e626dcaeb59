"""The Vercel AI SDK's messages: content parts with its own names, and answers spread over attributes.

Shapes: `LanguageModelV1Prompt` to `LanguageModelV4Prompt` of package `@ai-sdk/provider`.
"""

from collections.abc import Iterable
from typing import Final

from spanwise_collector.normalise.messages.content import (
    Content,
    Message,
    Part,
    Side,
    call_part,
    media_part,
    member,
    reasoning_part,
    response_part,
    text_member,
    text_part,
    unwrapped,
)
from spanwise_collector.normalise.values import Value, to_json, to_text

ANSWER_PARTS: Final = frozenset({"text", "reasoning", "toolCalls", "object", "files"})
"""Last names of the attributes `ai.response.*` that an answer is made of."""
_OWN_KEYS: Final = {
    "tool-call": "toolCallId",
    "tool-result": "toolCallId",
    "image": "image",
    "file": "data",
    "reasoning": "text",
}
"""Parts that tell these messages from others', each with a key that others' parts of this type do not have."""
_OUTPUTS: Final = frozenset({"text", "json", "content", "error-text", "error-json", "execution-denied"})


def read(body: Value, side: Side) -> Content | None:
    """A prompt: a list of messages of which at least one has a part of the SDK's own."""
    del side
    if not isinstance(body, list) or not any(_is_own(one) for one in body):
        return None
    return Content(messages=[_message(one) for one in body])


def answer_of_parts(items: Iterable[tuple[str, Value]]) -> str:
    """An answer that is spread over attributes, as GenAI message JSON text.

    Args:
        items: last name of each attribute, one of `ANSWER_PARTS`, with its value.
    """
    found = dict(items)
    parts: list[Value] = []
    if found.get("reasoning"):
        parts += [reasoning_part(text) for text in _texts(found["reasoning"])]
    if found.get("text"):
        parts.append(text_part(found["text"]))
    if found.get("object"):
        parts.append(text_part(to_text(found["object"])))
    parts += [_part({"type": "tool-call", **one}) for one in _objects(found.get("toolCalls"))]
    parts += [_file(one) for one in _objects(found.get("files"))]
    return to_json([{"role": "assistant", "parts": parts}]) if parts else ""


def _is_own(message: Value) -> bool:
    content = message.get("content") if isinstance(message, dict) and isinstance(message.get("role"), str) else None
    return isinstance(content, list) and any(
        isinstance(one, dict) and _OWN_KEYS.get(text_member(one, "type"), "type ") in one for one in content
    )


def _message(found: Value) -> Message:
    if not isinstance(found, dict):
        return {"role": "", "parts": [text_part(found)]}
    content = found.get("content")
    blocks = content if isinstance(content, list) else [content] if content else []
    return {"role": text_member(found, "role"), "parts": [_part(one) for one in blocks]}


def _part(found: Value) -> Part:
    if not isinstance(found, dict):
        return text_part(found)
    match found.get("type"):
        case "text":
            return text_part(found.get("text"))
        case "reasoning":
            return reasoning_part(found.get("text"))
        case "tool-call":
            given = found["input"] if "input" in found else found.get("args")
            return call_part(found.get("toolCallId"), found.get("toolName"), given)
        case "tool-result":
            return response_part(found.get("toolCallId"), _result(found))
        case "image" | "file":
            return _file(found)
        case _:
            return dict(found) if "type" in found else {"type": "unknown", "content": found}


def _result(found: dict[str, Value]) -> Value:
    """A tool's result: `result` in version 4, later `output` with its own type."""
    output = found.get("output")
    if isinstance(output, dict) and text_member(output, "type") in _OUTPUTS:
        return output.get("value")
    return output if "output" in found else found.get("result")


def _file(found: dict[str, Value]) -> Part:
    """An image or a file: base64 data or a URL, in version 7 in an object that says which."""
    mime_type = text_member(found, "mediaType") or text_member(found, "mimeType")
    given = found["image"] if "image" in found else found.get("data", found.get("base64"))
    if isinstance(given, dict):
        given = member(given, "data") or member(given, "url")
    data = given if isinstance(given, str) else ""
    modality = mime_type.split("/")[0] if mime_type else text_member(found, "type")
    modality = modality if modality in ("image", "audio", "video") else "file"
    if data.startswith(("http://", "https://", "data:")):
        return media_part(modality, url=data, mime_type=mime_type)
    return media_part(modality, mime_type=mime_type, data=data)


def _texts(value: Value) -> list[Value]:
    """Thoughts: a text, or parts with one each."""
    listed = unwrapped(value)
    if isinstance(listed, list):
        return [one.get("text") if isinstance(one, dict) else one for one in listed]
    return [value]


def _objects(value: Value) -> list[dict[str, Value]]:
    listed = unwrapped(value)
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
