"""Anthropic's answers as LangSmith's wrapper keeps them: without `type`, their usage renamed and counted otherwise."""

from spanwise_collector.normalise.messages import anthropic
from spanwise_collector.normalise.messages.content import Content, Side
from spanwise_collector.normalise.values import Value


def read(body: Value, side: Side) -> Content | None:
    """An answer with `content` and `stop_reason` beside `usage_metadata`, whose counts the attributes repeat."""
    if side == "input" or not isinstance(body, dict) or "type" in body:
        return None
    if not isinstance(body.get("content"), list) or not {"stop_reason", "usage_metadata"} <= body.keys():
        return None
    return anthropic.read({**body, "type": "message"}, side)
