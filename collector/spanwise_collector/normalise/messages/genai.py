"""GenAI message JSON itself."""

from typing import TypeGuard

from spanwise_collector.normalise.messages.content import Content, Message, Side
from spanwise_collector.normalise.values import Value


def read(body: Value, side: Side) -> Content | None:
    """Messages with `role` and typed `parts`."""
    if not is_genai(body):
        return None
    finish = body[0].get("finish_reason") if side == "output" else None
    return Content(messages=body, as_sent=True, finish_reason=finish if isinstance(finish, str) else "")


def is_genai(body: Value) -> TypeGuard[list[Message]]:
    """Whether a body is a list of messages in this form. Written flat: it looks at every part of every call."""
    if type(body) is not list or not body:
        return False
    for message in body:
        if type(message) is not dict or "role" not in message:
            return False
        parts = message.get("parts")
        if type(parts) is not list:
            return False
        for part in parts:
            if type(part) is not dict or "type" not in part:
                return False
    return True
