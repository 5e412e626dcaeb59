"""What each field should be: read from an entry of the truth log alone."""

import json
from typing import Any, Final

from tests.golden.clients.evaluate.prices import cost_n

Truth = dict[str, Any]
ABSENT: Final = None
"""Of a field that the truth log has nothing to say about."""

FINISH: Final = {
    "stop": "stop",
    "end_turn": "stop",
    "STOP": "stop",
    "completed": "stop",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
}
"""The GenAI conventions' words for the APIs' finish reasons. A tool call is one also where the API says otherwise."""


def is_answered(truth: Truth) -> bool:
    """Whether the client got all of the answer."""
    return bool(truth["ended"] == "complete")


def _last_user(messages: list[dict[str, Any]]) -> str:
    texts = [one["text"] for one in messages if one["role"] == "user" and one["text"]]
    return str(texts[-1]) if texts else ""


def input_text(truth: Truth) -> Any:
    """What is asked: the last user's text, or the texts to embed."""
    return "\n".join(truth["asked"]["inputs"]) or _last_user(truth["asked"]["messages"]) or ABSENT


def tool_calls(truth: Truth) -> Any:
    """Name and arguments of each tool call of the answer."""
    calls = [(one["name"], json.loads(one["arguments"])) for one in truth["answer"]["tool_calls"]]
    return (calls or ABSENT) if is_answered(truth) else ABSENT


def tool_result(truth: Truth) -> Any:
    """Content of each tool result in the last message."""
    messages = truth["asked"]["messages"]
    results = messages[-1]["tool_results"] if messages else []
    return [one["content"] for one in results] or ABSENT


def finish(truth: Truth) -> Any:
    """Every word for the finish reason that is right."""
    if not is_answered(truth) or truth["kind"] == "embedding":
        return ABSENT
    if truth["answer"]["tool_calls"]:
        return ("tool_calls", FINISH[truth["answer"]["finish_reason"]])
    return (FINISH[truth["answer"]["finish_reason"]],)


def cost(truth: Truth) -> Any:
    """Nano-dollars, with the lifetimes of cache writes and without."""
    if not is_answered(truth) or not truth["answer"]["tokens"]["input"]:
        return ABSENT
    tokens = truth["answer"]["tokens"]
    return tuple(cost_n(truth["asked"]["model"], tokens, lifetimes=lifetimes) for lifetimes in (True, False))


def error(truth: Truth) -> Any:
    """Says "an error" where the call failed for good."""
    is_retried = truth["ended"] == "refused" and truth["behaviour"] == "retry"
    return "an error" if truth["ended"] in ("refused", "timeout", "cut") and not is_retried else ABSENT


def params(truth: Truth) -> Any:
    """The request parameters that are judged."""
    params = truth["asked"]["params"]
    inner = params.get("generationConfig") or {}
    wanted = {
        "temperature": params.get("temperature", inner.get("temperature")),
        "max_tokens": params.get("max_tokens", inner.get("maxOutputTokens")),
    }
    return {name: float(value) for name, value in wanted.items() if value is not None} or ABSENT


def output_text(truth: Truth) -> Any:
    """The answer's text."""
    text = truth["answer"]["text"]
    return (text or ABSENT) if is_answered(truth) else ABSENT


def answer_took_us(truth: Truth) -> Any:
    """How long the stub answered, of a stream that came whole."""
    took_us = (truth["ended_ns"] - truth["arrived_ns"]) // 1000
    return took_us if truth["asked"]["stream"] and is_answered(truth) else ABSENT
