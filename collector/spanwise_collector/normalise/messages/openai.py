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
    text_part,
)
from spanwise_collector.normalise.values import Value

_NO_PARAMETER: Final = frozenset({"messages", "model", "tools"})


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
        parts += [_part(one) for one in content]
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
    model, response_id, usage = body.get("model"), body.get("id"), body.get("usage")
    found.model = model if isinstance(model, str) else ""
    found.response_id = response_id if isinstance(response_id, str) else ""
    if isinstance(usage, dict):
        found.counts = counts(usage)
    return found


def counts(usage: dict[str, Value]) -> dict[str, int]:
    """Token counts of OpenAI's usage object, which includes cached and reasoning tokens."""
    details_in, details_out = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    found = {
        "tok_input": usage.get("prompt_tokens"),
        "tok_output": usage.get("completion_tokens"),
        "tok_cache_read": details_in.get("cached_tokens") if isinstance(details_in, dict) else None,
        "tok_reasoning": details_out.get("reasoning_tokens") if isinstance(details_out, dict) else None,
    }
    return {field: value for field, value in found.items() if type(value) is int and value >= 0}


def _part(found: Value) -> Part:
    if not isinstance(found, dict):
        return text_part(found)
    if found.get("type") in ("text", "input_text", "output_text"):
        return text_part(found.get("text"))
    if found.get("type") == "image_url":
        image = found.get("image_url")
        url = image.get("url") if isinstance(image, dict) else image
        return media_part("image", url=url if isinstance(url, str) else "")
    return dict(found) if "type" in found else {"type": "unknown", "content": found}
