"""Laminar's copies of Anthropic's answers: a list of one message that keeps its `stop_reason`."""

from spanwise_collector.normalise.messages import anthropic
from spanwise_collector.normalise.messages.content import Content, Side, text_member
from spanwise_collector.normalise.values import Value


def read(body: Value, side: Side) -> Content | None:
    """A list of messages in which each says why the model stopped."""
    if side == "input" or not isinstance(body, list) or not body or not all(_is_answer(one) for one in body):
        return None
    found = Content(messages=[])
    for one in body:
        made = anthropic.messages(one)
        finish = text_member(one, "stop_reason")
        made[-1]["finish_reason"] = finish
        found.messages = [*(found.messages or ()), *made]
        found.finish_reason = found.finish_reason or finish
    return found


def _is_answer(found: Value) -> bool:
    return isinstance(found, dict) and "content" in found and bool(text_member(found, "stop_reason"))
