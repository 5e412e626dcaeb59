"""Bodies for people: previews of input and output, events and links as JSON."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from pydantic_core import from_json

from spanwise_collector.normalise.lazy import LazySpan
from spanwise_collector.normalise.limits import MAX_EVENTS, PREVIEW
from spanwise_collector.normalise.values import Value, clean, read_attributes, to_json, to_text

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_PARSED: Final = 100_000
"""Characters of messages that are parsed for a preview; of longer ones the raw text is shown, since parsing would cost
more than the rest of the span together."""


def preview(body: str, side: Literal["input", "output"]) -> str:
    """At most 256 characters that show what a body is about.

    Args:
        body: messages as GenAI JSON, other JSON, or text.
        side: of an input the last message counts, of an output the first.

    Returns:
        The text of that message, or its tool call; anything that is not messages from its beginning.
    """
    if body.startswith("[{") and len(body) <= _MAX_PARSED:
        try:
            messages = from_json(body)
        except ValueError:
            messages = None
        if messages:
            return preview_of(messages, side) or body[:PREVIEW]
    return body[:PREVIEW]


def preview_of(messages: Sequence[Value], side: Literal["input", "output"]) -> str:
    """The preview of messages, parsed; "" where they are none."""
    message = messages[-1] if side == "input" else messages[0]
    return _message_text(message)[:PREVIEW] if isinstance(message, dict) and "role" in message else ""


def _message_text(message: dict[str, Value]) -> str:
    parts = message.get("parts") or message.get("content") or message.get("tool_calls")
    if type(parts) is list and len(parts) == 1:
        return _part_text(parts[0])
    if isinstance(parts, list):
        return "\n".join(text for part in parts if (text := _part_text(part)))
    return "" if parts is None else to_text(parts)


def _part_text(part: Value) -> str:
    """What a part says: its text, the call it makes, the answer it brings, or what sort of thing it is."""
    if not isinstance(part, dict):
        return part if isinstance(part, str) else ""
    text = part.get("content")
    if type(text) is str and text:
        return text
    for key in ("content", "text", "response", "result"):
        value = part.get(key)
        if value:
            return value if type(value) is str else to_text(value)
    function = part.get("function")
    call = function if isinstance(function, dict) else part
    if "name" in call:
        return f"{to_text(call['name'])}({_argument_text(call.get('arguments'))})"
    kind = part.get("type")
    return f"[{to_text(kind)}]" if kind else ""


def _argument_text(arguments: Value) -> str:
    return "" if arguments is None else to_text(arguments)


def byte_length(text: str) -> int:
    """Length in UTF-8; free for ASCII, which Python knows of each string."""
    return len(text) if text.isascii() else len(text.encode())


def event_list(span: LazySpan, warnings: set[str]) -> list[dict[str, Value]]:
    """Events, then links, as maps; `type` tells them apart.

    Args:
        span: the span.
        warnings: receives `events_dropped` and what is wrong with attributes.
    """
    found: list[dict[str, Value]] = [
        {
            "type": "event",
            "name": clean(event.name, warnings),
            "time": rfc3339(event.time_unix_nano // 1000),
            "attributes": read_attributes(event.attributes, warnings),
        }
        for event in span.events[:MAX_EVENTS]
    ]
    found += [
        {
            "type": "link",
            "trace_id": link.trace_id.hex(),
            "span_id": link.span_id.hex(),
            "attributes": read_attributes(link.attributes, warnings),
        }
        for link in span.links[: MAX_EVENTS - len(found)]
    ]
    if len(span.events) + len(span.links) > len(found):
        warnings.add("events_dropped")
    return found


def events_json(events: Iterable[dict[str, Value]]) -> str:
    """Events and links as stored."""
    return to_json(list(events))


def exception(events: list[dict[str, Value]]) -> tuple[str, str]:
    """Type and message of the last `exception` event (OpenTelemetry semantic conventions, exceptions on spans)."""
    for event in reversed(events):
        details = event["attributes"]
        if event["type"] == "event" and event["name"] == "exception" and isinstance(details, dict):
            return to_text(details.get("exception.type", "")), to_text(details.get("exception.message", ""))
    return "", ""


def rfc3339(time_us: int) -> str:
    """A time in microseconds since the epoch as text; "" for times that no calendar has."""
    try:
        return (_EPOCH + timedelta(microseconds=time_us)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except OverflowError:
        return ""
