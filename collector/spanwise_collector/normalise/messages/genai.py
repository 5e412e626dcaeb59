"""GenAI message JSON itself, with small deviations put right."""

from spanwise_collector.normalise.messages.content import Content, Message, Side
from spanwise_collector.normalise.values import Value


def read(body: Value, side: Side) -> Content | None:
    """Messages with `role` and typed `parts`."""
    if not (isinstance(body, list) and body and all(map(_is_message, body))):
        return None
    messages: list[Message] = [one for one in body if isinstance(one, dict)]
    finish = messages[0].get("finish_reason") if side == "output" else None
    return Content(messages=messages, as_sent=True, finish_reason=finish if isinstance(finish, str) else "")


def _is_message(found: Value) -> bool:
    if not isinstance(found, dict) or "role" not in found:
        return False
    parts = found.get("parts")
    return isinstance(parts, list) and all(isinstance(part, dict) and "type" in part for part in parts)
