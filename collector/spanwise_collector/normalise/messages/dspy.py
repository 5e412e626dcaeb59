"""What DSPy's `LM` returns: texts, or objects with a text and tool calls, shown as Python shows them."""

from spanwise_collector.normalise.messages.content import Content, Message, Part, Side, call_part, member, text_part
from spanwise_collector.normalise.python_repr import from_call
from spanwise_collector.normalise.values import Value


def read(body: Value, side: Side) -> Content | None:
    """A list of texts, or of objects with `text`; DSPy's or, of texts alone, anyone's."""
    if not isinstance(body, list) or not body or not all(_is_one(one) for one in body):
        return None
    role = "user" if side == "input" else "assistant"
    return Content(messages=[_message(one, role) for one in body])


def _is_one(found: Value) -> bool:
    if isinstance(found, dict):
        return "text" in found and found.keys() <= {"text", "tool_calls", "reasoning_content", "logprobs", "citations"}
    return isinstance(found, str)


def _message(found: Value, role: str) -> Message:
    text = found if isinstance(found, str) else member(found, "text")
    calls = member(found, "tool_calls")
    parts: list[Value] = [text_part(text)] if text else []
    parts += [_call(one) for one in calls] if isinstance(calls, list) else []
    return {"role": role, "parts": parts}


def _call(found: Value) -> Part:
    call = from_call(found) if isinstance(found, str) else found
    return call_part(member(call, "id"), member(call, "function", "name"), member(call, "function", "arguments"))
