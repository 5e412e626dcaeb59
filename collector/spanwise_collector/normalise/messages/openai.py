"""OpenAI's chat completions: a list of messages, a whole request, a list of choices, a whole answer."""

from typing import Final

from spanwise_collector.normalise.messages.content import (
    Content,
    Message,
    Part,
    Side,
    call_part,
    media_part,
    reasoning_part,
    response_part,
    text_member,
    text_part,
    token_counts,
)
from spanwise_collector.normalise.values import Value

_NO_PARAMETER: Final = frozenset({"messages", "model", "tools"})
_COUNTS: Final = {
    "tok_input": ("prompt_tokens",),
    "tok_output": ("completion_tokens",),
    "tok_cache_read": ("prompt_tokens_details", "cached_tokens"),
    "tok_cache_write": ("prompt_tokens_details", "cache_write_tokens"),
    # LiteLLM's addition, for Anthropic's models.
    "tok_cache_write_1h": ("prompt_tokens_details", "cache_creation_token_details", "ephemeral_1h_input_tokens"),
    "tok_reasoning": ("completion_tokens_details", "reasoning_tokens"),
}


def read(body: Value, side: Side) -> Content | None:
    """Chat messages alone or in their request or answer."""
    if isinstance(body, dict):
        if isinstance(body.get("choices"), list):
            return _answer(body)
        if isinstance(body.get("messages"), list):
            return _request(body)
        return Content(messages=[message(body)]) if _is_message(body) else None
    if isinstance(body, list) and body:
        if all(_is_choice(one) for one in body):
            return _choices(body)
        if all(_is_message(one) for one in body):
            return Content(messages=[message(one) for one in body if isinstance(one, dict)])
    return None


def message(found: dict[str, Value]) -> Message:
    """One chat message."""
    role, content = found.get("role") or "", found.get("content")
    parts: list[Value] = []
    thought = found.get("reasoning_content")
    if thought:
        parts.append(reasoning_part(thought))
    if role == "tool":
        parts.append(response_part(found.get("tool_call_id"), content))
    elif isinstance(content, list):
        parts += [part(one) for one in content]
    elif content not in (None, ""):
        parts.append(text_part(content))
    calls = found.get("tool_calls")
    for one in calls if isinstance(calls, list) else []:
        function = one.get("function") if isinstance(one, dict) else None
        if isinstance(one, dict) and isinstance(function, dict):
            parts.append(call_part(one.get("id"), function.get("name"), function.get("arguments")))
    made: Message = {"role": role, "parts": parts}
    if found.get("name"):
        made["name"] = found["name"]
    return made


def _is_message(found: Value) -> bool:
    return (
        isinstance(found, dict) and isinstance(found.get("role"), str) and ("content" in found or "tool_calls" in found)
    )


def _is_choice(found: Value) -> bool:
    return isinstance(found, dict) and _is_message(found.get("message"))


def _request(body: dict[str, Value]) -> Content | None:
    messages = body["messages"]
    if not isinstance(messages, list) or not all(_is_message(one) for one in messages):
        return None
    model = body.get("model")
    return Content(
        messages=[message(one) for one in messages if isinstance(one, dict)],
        tools=body.get("tools"),
        params={key: value for key, value in body.items() if key not in _NO_PARAMETER},
        model=model if isinstance(model, str) else "",
    )


def _choices(choices: list[Value]) -> Content:
    messages: list[Message] = []
    for one in choices:
        inner = one.get("message") if isinstance(one, dict) else None
        if isinstance(one, dict) and isinstance(inner, dict):
            made = message(inner)
            if one.get("finish_reason"):
                made["finish_reason"] = one["finish_reason"]
            messages.append(made)
    finish = messages[0].get("finish_reason") if messages else None
    return Content(messages=messages, finish_reason=finish if isinstance(finish, str) else "")


def _answer(body: dict[str, Value]) -> Content | None:
    choices = body["choices"]
    if not isinstance(choices, list) or not all(_is_choice(one) for one in choices):
        return None
    found = _choices(choices)
    found.model, found.response_id = text_member(body, "model"), text_member(body, "id")
    found.counts = counts(body.get("usage"))
    return found


def counts(usage: Value) -> dict[str, int]:
    """Token counts of OpenAI's usage object, which includes cached and reasoning tokens."""
    return token_counts(usage, _COUNTS)


def part(found: Value) -> Part:
    """A content part of chat completions or responses; one of an unknown type is kept as it is."""
    if not isinstance(found, dict):
        return text_part(found)
    match found.get("type"):
        case "text" | "input_text" | "output_text":
            return text_part(found.get("text"))
        case "refusal":
            return text_part(found.get("refusal"))
        case "image_url":
            image = found.get("image_url")
            return media_part("image", url=image if isinstance(image, str) else text_member(image, "url"))
        case "input_image":
            return media_part("image", url=text_member(found, "image_url"), file_id=text_member(found, "file_id"))
        case "input_audio":
            audio = found.get("input_audio")
            return media_part(
                "audio", mime_type=f"audio/{text_member(audio, 'format')}", data=text_member(audio, "data")
            )
        case _:
            return dict(found) if "type" in found else {"type": "unknown", "content": found}
