"""Reads answers of OpenAI's API: chat completions, responses, embeddings, and their streams."""

from dataclasses import dataclass, field
from typing import Any

from spanwise._messages import Message, to_message, to_part, tool_call_part
from spanwise._messages import field as get
from spanwise._reading import Reading, Usage, whole

_PROVIDER = "openai"


def read(response: Any) -> Reading | None:
    """An answer that is complete; None when it is not OpenAI's."""
    match get(response, "object"):
        case "chat.completion":
            return _read_chat(response)
        case "response":
            return _read_response(response)
        case "list" if get(response, "data") is not None and get(response, "model") is not None:
            return _read_embeddings(response)
        case _:
            return None


def _read_chat(response: Any) -> Reading:
    messages, reasons = [], []
    for choice in get(response, "choices") or ():
        message = to_message(get(choice, "message"))
        reason = get(choice, "finish_reason")
        if reason is not None:
            message["finish_reason"] = str(reason)
            reasons.append(str(reason))
        messages.append(message)
    return Reading(
        provider=_PROVIDER,
        operation="chat",
        model=get(response, "model"),
        response_id=get(response, "id"),
        finish_reasons=tuple(reasons),
        messages=messages,
        usage=_chat_usage(get(response, "usage")),
    )


def _chat_usage(usage: Any) -> Usage:
    """Chat and embeddings usage; `prompt_tokens` includes cached and `completion_tokens` reasoning tokens."""
    return Usage(
        input_tokens=whole(get(usage, "prompt_tokens")),
        output_tokens=whole(get(usage, "completion_tokens")),
        cache_read_tokens=whole(get(get(usage, "prompt_tokens_details"), "cached_tokens")),
        cache_write_tokens=whole(get(get(usage, "prompt_tokens_details"), "cache_write_tokens")),
        reasoning_tokens=whole(get(get(usage, "completion_tokens_details"), "reasoning_tokens")),
    )


def _read_embeddings(response: Any) -> Reading:
    return Reading(
        provider=_PROVIDER,
        operation="embeddings",
        model=get(response, "model"),
        usage=_chat_usage(get(response, "usage")),
    )


def _read_response(response: Any) -> Reading:
    parts: list[Any] = []
    for item in get(response, "output") or ():
        parts.extend(_output_parts(item))
    reason = get(get(response, "incomplete_details"), "reason") or get(response, "status")
    message: Message = {"role": "assistant", "parts": parts}
    if reason is not None:
        message["finish_reason"] = str(reason)
    usage = get(response, "usage")
    return Reading(
        provider=_PROVIDER,
        operation="chat",
        model=get(response, "model"),
        response_id=get(response, "id"),
        finish_reasons=() if reason is None else (str(reason),),
        messages=[message] if parts else [],
        usage=Usage(
            input_tokens=whole(get(usage, "input_tokens")),
            output_tokens=whole(get(usage, "output_tokens")),
            cache_read_tokens=whole(get(get(usage, "input_tokens_details"), "cached_tokens")),
            cache_write_tokens=whole(get(get(usage, "input_tokens_details"), "cache_write_tokens")),
            reasoning_tokens=whole(get(get(usage, "output_tokens_details"), "reasoning_tokens")),
        ),
    )


def _output_parts(item: Any) -> list[Any]:
    match get(item, "type"):
        case "message":
            return [to_part(block) for block in get(item, "content") or ()]
        case "function_call":
            return [tool_call_part(get(item, "call_id"), get(item, "name"), get(item, "arguments"))]
        case "reasoning":
            return [{"type": "reasoning", "content": get(block, "text")} for block in get(item, "summary") or ()]
        case _:
            return [to_part(item)]


def accumulator_for(chunk: Any) -> "_ChatStream | _ResponseStream | None":
    """The accumulator for a stream that begins with this chunk; None when it is not OpenAI's."""
    if get(_chat_chunk(chunk), "object") == "chat.completion.chunk":
        return _ChatStream()
    if str(get(chunk, "type") or "").startswith("response."):
        return _ResponseStream()
    return None


def _chat_chunk(chunk: Any) -> Any:
    # The client's `.stream()` helper wraps the raw chunk in an event of type "chunk".
    return get(chunk, "chunk") if get(chunk, "type") == "chunk" else chunk


@dataclass(slots=True)
class _Choice:
    text: list[str] = field(default_factory=list)
    refusal: list[str] = field(default_factory=list)
    calls: dict[int, dict[str, str]] = field(default_factory=dict)
    reason: str | None = None

    def message(self) -> Message:
        found: dict[str, Any] = {
            "role": "assistant",
            "content": "".join(self.text),
            "refusal": "".join(self.refusal),
            "tool_calls": [
                {"id": call["id"], "function": {"name": call["name"], "arguments": call["arguments"]}}
                for _, call in sorted(self.calls.items())
            ],
        }
        message = to_message(found)
        if self.reason is not None:
            message["finish_reason"] = self.reason
        return message


@dataclass(slots=True)
class _ChatStream:
    model: str | None = None
    response_id: str | None = None
    usage: Any = None
    choices: dict[int, _Choice] = field(default_factory=dict)

    def add(self, chunk: Any) -> None:
        chunk = _chat_chunk(chunk)
        if get(chunk, "object") != "chat.completion.chunk":
            return
        self.model = get(chunk, "model") or self.model
        self.response_id = get(chunk, "id") or self.response_id
        self.usage = get(chunk, "usage") or self.usage
        for part in get(chunk, "choices") or ():
            choice = self.choices.setdefault(get(part, "index") or 0, _Choice())
            choice.reason = get(part, "finish_reason") or choice.reason
            delta = get(part, "delta")
            choice.text.append(get(delta, "content") or "")
            choice.refusal.append(get(delta, "refusal") or "")
            for call in get(delta, "tool_calls") or ():
                known = choice.calls.setdefault(get(call, "index") or 0, {"id": "", "name": "", "arguments": ""})
                function = get(call, "function")
                known["id"] += get(call, "id") or ""
                known["name"] += get(function, "name") or ""
                known["arguments"] += get(function, "arguments") or ""

    def reading(self) -> Reading:
        choices = [choice for _, choice in sorted(self.choices.items())]
        return Reading(
            provider=_PROVIDER,
            operation="chat",
            model=self.model,
            response_id=self.response_id,
            finish_reasons=tuple(choice.reason for choice in choices if choice.reason is not None),
            messages=[choice.message() for choice in choices],
            usage=_chat_usage(self.usage),
        )


@dataclass(slots=True)
class _ResponseStream:
    """The last event carries the whole response; the text deltas matter only when the stream ends early."""

    latest: Any = None
    text: list[str] = field(default_factory=list)
    complete: bool = False

    def add(self, chunk: Any) -> None:
        kind = get(chunk, "type")
        response = get(chunk, "response")
        if response is not None:
            self.latest = response
            self.complete = kind in {"response.completed", "response.incomplete", "response.failed"}
        elif kind == "response.output_text.delta":
            self.text.append(str(get(chunk, "delta") or ""))

    def reading(self) -> Reading:
        if self.complete:
            return _read_response(self.latest)
        message = to_message({"role": "assistant", "content": "".join(self.text)})
        return Reading(
            provider=_PROVIDER,
            operation="chat",
            model=get(self.latest, "model"),
            response_id=get(self.latest, "id"),
            messages=[message] if self.text else [],
        )
