"""Recorded inputs and outputs as conversations. Pure; accepts anything, loses nothing, interprets no markup.

Reads the OpenTelemetry GenAI form (`role`, `parts`), OpenAI's chat form (`role`, `content`, `tool_calls`), Anthropic's
content blocks, objects that wrap one of these (`messages`, `choices`), and plain text or JSON.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

PartKind = Literal["text", "reasoning", "tool_call", "tool_result", "media", "json"]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a message.

    Attributes:
        kind: how to draw it.
        text: the content; for `json`, `tool_call` and structured results indented JSON.
        name: a tool's name, a medium's type.
        call_id: links a tool's result to its call.
    """

    kind: PartKind
    text: str
    name: str = ""
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """Who said what. `role` is as recorded (system, user, assistant, tool, ...) or empty for a body without roles."""

    role: str
    parts: tuple[Part, ...]
    finish_reason: str = ""


def conversation(body: str, *, default_role: str = "") -> list[Message]:
    """The messages in a recorded body.

    Args:
        body: JSON text or plain text, as recorded.
        default_role: role of what has none of its own.
    """
    if not body:
        return []
    value = _decode(body)
    if value is _NOT_JSON:
        return [Message(default_role, (Part("text", body),))]
    found = _messages(value, default_role)
    return found if found is not None else [Message(default_role, tuple(_parts(value)))]


def system_message(instructions: str) -> list[Message]:
    """System instructions: a text, or an array of parts."""
    if not instructions:
        return []
    found = conversation(instructions, default_role="system")
    return [Message(each.role or "system", each.parts, each.finish_reason) for each in found]


def pretty(body: str) -> str:
    """Indented when it is a JSON object or array, unchanged otherwise."""
    value = _decode(body)
    return _dump(value) if isinstance(value, dict | list) else body


def gist(preview: str) -> str:
    """The start of a body in one line: the value alone where the body is an object with one text in it.

    A preview is cut at a number of characters, so its JSON may be incomplete.
    """
    found = _SINGLE_FIELD.match(preview)
    text = found.group(1) if found else preview
    if found:
        text = text.replace("\\n", " ").replace('\\"', '"')
    return " ".join(text.split())


_NOT_JSON: Final = object()
_SINGLE_FIELD: Final = re.compile(r'^\{"[^"\\]{1,60}":\s*"((?:[^"\\]|\\.)*)(?:"\s*\}?)?$', re.DOTALL)


def _decode(body: str) -> object:
    if body[:1].isspace():
        body = body.lstrip()
    if body[:1] not in ("{", "[", '"'):
        return _NOT_JSON
    try:
        decoded: object = json.loads(body)
    except (ValueError, RecursionError):
        return _NOT_JSON
    return decoded


def _dump(value: object) -> str:
    try:
        return json.dumps(value, indent=2, ensure_ascii=False)
    except RecursionError:
        return str(value)


def _messages(value: object, default_role: str) -> list[Message] | None:
    """Messages when the value is some; None when it is something else."""
    if isinstance(value, list) and value and all(_is_message(item) for item in value):
        return [_message(item, default_role) for item in value]
    if not isinstance(value, dict):
        return None
    if _is_message(value):
        return [_message(value, default_role)]
    choices = value.get("choices")
    if isinstance(choices, list) and choices:
        inner = [choice.get("message") for choice in choices if isinstance(choice, dict)]
        if len(inner) == len(choices) and all(_is_message(item) for item in inner):
            return [_message(item, "assistant") for item in inner if isinstance(item, dict)]
    if set(value) <= {"messages", "system", "model", "tools", "temperature", "max_tokens", "stream"}:
        nested = _messages(value.get("messages"), default_role)
        if nested is not None:
            rest = {key: item for key, item in value.items() if key not in ("messages", "system")}
            system = value.get("system")
            lead = [Message("system", tuple(_parts(system)))] if system else []
            tail = [Message("", (Part("json", _dump(rest), name="parameters"),))] if rest else []
            return [*lead, *nested, *tail]
    return None


def _is_message(value: object) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("role"), str)
        and any(key in value for key in ("parts", "content", "tool_calls", "function_call"))
    )


_SHOWN_FIELDS: Final = frozenset(
    [
        "role",
        "parts",
        "content",
        "tool_calls",
        "tool_call_id",
        "finish_reason",
        "refusal",
        "function_call",
        "reasoning_content",
        "reasoning",
    ]
)
_NOISE_FIELDS: Final = frozenset(("id", "type", "index"))


