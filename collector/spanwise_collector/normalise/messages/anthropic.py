"""Anthropic's messages: whole requests, whole answers, content blocks. Shapes: the types of the package `anthropic`."""

from typing import Final

from spanwise_collector.normalise.messages import openai
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

_NO_PARAMETER: Final = frozenset({"messages", "model", "tools", "system"})
_OWN_BLOCKS: Final = frozenset({"tool_use", "tool_result", "thinking", "redacted_thinking", "image", "document"})
"""Blocks that tell these messages from OpenAI's, whose text parts are the same."""
_COUNTS: Final = {
    "tok_input": ("input_tokens",),
    "tok_output": ("output_tokens",),
    "tok_cache_read": ("cache_read_input_tokens",),
    "tok_cache_write": ("cache_creation_input_tokens",),
    "tok_cache_write_1h": ("cache_creation", "ephemeral_1h_input_tokens"),
    "tok_reasoning": ("output_tokens_details", "thinking_tokens"),
}


def read(body: Value, side: Side) -> Content | None:
    """A request, an answer, or a list of messages with Anthropic's own blocks."""
    if isinstance(body, dict):
        if isinstance(body.get("messages"), list):
            return _request(body)
        return _answer(body) if body.get("type") == "message" and isinstance(body.get("content"), list) else None
    if isinstance(body, list) and any(_has_own_block(one) for one in body):
        return Content(messages=[made for one in body for made in messages(one)])
    return None


def messages(found: Value) -> list[Message]:
    """One message; tool results, which Anthropic takes from the user, become messages of the tool."""
    if not isinstance(found, dict):
        return []
    content = found.get("content")
    text: dict[str, Value] = {"type": "text", "text": content}
    blocks = content if isinstance(content, list) else [text] if content else []
    results = [one for one in blocks if isinstance(one, dict) and one.get("type") == "tool_result"]
    others = [part(one) for one in blocks if one not in results]
    made: list[Message] = [{"role": "tool", "parts": [part(one)]} for one in results]
    if others or not made:
        made.append({"role": found.get("role") or "", "parts": [*others]})
    return made


def part(block: Value) -> Part:
    """A content block as a part; a block of an unknown type is kept as it is."""
    if not isinstance(block, dict):
        return text_part(block)
    match block.get("type"):
        case "text":
            return text_part(block.get("text"))
        case "thinking":
            return reasoning_part(block.get("thinking"))
        case "redacted_thinking":
            return reasoning_part(block.get("data"))
        case "tool_use":
            return call_part(block.get("id"), block.get("name"), block.get("input"))
        case "tool_result":
            return response_part(block.get("tool_use_id"), _result(block.get("content")))
        case "image" | "document" as kind if isinstance(block.get("source"), dict):
            return _medium(kind, block["source"])
        case "image_url":  # OpenLLMetry's form of an image that it has put elsewhere
            return openai.part(block)
        case _:
            return dict(block) if "type" in block else {"type": "unknown", "content": block}


def counts(usage: Value) -> dict[str, int]:
    """Token counts of Anthropic's usage object, whose input leaves cached tokens out."""
    found = token_counts(usage, _COUNTS)
    if "tok_input" in found:
        found["tok_input"] += found.get("tok_cache_read", 0) + found.get("tok_cache_write", 0)
    return found


def _has_own_block(found: Value) -> bool:
    content = found.get("content") if isinstance(found, dict) and isinstance(found.get("role"), str) else None
    return isinstance(content, list) and any(
        isinstance(one, dict) and text_member(one, "type") in _OWN_BLOCKS and "image_url" not in one for one in content
    )


def _request(body: dict[str, Value]) -> Content | None:
    given = body["messages"]
    if not isinstance(given, list) or not ("system" in body or any(_has_own_block(one) for one in given)):
        return None
    system = body.get("system")
    return Content(
        messages=[made for one in given for made in messages(one)],
        system=[part(one) for one in system] if isinstance(system, list) else system,
        tools=body.get("tools"),
        params={key: value for key, value in body.items() if key not in _NO_PARAMETER},
        model=text_member(body, "model"),
    )


def _answer(body: dict[str, Value]) -> Content:
    made = messages(body)
    finish = text_member(body, "stop_reason")
    if finish:
        made[-1]["finish_reason"] = finish
    return Content(
        messages=made,
        model=text_member(body, "model"),
        finish_reason=finish,
        response_id=text_member(body, "id"),
        counts=counts(body.get("usage")),
    )


def _result(content: Value) -> Value:
    """A tool's result: one text as it is, several blocks as their texts where they are all text."""
    if isinstance(content, list) and all(isinstance(one, dict) and one.get("type") == "text" for one in content):
        return "\n".join(text_member(one, "text") for one in content)
    return content


def _medium(kind: str, source: Value) -> Part:
    modality = "image" if kind == "image" else "file"
    return media_part(
        modality,
        url=text_member(source, "url"),
        mime_type=text_member(source, "media_type"),
        data=text_member(source, "data"),
        file_id=text_member(source, "file_id"),
    )
