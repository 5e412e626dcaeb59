"""OpenAI's chat completions and embeddings on the wire. Shapes: the types of the package `openai`."""

import struct
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from tests.golden.clients.stub.answers import tells_usage, words
from tests.golden.clients.stub.truth import Answer, Asked

_CREATED = 1_795_000_000


def read_chat(body: dict[str, Any]) -> Asked:
    """A request to `/v1/chat/completions`."""
    system, messages = [], []
    for one in body["messages"]:
        text, images = read_content(one.get("content"))
        if one["role"] in ("system", "developer"):
            system.append(text)
            continue
        result = {"id": one.get("tool_call_id", ""), "content": text}
        is_tool = one["role"] == "tool"
        calls = [
            {"id": call["id"], "name": call["function"]["name"], "arguments": call["function"]["arguments"]}
            for call in one.get("tool_calls") or ()
        ]
        messages.append(
            {
                "role": one["role"],
                "text": "" if is_tool else text,
                "images": images,
                "tool_calls": calls,
                "tool_results": [result] if is_tool else [],
            }
        )
    known = ("model", "messages", "stream", "tools")
    return Asked(
        "openai.chat",
        body["model"],
        bool(body.get("stream")),
        "\n".join(system),
        messages,
        [tool["function"]["name"] for tool in body.get("tools") or ()],
        {key: value for key, value in body.items() if key not in known},
    )


def read_content(content: Any) -> tuple[str, list[str]]:
    """Text and images (URL, or media type of an embedded one) of a message's content."""
    if content is None or isinstance(content, str):
        return content or "", []
    texts = [one["text"] for one in content if one["type"] in ("text", "input_text", "output_text")]
    images = [one["image_url"] for one in content if one["type"] in ("image_url", "input_image")]
    urls = [one["url"] if isinstance(one, dict) else one for one in images]
    return "\n".join(texts), [url.split(";")[0] if url.startswith("data:") else url for url in urls]


def usage(answer: Answer) -> dict[str, Any]:
    """The usage object of a chat completion."""
    tokens = answer.tokens
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "prompt_tokens_details": {
            "cached_tokens": tokens.cache_read,
            "cache_write_tokens": tokens.cache_write,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": tokens.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def completion(answer: Answer) -> dict[str, Any]:
    """The answer in one piece."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None, "refusal": None, "annotations": []}
    if answer.tool_calls:
        message["tool_calls"] = [_call(one) for one in answer.tool_calls]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish_reason}
    return {
        "id": answer.id,
        "object": "chat.completion",
        "created": _CREATED,
        "model": answer.model,
        "choices": [choice],
        "usage": answer.usage,
        "service_tier": "default",
        "system_fingerprint": "fp_golden",
    }


def chunks(answer: Answer, asked: Asked) -> Iterator[dict[str, Any]]:
    """The answer in pieces; usage, where asked for, in a last one of its own."""
    wants_usage = tells_usage(asked)
    frame = {
        "id": answer.id,
        "object": "chat.completion.chunk",
        "created": _CREATED,
        "model": answer.model,
        "service_tier": "default",
        "system_fingerprint": "fp_golden",
    }

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return frame | {"choices": [choice]} | ({"usage": None} if wants_usage else {})

    yield chunk({"role": "assistant", "content": None if answer.tool_calls else "", "refusal": None})
    for one in answer.tool_calls:
        call = _call(one)
        arguments = one["arguments"]
        yield chunk({"tool_calls": [{"index": 0, **call, "function": {"name": one["name"], "arguments": ""}}]})
        for part in (arguments[:5], arguments[5:]):
            yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": part}}]})
    for word in words(answer.text) if answer.text else ():
        yield chunk({"content": word})
    yield chunk({}, answer.finish_reason)
    if wants_usage:
        yield frame | {"choices": [], "usage": answer.usage}


def _call(one: dict[str, str]) -> dict[str, Any]:
    return {
        "id": one["id"],
        "type": "function",
        "function": {"name": one["name"], "arguments": one["arguments"]},
    }


def read_embeddings(body: dict[str, Any]) -> Asked:
    """A request to `/v1/embeddings`."""
    inputs = body["input"] if isinstance(body["input"], list) else [body["input"]]
    params = {key: value for key, value in body.items() if key not in ("model", "input")}
    return Asked("openai.embeddings", body["model"], params=params, inputs=[str(one) for one in inputs])


def embeddings(answer: Answer, asked: Asked) -> dict[str, Any]:
    """Vectors, as floats or in base64 as asked."""
    vector = [0.25, -0.5, 0.125]
    packed = b64encode(struct.pack("<3f", *vector)).decode()
    shown = packed if asked.params.get("encoding_format") == "base64" else vector
    return {
        "object": "list",
        "model": answer.model,
        "data": [{"object": "embedding", "index": at, "embedding": shown} for at in range(len(asked.inputs))],
        "usage": answer.usage,
    }


def embeddings_usage(answer: Answer) -> dict[str, Any]:
    """The usage object of embeddings."""
    return {"prompt_tokens": answer.tokens.input, "total_tokens": answer.tokens.input}
