"""What a body of a model call says, and the parts that messages are made of.

Parts are those of the GenAI conventions (gen-ai-input-messages.json and gen-ai-output-messages.json of schema
gen-ai/1.42.0).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic_core import from_json

from spanwise_collector.normalise.values import Value

Side = Literal["input", "output"]
Message = dict[str, Value]
"""`{"role": ..., "parts": [...]}`, of an output with `finish_reason`."""
Part = dict[str, Value]


@dataclass(slots=True)
class Content:
    """What a request or an answer says, as far as its body tells.

    Attributes:
        messages: in order; None where the body has none, so that it stays as it is.
        as_sent: True when the body is in the one form already, so that its text stays as it is.
        system: system instructions apart from the messages: text or a list of parts.
        tools: definitions of the tools offered.
        params: parameters of the request.
        model: the model asked for (input) or that answered (output).
        finish_reason: as the source says it.
        response_id: the provider's id of the answer.
        texts: of a request for embeddings: what is embedded, a text or a list of texts.
        counts: token counts by field, `{"tok_input": 12}`, counted as `spanwise_schemas.conventions` defines them.
    """

    messages: list[Message] | None = None
    as_sent: bool = False
    system: Value = None
    tools: Value = None
    params: dict[str, Value] = field(default_factory=dict)
    model: str = ""
    finish_reason: str = ""
    response_id: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    texts: Value = None


def text_part(content: Value) -> Part:
    """Text."""
    return {"type": "text", "content": content}


def reasoning_part(content: Value) -> Part:
    """What the model thought."""
    return {"type": "reasoning", "content": content}


def call_part(call_id: Value, name: Value, arguments: Value) -> Part:
    """A tool call that the model asks for; arguments in JSON text become structured."""
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": unwrapped(arguments)}


def response_part(call_id: Value, response: Value) -> Part:
    """A tool's result."""
    return {"type": "tool_call_response", "id": call_id, "response": response}


def media_part(modality: str, *, url: str = "", mime_type: str = "", data: str = "", file_id: str = "") -> Part:
    """An image or other medium: by URL or file id; `data:` URLs and base64 data as a blob."""
    if url.startswith("data:"):
        head, _, data = url.partition(",")
        mime_type, url = head[5:].split(";", 1)[0], ""
    made: Part = {"type": "uri" if url else "file" if file_id else "blob", "modality": modality}
    if mime_type:
        made["mime_type"] = mime_type
    if url:
        made["uri"] = url
    elif file_id:
        made["file_id"] = file_id
    else:
        made["content"] = data
    return made


def unwrapped(value: Value) -> Value:
    """An object or array that was written as JSON text; everything else as it is."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            found: Value = from_json(value)
        except ValueError:
            return value
        return found
    return value


def member(value: Value, *path: str) -> Value:
    """The member of a JSON object that a path leads to; None where there is none."""
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def text_member(value: Value, *path: str) -> str:
    """The same where it is text, else ""."""
    found = member(value, *path)
    return found if isinstance(found, str) else ""


def token_counts(usage: Value, paths: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Token counts in a usage object.

    Args:
        usage: the object.
        paths: field to the member that has its count.
    """
    found = {field: member(usage, *path) for field, path in paths.items()}
    return {field: count for field, count in found.items() if type(count) is int and count >= 0}
