"""MLflow's record of a stream: a span event for each chunk, from which the whole answer is put together.

The span's own output leaves out tool calls that came in pieces; with the GenAI conventions' names it has no token
details either.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from spanwise_collector.normalise.messages.content import member, text_member
from spanwise_collector.normalise.values import Value

EVENT: Final = "mlflow.chunk.item."
"""What the names of these events begin with; a number follows."""
ATTRIBUTE: Final = "mlflow.chunk.value"


def answer(chunks: Sequence[Value]) -> dict[str, Value] | None:
    """The answer that chunks of OpenAI's APIs make; None for other chunks and for a stream that broke off.

    Args:
        chunks: structured, in order.
    """
    for chunk in reversed(chunks):
        if member(chunk, "type") == "response.completed":
            whole = member(chunk, "response")
            return whole if isinstance(whole, dict) else None
    return _completion([one for one in chunks if member(one, "object") == "chat.completion.chunk"])


def _completion(chunks: list[Value]) -> dict[str, Value] | None:
    choices: dict[int, list[Value]] = {}
    usage: Value = None
    for chunk in chunks:
        usage = member(chunk, "usage") or usage
        listed = member(chunk, "choices")
        for choice in listed if isinstance(listed, list) else []:
            at = member(choice, "index")
            choices.setdefault(at if isinstance(at, int) else 0, []).append(choice)
    made = [_choice(pieces) for _, pieces in sorted(choices.items())]
    if not made or not all(one["finish_reason"] for one in made):
        return None
    found: dict[str, Value] = {"id": text_member(chunks[0], "id"), "model": text_member(chunks[0], "model")}
    return found | {"choices": [*made], "usage": usage}


def _choice(pieces: list[Value]) -> dict[str, Value]:
    calls: dict[int, list[Value]] = {}
    for piece in pieces:
        listed = member(piece, "delta", "tool_calls")
        for call in listed if isinstance(listed, list) else []:
            at = member(call, "index")
            calls.setdefault(at if isinstance(at, int) else 0, []).append(call)
    message: dict[str, Value] = {
        "role": _joined(pieces, "delta", "role") or "assistant",
        "content": _joined(pieces, "delta", "content"),
        "tool_calls": [_call(one) for _, one in sorted(calls.items())],
    }
    return {"message": message, "finish_reason": _joined(pieces, "finish_reason")}


def _call(pieces: list[Value]) -> Value:
    names = ("name", "arguments")
    function: dict[str, Value] = {name: _joined(pieces, "function", name) for name in names}
    return {"id": _joined(pieces, "id"), "function": function}


def _joined(pieces: Iterable[Value], *path: str) -> str:
    return "".join(text_member(one, *path) for one in pieces)
