"""Reads answers of Anthropic's API: messages and their streams."""

from dataclasses import dataclass, field
from typing import Any

from spanwise._messages import Message, text_part, to_part, tool_call_part
from spanwise._messages import field as get
from spanwise._reading import Reading, Usage, whole

_PROVIDER = "anthropic"


def read(response: Any) -> Reading | None:
    """A message that is complete; None when it is not Anthropic's."""
    if get(response, "type") != "message" or get(response, "usage") is None:
        return None
    return _reading(
        model=get(response, "model"),
        response_id=get(response, "id"),
        reason=get(response, "stop_reason"),
        parts=[to_part(block) for block in get(response, "content") or ()],
        usage=_usage({name: get(get(response, "usage"), name) for name in _USAGE_FIELDS}),
    )


def _reading(*, model: Any, response_id: Any, reason: Any, parts: list[Any], usage: Usage) -> Reading:
    message: Message = {"role": "assistant", "parts": parts}
    if reason is not None:
        message["finish_reason"] = str(reason)
    return Reading(
        provider=_PROVIDER,
        operation="chat",
        model=model,
        response_id=response_id,
        finish_reasons=() if reason is None else (str(reason),),
        messages=[message] if parts else [],
        usage=usage,
    )


_USAGE_FIELDS = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation",
    "output_tokens_details",
)


def _usage(raw: dict[str, Any]) -> Usage:
    """Anthropic counts cached tokens beside `input_tokens`; the GenAI conventions count them inside."""
    fresh = whole(raw.get("input_tokens"))
    read_from = whole(raw.get("cache_read_input_tokens"))
    written = whole(raw.get("cache_creation_input_tokens"))
    return Usage(
        input_tokens=None if fresh is None else fresh + (read_from or 0) + (written or 0),
        output_tokens=whole(raw.get("output_tokens")),
        cache_read_tokens=read_from,
        cache_write_tokens=written,
        cache_write_1h_tokens=whole(get(raw.get("cache_creation"), "ephemeral_1h_input_tokens")),
        reasoning_tokens=whole(get(raw.get("output_tokens_details"), "thinking_tokens")),
    )


def accumulator_for(chunk: Any) -> "_MessageStream | None":
    """The accumulator for a stream that begins with this event; None when it is not Anthropic's."""
    return _MessageStream() if get(chunk, "type") == "message_start" else None


@dataclass(slots=True)
class _Block:
    start: Any
    pieces: list[str] = field(default_factory=list)

    def part(self) -> Any:
        text = "".join(self.pieces)
        match get(self.start, "type"):
            case "text":
                return text_part((get(self.start, "text") or "") + text)
            case "thinking":
                return {"type": "reasoning", "content": (get(self.start, "thinking") or "") + text}
            case "tool_use" | "server_tool_use":
                return tool_call_part(get(self.start, "id"), get(self.start, "name"), text or get(self.start, "input"))
            case _:
                return to_part(self.start)


# The field of a delta event that carries its text.
_DELTA_FIELD = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


@dataclass(slots=True)
class _MessageStream:
    model: Any = None
    response_id: Any = None
    reason: Any = None
    usage: dict[str, Any] = field(default_factory=dict)
    blocks: dict[int, _Block] = field(default_factory=dict)

    def add(self, chunk: Any) -> None:
        match get(chunk, "type"):
            case "message_start":
                message = get(chunk, "message")
                self.model, self.response_id = get(message, "model"), get(message, "id")
                self._add_usage(get(message, "usage"))
            case "content_block_start":
                self.blocks[get(chunk, "index") or 0] = _Block(_frozen(get(chunk, "content_block")))
            case "content_block_delta":
                delta = get(chunk, "delta")
                name = _DELTA_FIELD.get(get(delta, "type") or "")
                block = self.blocks.get(get(chunk, "index") or 0)
                if name and block is not None:
                    block.pieces.append(get(delta, name) or "")
            case "message_delta":
                self.reason = get(get(chunk, "delta"), "stop_reason") or self.reason
                self._add_usage(get(chunk, "usage"))

    def _add_usage(self, usage: Any) -> None:
        # Each event's numbers are totals so far, not increments: the later ones replace the earlier ones.
        for name in _USAGE_FIELDS:
            value = get(usage, name)
            if value is not None:
                self.usage[name] = value

    def reading(self) -> Reading:
        return _reading(
            model=self.model,
            response_id=self.response_id,
            reason=self.reason,
            parts=[block.part() for _, block in sorted(self.blocks.items())],
            usage=_usage(self.usage),
        )


def _frozen(block: Any) -> dict[str, Any]:
    """The block as it was when it started: the client's stream helper goes on writing into the object it hands out."""
    return {
        name: get(block, name)
        for name in ("type", "id", "name", "input", "text", "thinking")
        if get(block, name) is not None
    }
