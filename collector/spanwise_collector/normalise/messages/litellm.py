"""LiteLLM's messages: nearly the GenAI conventions' form, but tool calls beside the parts, OpenAI's parts in them."""

from spanwise_collector.normalise.messages import openai
from spanwise_collector.normalise.messages.content import Message, Part, call_part, member, response_part
from spanwise_collector.normalise.values import Value


def mended(messages: list[Message]) -> list[Message]:
    """The messages with all that they say as parts."""
    return [_mended(one) for one in messages]


def _mended(message: Message) -> Message:
    listed, calls = message.get("parts"), message.get("tool_calls")
    parts: list[Value] = [_part(one) for one in listed] if isinstance(listed, list) else []
    if message.get("role") == "tool" and "tool_call_id" in message:
        parts = [response_part(message["tool_call_id"], member(one, "content")) for one in parts]
    parts = [one for one in parts if one != {"type": "text", "content": ""}]
    for one in calls if isinstance(calls, list) else []:
        function = member(one, "function")
        parts.append(call_part(member(one, "id"), member(function, "name"), member(function, "arguments")))
    kept = {key: value for key, value in message.items() if key not in ("parts", "tool_calls", "tool_call_id")}
    return {**kept, "parts": parts}


def _part(found: Value) -> Part:
    """OpenAI's text has `text` where the conventions' has `content`."""
    if (
        not isinstance(found, dict)
        or "content" in found
        or found.get("type") not in ("text", "image_url", "input_audio")
    ):
        return found if isinstance(found, dict) else {"type": "text", "content": found}
    return openai.part(found)
