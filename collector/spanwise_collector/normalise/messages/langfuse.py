"""What Langfuse makes of others' messages: its LangChain handler's, and single items of OpenAI's responses.

Shapes: `langfuse.langchain.CallbackHandler` and `langfuse.openai` of package `langfuse`.
"""

from typing import Final

from spanwise_collector.normalise.messages import langchain, openai_responses
from spanwise_collector.normalise.messages.content import Content, Side, text_member
from spanwise_collector.normalise.values import Value

_ITEMS: Final = frozenset({"function_call", "custom_tool_call", "reasoning"})


def read(body: Value, side: Side) -> Content | None:
    """Messages of the LangChain handler, or an item of a response that stands alone."""
    if isinstance(body, dict) and _is_item(body):
        return openai_responses.read([body], side)
    listed = body if isinstance(body, list) else [body]
    if not any(_is_tool(one) or _has_calls(one) for one in listed):
        return None
    messages = [one for one in listed if isinstance(one, dict) and "role" in one]
    if len(messages) != len(listed):
        return None
    return Content(
        messages=[langchain.message(one, text_member(one, "role")) for one in messages if not _is_tool(one)],
        tools=[one["content"] for one in messages if _is_tool(one)] or None,
    )


def _is_item(found: dict[str, Value]) -> bool:
    if text_member(found, "type") in _ITEMS:
        return True
    content = found.get("content") if found.get("type") == "message" else None
    return isinstance(content, list) and any(text_member(one, "type") == "output_text" for one in content)


def _is_tool(found: Value) -> bool:
    """Whether a message is none but a tool that is offered: the handler lists these behind the messages."""
    content = found.get("content") if isinstance(found, dict) and found.get("role") == "tool" else None
    return isinstance(content, dict) and ("function" in content or "name" in content) and "tool_call_id" not in found  # type: ignore[operator]


def _has_calls(found: Value) -> bool:
    """Whether a message asks for tools in LangChain's way."""
    calls = found.get("tool_calls") if isinstance(found, dict) and isinstance(found.get("role"), str) else None
    return isinstance(calls, list) and any(isinstance(one, dict) and "args" in one for one in calls)