def _message(value: Mapping[str, object], default_role: str) -> Message:
    reasoning = [
        Part("reasoning", text)
        for key in ("reasoning_content", "reasoning")
        if isinstance(text := value.get(key), str) and text
    ]
    refusal = value.get("refusal")
    refused = [Part("text", refusal, name="refusal")] if isinstance(refusal, str) and refusal else []
    parts = (*reasoning, *_contents(value), *refused, *_calls(value), *_rest(value))
    return Message(str(value.get("role") or default_role), parts, str(value.get("finish_reason") or ""))


def _contents(value: Mapping[str, object]) -> list[Part]:
    """The content of either form; under OpenAI's role `tool` it is the result of a call."""
    contents = [*_parts(value.get("content")), *_parts(value.get("parts"))]
    call_id = value.get("tool_call_id")
    if not isinstance(call_id, str) or not call_id:
        return contents
    name = str(value.get("name") or "")
    return [
        Part("tool_result", pretty(part.text), name, call_id) if part.kind in ("text", "json") else part
        for part in contents
    ]


def _calls(value: Mapping[str, object]) -> list[Part]:
    calls = value.get("tool_calls")
    found = [_openai_call(call) for call in calls] if isinstance(calls, list) else []
    if calls and not isinstance(calls, list):
        found.append(Part("json", _dump(calls), name="tool_calls"))
    if function_call := value.get("function_call"):
        found.append(_openai_call({"function": function_call}))
    return found


def _rest(value: Mapping[str, object]) -> list[Part]:
    known = _SHOWN_FIELDS | _NOISE_FIELDS | ({"name"} if value.get("tool_call_id") else frozenset())
    rest = {key: item for key, item in value.items() if key not in known and item not in (None, "", [], {})}
    return [Part("json", _dump(rest), name="more")] if rest else []


def _parts(value: object) -> Iterable[Part]:
    if value is None or value == "":
        return
    if isinstance(value, str):
        yield _text(value)
    elif isinstance(value, list) and value and all(_is_part(item) for item in value):
        for item in value:
            yield _part(item)
    elif isinstance(value, dict) and _is_part(value):
        yield _part(value)
    else:
        yield Part("json", _dump(value))


def _text(content: str) -> Part:
    """A text; one that is a JSON object or array, such as a structured answer, is indented."""
    indented = pretty(content)
    return Part("text", content) if indented == content else Part("json", indented)


def _is_part(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, dict) and isinstance(value.get("type"), str))


def _part(value: object) -> Part:
    if isinstance(value, str):
        return _text(value)
    assert isinstance(value, dict)
    kind = value["type"]
    content = _first(value, ("content", "text", "thinking", "input_text", "output_text"))
    name = str(value.get("name") or "")
    call_id = str(_first(value, ("id", "tool_use_id", "call_id", "tool_call_id")) or "")
    if kind in ("text", "input_text", "output_text") and isinstance(content, str):
        return _text(content)
    if kind in ("reasoning", "thinking") and isinstance(content, str):
        return Part("reasoning", content)
    if kind in ("tool_call", "tool_use", "function_call"):
        return Part("tool_call", _structured(_first(value, ("arguments", "input"))), name, call_id)
    if kind in ("tool_call_response", "tool_result", "function_call_output"):
        return Part(
            "tool_result", _structured(_first(value, ("response", "result", "content", "output"))), name, call_id
        )
    if kind in ("image_url", "image", "input_image", "blob", "file", "uri", "input_audio", "audio", "document"):
        return Part("media", _dump(value), name=_medium(kind, value))
    return Part("json", _dump(value), name=kind)


def _openai_call(call: object) -> Part:
    if not isinstance(call, dict):
        return Part("json", _dump(call), name="tool_call")
    function = call.get("function")
    inner = function if isinstance(function, dict) else call
    return Part(
        "tool_call",
        _structured(_first(inner, ("arguments", "input"))),
        str(inner.get("name") or ""),
        str(call.get("id") or ""),
    )


def _structured(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return pretty(value)
    if (
        isinstance(value, list)
        and value
        and all(isinstance(item, dict) and item.get("type") == "text" for item in value)
    ):
        return "\n".join(str(item.get("text", "")) for item in value)
    return _dump(value)


def _first(value: Mapping[str, object], keys: Sequence[str]) -> object:
    return next((value[key] for key in keys if value.get(key) is not None), None)


def _medium(kind: str, value: Mapping[str, object]) -> str:
    mime = _first(value, ("mime_type", "media_type", "modality"))
    return str(mime or kind.removesuffix("_url").removeprefix("input_"))
