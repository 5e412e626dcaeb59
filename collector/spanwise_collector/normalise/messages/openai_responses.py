"""OpenAI's responses: lists of items, alone or in their request or answer (`openai.types.responses`)."""

from typing import Final

from spanwise_collector.normalise.messages import openai
from spanwise_collector.normalise.messages.content import (
    Content,
    Message,
    Part,
    Side,
    call_part,
    reasoning_part,
    response_part,
    text_member,
)
from spanwise_collector.normalise.values import Value

_CALLS: Final = frozenset({"function_call", "custom_tool_call"})
_RESULTS: Final = frozenset({"function_call_output", "custom_tool_call_output"})
_ITEMS: Final = _CALLS | _RESULTS | {"message", "reasoning"}
_ASKS: Final = frozenset({"instructions", "max_output_tokens", "previous_response_id", "reasoning", "text", "tools"})
_NO_PARAMETER: Final = frozenset({"input", "instructions", "model", "tools"})


def read(body: Value, side: Side) -> Content | None:
    """Items of a conversation, a request with `input`, or an answer with `output`."""
    if isinstance(body, dict):
        if isinstance(body.get("output"), list) and (body.get("object") == "response" or _are_items(body["output"])):
            return _answer(body)
        return _request(body) if _is_request(body) else None
    return Content(messages=_messages(body, side)) if _are_items(body) else None


def _is_request(body: dict[str, Value]) -> bool:
    """Whether it asks for a response; an embedding's request looks alike, but is no model call's."""
    given = body.get("input")
    if isinstance(given, str):
        return "model" in body or not _ASKS.isdisjoint(body)
    return isinstance(given, list) and bool(given) and all(isinstance(one, dict) for one in given)


def _are_items(found: Value) -> bool:
    """Whether it is a list of items; chat messages alone are none, there the two APIs look alike."""
    if not isinstance(found, list):
        return False
    kinds = [text_member(one, "type") for one in found if isinstance(one, dict)]
    return len(kinds) == len(found) and any(
        kind in _ITEMS and not (kind == "message" and "content" not in one)
        for kind, one in zip(kinds, found, strict=True)
        if isinstance(one, dict)
    )


def _messages(items: Value, side: Side) -> list[Message]:
    """Items as messages. What an answer holds is one message, whose parts its items are."""
    if isinstance(items, str):
        return [{"role": "user", "parts": [{"type": "text", "content": items}]}]
    listed = items if isinstance(items, list) else []
    found = [_message(item) for item in listed if isinstance(item, dict)]
    if side == "input" or len(found) < 2:
        return found
    parts: list[Value] = []
    for one in found:
        inner = one["parts"]
        parts += inner if isinstance(inner, list) else []
    return [{"role": "assistant", "parts": parts}]


def _message(item: dict[str, Value]) -> Message:
    kind = text_member(item, "type") if "type" in item else "message"
    parts: list[Value]
    if kind in _CALLS:
        return {"role": "assistant", "parts": [call_part(item.get("call_id"), item.get("name"), _arguments(item))]}
    if kind in _RESULTS:
        return {"role": "tool", "parts": [response_part(item.get("call_id"), _text(item.get("output")))]}
    if kind == "reasoning":
        parts = [reasoning_part(text) for text in thoughts(item)]
        return {"role": "assistant", "parts": parts}
    if kind == "message":
        return openai.message({"role": "assistant", **item})
    return {"role": "assistant", "parts": [dict(item)]}


def _arguments(item: dict[str, Value]) -> Value:
    return item.get("arguments", item.get("input"))


def _text(output: Value) -> Value:
    """A result's text where it is a list of one text."""
    if isinstance(output, list) and len(output) == 1 and isinstance(output[0], dict) and "text" in output[0]:
        return output[0]["text"]
    return output


def thoughts(item: dict[str, Value]) -> list[Value]:
    """Texts of a reasoning item; an encrypted one has none."""
    blocks = [item.get(name) for name in ("summary", "content")]
    listed = [one for block in blocks if isinstance(block, list) for one in block]
    return [one["text"] for one in listed if isinstance(one, dict) and "text" in one]


def _request(body: dict[str, Value]) -> Content:
    model, system = body.get("model"), body.get("instructions")
    return Content(
        messages=_messages(body["input"], "input"),
        system=system if system else None,
        tools=body.get("tools"),
        params={key: value for key, value in body.items() if key not in _NO_PARAMETER},
        model=model if isinstance(model, str) else "",
    )


def _answer(body: dict[str, Value]) -> Content:
    model, response_id, usage, status = (body.get(name) for name in ("model", "id", "usage", "status"))
    return Content(
        messages=_messages(body["output"], "output"),
        model=model if isinstance(model, str) else "",
        finish_reason=status if isinstance(status, str) else "",
        response_id=response_id if isinstance(response_id, str) else "",
        counts=counts(usage) if isinstance(usage, dict) else {},
    )


def counts(usage: dict[str, Value]) -> dict[str, int]:
    """Token counts of a response's usage object, which includes cached and reasoning tokens."""
    details_in, details_out = usage.get("input_tokens_details"), usage.get("output_tokens_details")
    cached: Part = details_in if isinstance(details_in, dict) else {}
    found = {
        "tok_input": usage.get("input_tokens"),
        "tok_output": usage.get("output_tokens"),
        "tok_cache_read": cached.get("cached_tokens"),
        "tok_cache_write": cached.get("cache_write_tokens"),
        "tok_reasoning": details_out.get("reasoning_tokens") if isinstance(details_out, dict) else None,
    }
    return {field: value for field, value in found.items() if type(value) is int and value >= 0}
