"""Anthropic's messages on the wire. Shapes: the types of the package `anthropic`."""

import json
from collections.abc import Iterator
from typing import Any

from tests.golden.clients.stub.answers import words
from tests.golden.clients.stub.truth import Answer, Asked

_OUTPUT_AT_START = 1
"""Output tokens that `message_start` tells, before there is any output; the final count includes them."""


def read_messages(body: dict[str, Any]) -> Asked:
    """A request to `/v1/messages`."""
    system = body.get("system") or ""
    known = ("model", "messages", "system", "stream", "tools")
    return Asked(
        "anthropic.messages",
        body["model"],
        bool(body.get("stream")),
        system if isinstance(system, str) else "\n".join(one["text"] for one in system),
        [_read_message(one) for one in body["messages"]],
        [tool["name"] for tool in body.get("tools") or ()],
        {key: value for key, value in body.items() if key not in known},
    )


def _read_message(one: dict[str, Any]) -> dict[str, Any]:
    content = one["content"]
    blocks: list[dict[str, Any]] = [{"type": "text", "text": content}] if isinstance(content, str) else content
    texts, images, calls, results = [], [], [], []
    for block in blocks:
        match block["type"]:
            case "text":
                texts.append(block["text"])
            case "image":
                source = block["source"]
                images.append(source["url"] if source["type"] == "url" else f"data:{source['media_type']}")
            case "tool_use":
                arguments = json.dumps(block["input"], separators=(",", ":"))
                calls.append({"id": block["id"], "name": block["name"], "arguments": arguments})
            case "tool_result":
                results.append({"id": block["tool_use_id"], "content": _read_result(block.get("content") or "")})
    text = "\n".join(texts)
    return {"role": one["role"], "text": text, "images": images, "tool_calls": calls, "tool_results": results}


def _read_result(content: Any) -> str:
    return content if isinstance(content, str) else "\n".join(one["text"] for one in content if one["type"] == "text")


def usage(answer: Answer) -> dict[str, Any]:
    """The usage object of a message: its input leaves cached tokens out."""
    tokens = answer.tokens
    return {
        "input_tokens": tokens.input - tokens.cache_read - tokens.cache_write,
        "cache_creation_input_tokens": tokens.cache_write,
        "cache_read_input_tokens": tokens.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": tokens.cache_write_5m,
            "ephemeral_1h_input_tokens": tokens.cache_write_1h,
        },
        "output_tokens": tokens.output,
        "output_tokens_details": {"thinking_tokens": tokens.reasoning},
        "service_tier": "standard",
    }


def _blocks(answer: Answer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if answer.thought:
        found.append({"type": "thinking", "thinking": answer.thought, "signature": "c2lnbmF0dXJl"})
    if answer.text:
        found.append({"type": "text", "text": answer.text})
    for call in answer.tool_calls:
        given = json.loads(call["arguments"])
        found.append({"type": "tool_use", "id": call["id"], "name": call["name"], "input": given})
    return found


def message(answer: Answer) -> dict[str, Any]:
    """The answer in one piece."""
    return {
        "id": answer.id,
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": _blocks(answer),
        "stop_reason": answer.finish_reason,
        "stop_sequence": None,
        "usage": answer.usage,
    }


def events(answer: Answer) -> Iterator[dict[str, Any]]:
    """The answer in pieces: input tokens come with the first, output tokens with the last but one."""
    start_usage = {key: value for key, value in answer.usage.items() if key != "output_tokens_details"}
    begun: dict[str, Any] = {
        "content": [],
        "stop_reason": None,
        "usage": start_usage | {"output_tokens": _OUTPUT_AT_START},
    }
    yield {"type": "message_start", "message": message(answer) | begun}
    for at, block in enumerate(_blocks(answer)):
        yield from _block(at, block)
    final = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
    shown = {key: answer.usage[key] for key in (*final, "output_tokens_details")}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": answer.finish_reason, "stop_sequence": None},
        "usage": shown,
    }
    yield {"type": "message_stop"}


def _block(at: int, block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    match block["type"]:
        case "thinking":
            empty = block | {"thinking": "", "signature": ""}
            deltas = [
                {"type": "thinking_delta", "thinking": block["thinking"]},
                {"type": "signature_delta", "signature": block["signature"]},
            ]
        case "text":
            empty = block | {"text": ""}
            deltas = [{"type": "text_delta", "text": word} for word in words(block["text"])]
        case _:
            empty = block | {"input": {}}
            given = json.dumps(block["input"], separators=(",", ":"))
            deltas = [{"type": "input_json_delta", "partial_json": part} for part in ("", given[:5], given[5:])]
    yield {"type": "content_block_start", "index": at, "content_block": empty}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": at, "delta": delta}
    yield {"type": "content_block_stop", "index": at}
