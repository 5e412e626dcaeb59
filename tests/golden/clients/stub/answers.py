"""What to answer: from the request and its case, the same for all APIs."""

import json
from typing import Final

from tests.golden.clients.stub.truth import NO_TOKENS, Answer, Asked, Entry, TruthLog

RESPONSE_MODELS: Final = {
    "gpt-4o": "gpt-4o-2024-08-06",
    "claude-haiku-4-5": "claude-haiku-4-5-20251001",
    "gemini-2.5-flash": "gemini-2.5-flash-preview-09-2025",
}
"""The model that answers, where it has a more exact name than the one asked for."""

FINISH: Final = {
    "openai.chat": ("stop", "tool_calls"),
    "openai.responses": ("completed", "completed"),
    "anthropic.messages": ("end_turn", "tool_use"),
    "gemini.generate": ("STOP", "STOP"),
}
"""The API's word for a finished text, and for a tool call."""

_ID_PREFIX: Final = {
    "openai.chat": "chatcmpl-golden",
    "openai.responses": "resp_golden",
    "anthropic.messages": "msg_golden",
    "gemini.generate": "gemini-golden",
}
_CALL_PREFIX: Final = {
    "openai.chat": "call_golden",
    "openai.responses": "call_golden",
    "anthropic.messages": "toolu_golden",
    "gemini.generate": "fc-golden",
}
REFUSALS: Final = {"error429": (429, "Slow down"), "error500": (500, "The stub fell over"), "retry": (429, "Not yet")}


def answer(entry: Entry, log: TruthLog) -> Answer:
    """The answer to a request.

    Args:
        entry: of the request.
        log: knows what was asked before and deals out token counts.
    """
    asked = entry.asked
    behaviour = entry.behaviour
    if behaviour in REFUSALS and (behaviour != "retry" or log.first_try(entry.case)):
        status, words = REFUSALS[behaviour]
        return Answer(status, error=f"{words}, number {entry.number}.")
    if asked.api == "gemini.embed":
        # That API names neither a model nor tokens in its answer.
        return Answer(200)
    tokens = log.deal(asked) if tells_usage(asked) else NO_TOKENS
    if asked.inputs:
        return Answer(200, model=asked.model, tokens=tokens)
    number = f"{10_000 + entry.number}"
    found = Answer(
        200, f"{_ID_PREFIX[asked.api]}{number}", RESPONSE_MODELS.get(asked.model, asked.model), tokens=tokens
    )
    text_end, tool_end = FINISH[asked.api]
    found.finish_reason = text_end
    if behaviour == "tool" and asked.wants_tool:
        found.finish_reason = tool_end
        order = json.dumps({"order": f"A-{number}"}, separators=(",", ":"))
        found.tool_calls = [{"id": f"{_CALL_PREFIX[asked.api]}{number}", "name": asked.tools[0], "arguments": order}]
        return found
    if behaviour == "think" and asked.api != "openai.chat":
        found.thought = f"Thought number {number} comes first."
    found.text = f"Answer number {number}: grüße, 你好 and a good day."
    if "json" in str(asked.params.get("response_format", "")) or _wants_json(asked):
        found.text = json.dumps({"answer": found.text}, ensure_ascii=False)
    return found


def tells_usage(asked: Asked) -> bool:
    """Whether the answer tells its token counts: OpenAI's chat tells those of a stream only when asked to."""
    options = asked.params.get("stream_options") or {}
    return asked.api != "openai.chat" or not asked.stream or bool(options.get("include_usage"))


def _wants_json(asked: Asked) -> bool:
    text = asked.params.get("text")
    return isinstance(text, dict) and "json" in str(text.get("format", ""))


def words(text: str) -> list[str]:
    """A text in pieces, as streams bring it."""
    return [("" if at == 0 else " ") + word for at, word in enumerate(text.split(" "))]
