"""What each field is: read from a stored span alone. A false value is nothing."""

import json
import re
from typing import Any, Final

from tests.golden.clients.evaluate.rows import Said, Span, messages_of

KINDS: Final = {"llm": 1, "embedding": 2}
"""The column `kind`."""
STATUS_ERROR: Final = 2
_NUMBER: Final = re.compile(r"\d+(\.\d+)?")


def messages_in(span: Span) -> list[Said]:
    """Messages of the input."""
    return messages_of(span.bodies["input"])


def messages_out(span: Span) -> list[Said]:
    """Messages of the output."""
    return messages_of(span.bodies["output"])


def input_text(span: Span) -> str:
    """What is asked."""
    said = [one.text for one in messages_in(span) if one.role == "user" and one.text]
    if said:
        return "\n".join(said) if span.row["kind"] == KINDS["embedding"] else said[-1]
    body = span.bodies["input"]
    if span.row["kind"] != KINDS["embedding"]:
        return ""
    try:
        given = json.loads(body)
    except ValueError:
        return body
    return "\n".join(map(str, given)) if isinstance(given, list) else str(given)


def system(span: Span) -> str:
    """Text of the system instructions, on their own or among the messages."""
    apart = span.bodies["system_instructions"]
    if apart:
        try:
            given = json.loads(apart)
        except ValueError:
            return apart
        if isinstance(given, list):
            return "\n".join(str(one["content"]) for one in given)
        return str(given)
    return "\n".join(one.text for one in messages_in(span) if one.role in ("system", "developer"))


def tool_result(span: Span) -> list[str]:
    """Content of the last tool results."""
    for one in reversed(messages_in(span)):
        if one.tool_results:
            return one.tool_results
    return []


def tools(span: Span) -> list[str]:
    """Names of the tools offered."""
    try:
        given = json.loads(span.bodies["tool_defs"])
    except ValueError:
        return []
    return [name for one in given for name in _tool_names(one)] if isinstance(given, list) else []


def _tool_names(one: Any) -> list[str]:
    if not isinstance(one, dict):
        return []
    for key in ("function_declarations", "functionDeclarations"):
        if key in one:
            return [str(declared["name"]) for declared in one[key]]
    inner = one.get("function")
    return [str((inner if isinstance(inner, dict) else one).get("name"))]


def finish(span: Span) -> Any:
    """The finish reason; `tool_call` and `completed` are other words for the same."""
    # Where the messages came as log records, only they tell it.
    word = span.row["finish_reason"] or next((one.finish_reason for one in messages_out(span) if one.finish_reason), "")
    return {"tool_call": "tool_calls", "completed": "stop"}.get(word, word)


def error(span: Span) -> str:
    """Says "an error" for a failed call that says why."""
    has_failed = span.row["status"] == STATUS_ERROR
    return "an error" if has_failed and (span.row["error_type"] or span.row["status_message"]) else ""


def params(span: Span) -> dict[str, float]:
    """The request parameters that are judged."""
    found = {}
    for name, names in {
        "temperature": ("temperature",),
        "max_tokens": ("max_tokens", "max_output_tokens", "max_completion_tokens", "maxOutputTokens"),
    }.items():
        for one in names:
            if _NUMBER.fullmatch(span.row["params"].get(one, "")):
                found[name] = float(span.row["params"][one])
    return found
