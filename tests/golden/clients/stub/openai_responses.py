"""OpenAI's responses on the wire. Shapes: the types of the package `openai`, `openai.types.responses`."""

from collections.abc import Iterator
from typing import Any

from tests.golden.clients.stub.answers import words
from tests.golden.clients.stub.openai_chat import read_content
from tests.golden.clients.stub.truth import Answer, Asked

_CREATED = 1_795_000_000


def read_responses(body: dict[str, Any]) -> Asked:
    """A request to `/v1/responses`."""
    system, messages = [body.get("instructions") or ""], []
    given = body["input"]
    for one in [{"role": "user", "content": given}] if isinstance(given, str) else given:
        message: dict[str, Any] = {"role": "", "text": "", "images": [], "tool_calls": [], "tool_results": []}
        match one.get("type", "message"):
            case "function_call":
                call = {"id": one["call_id"], "name": one["name"], "arguments": one["arguments"]}
                message |= {"role": "assistant", "tool_calls": [call]}
            case "function_call_output":
                text = one["output"] if isinstance(one["output"], str) else read_content(one["output"])[0]
                message |= {"role": "tool", "tool_results": [{"id": one["call_id"], "content": text}]}
            case "message":
                text, images = read_content(one["content"])
                if one["role"] in ("system", "developer"):
                    system.append(text)
                    continue
                message |= {"role": one["role"], "text": text, "images": images}
            case _:
                continue
        messages.append(message)
    known = ("model", "input", "instructions", "stream", "tools")
    return Asked(
        "openai.responses",
        body["model"],
        bool(body.get("stream")),
        "\n".join(one for one in system if one),
        messages,
        [tool["name"] for tool in body.get("tools") or () if tool["type"] == "function"],
        {key: value for key, value in body.items() if key not in known},
    )


def usage(answer: Answer) -> dict[str, Any]:
    """The usage object of a response."""
    tokens = answer.tokens
    return {
        "input_tokens": tokens.input,
        "input_tokens_details": {"cached_tokens": tokens.cache_read, "cache_write_tokens": tokens.cache_write},
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.input + tokens.output,
    }


def response(answer: Answer, asked: Asked, status: str = "completed") -> dict[str, Any]:
    """The answer in one piece; while `in_progress` without output and usage."""
    is_done = status == "completed"
    return {
        "id": answer.id,
        "object": "response",
        "created_at": _CREATED,
        "completed_at": _CREATED + 1 if is_done else None,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "model": answer.model,
        "output": [_item(answer, at) for at in range(len(_items(answer)))] if is_done else [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": True,
        "temperature": asked.params.get("temperature", 1.0),
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": answer.usage if is_done else None,
        "user": None,
    }


def _items(answer: Answer) -> list[str]:
    found = ["thought"] if answer.thought else []
    return [*found, *("call" for _ in answer.tool_calls), *(["text"] if answer.text else [])]


def _item(answer: Answer, at: int) -> dict[str, Any]:
    number = answer.id.removeprefix("resp_")
    match _items(answer)[at]:
        case "thought":
            summary = [{"type": "summary_text", "text": answer.thought}]
            return {"id": f"rs_{number}", "type": "reasoning", "summary": summary, "status": "completed"}
        case "call":
            call = answer.tool_calls[0]
            named = {"call_id": call["id"], "name": call["name"], "arguments": call["arguments"]}
            return {"id": f"fc_{number}", "type": "function_call", "status": "completed", **named}
        case _:
            return _message(number, answer.text, "completed")


def _message(number: str, text: str, status: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}] if text else []
    return {"id": f"msg_{number}", "type": "message", "role": "assistant", "status": status, "content": content}


def events(answer: Answer, asked: Asked) -> Iterator[dict[str, Any]]:
    """The answer in pieces, each an event that names its type."""
    for number, event in enumerate(_events(answer, asked)):
        yield event | {"sequence_number": number}


def _events(answer: Answer, asked: Asked) -> Iterator[dict[str, Any]]:
    started = response(answer, asked, "in_progress")
    yield {"type": "response.created", "response": started}
    yield {"type": "response.in_progress", "response": started}
    for at, sort in enumerate(_items(answer)):
        item = _item(answer, at)
        where = {"item_id": item["id"], "output_index": at}
        empty = {
            "thought": item | {"summary": [], "status": "in_progress"},
            "call": item | {"arguments": "", "status": "in_progress"},
            "text": item | {"content": [], "status": "in_progress"},
        }[sort]
        yield {"type": "response.output_item.added", "output_index": at, "item": empty}
        yield from {"thought": _thought, "call": _call, "text": _text}[sort](item, where)
        yield {"type": "response.output_item.done", "output_index": at, "item": item}
    yield {"type": "response.completed", "response": response(answer, asked)}


def _thought(item: dict[str, Any], where: dict[str, Any]) -> Iterator[dict[str, Any]]:
    part = item["summary"][0]
    at = where | {"summary_index": 0}
    yield {"type": "response.reasoning_summary_part.added", **at, "part": part | {"text": ""}}
    yield {"type": "response.reasoning_summary_text.delta", **at, "delta": part["text"]}
    yield {"type": "response.reasoning_summary_text.done", **at, "text": part["text"]}
    yield {"type": "response.reasoning_summary_part.done", **at, "part": part}


def _call(item: dict[str, Any], where: dict[str, Any]) -> Iterator[dict[str, Any]]:
    arguments = item["arguments"]
    for part in (arguments[:5], arguments[5:]):
        yield {"type": "response.function_call_arguments.delta", **where, "delta": part}
    name = item["name"]
    yield {"type": "response.function_call_arguments.done", **where, "name": name, "arguments": arguments}


def _text(item: dict[str, Any], where: dict[str, Any]) -> Iterator[dict[str, Any]]:
    part = item["content"][0]
    at = where | {"content_index": 0}
    yield {"type": "response.content_part.added", **at, "part": part | {"text": ""}}
    for word in words(part["text"]):
        yield {"type": "response.output_text.delta", **at, "delta": word, "logprobs": []}
    yield {"type": "response.output_text.done", **at, "text": part["text"], "logprobs": []}
    yield {"type": "response.content_part.done", **at, "part": part}
