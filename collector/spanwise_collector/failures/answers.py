"""A model's answer: whether it is cut off, filtered, empty, a refusal, broken JSON, or calls what is not there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from spanwise_collector.failures.asked import asked_form
from spanwise_collector.failures.failure import Found
from spanwise_collector.failures.masks import mask
from spanwise_collector.failures.tools import call_failure
from spanwise_collector.normalise.values import Value
from spanwise_evaluators.reading.json_answers import Reading, begins_json, read_answer
from spanwise_evaluators.reading.json_schema import explained, violation
from spanwise_evaluators.reading.refusals import refusal
from spanwise_evaluators.reading.short import short

LIMITS: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens", "maxTokens")
"""Parameters that limit the answer's tokens."""
_LEAST_LIMIT: Final = 16
"""A request with a lower limit wants a word, and one token less is no sign that it was cut."""
_FEW_TOKENS: Final = 2
"""An answer without any text still has an end token or two."""
_BY_FINISH: Final[Mapping[str, tuple[str, str, str]]] = {
    "length": ("truncation", "", "Answer cut off at the token limit"),
    "model_context_window_exceeded": ("context_overflow", "answer", "Answer cut off at the end of the context window"),
    "model_length": ("context_overflow", "answer", "Answer cut off at the end of the context window"),
    "content_filter": ("content_filter", "", "Answer stopped by a content filter"),
    "content_filtered": ("content_filter", "", "Answer stopped by a content filter"),
    "guardrail_intervened": ("content_filter", "", "Answer stopped by a guardrail"),
    "recitation": ("content_filter", "", "Answer stopped because it recited known text"),
    "blocklist": ("content_filter", "", "Answer stopped by a list of blocked words"),
    "prohibited_content": ("content_filter", "", "Answer stopped by a content filter"),
    "spii": ("content_filter", "", "Answer stopped because of personal data"),
    "image_safety": ("content_filter", "", "Image stopped by a content filter"),
    "malformed_function_call": ("wrong_arguments", "malformed", "The model's tool call was broken"),
    "malformed_tool_use": ("wrong_arguments", "malformed", "The model's tool call was broken"),
    "unexpected_tool_call": ("hallucinated_tool", "", "The model called a tool that was not offered"),
    "malformed_model_output": ("invalid_json", "malformed", "The model's answer was broken"),
    "error": ("error", "finish_reason", "The model stopped with an error"),
}
"""The finish reason, in the word that all sources share."""
BAD_FINISH: Final = frozenset(_BY_FINISH)
"""Finish reasons of failures."""
_REFUSALS: Final[Mapping[str, str]] = {
    "policy": "The model declined",
    "capability": "The model said that it cannot do this",
    "missing_info": "The model said that it does not have the information",
}
_INVALID: Final[Mapping[str, str]] = {
    "truncated": "Answer is JSON that ends in the middle",
    "fenced": "Answer is JSON inside a code block, where JSON alone was asked for",
    "extra_text": "Answer is JSON with other text after it",
    "not_json": "Answer is plain text, where JSON was asked for",
    "malformed": "Answer is JSON that does not parse",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model call asked and got.

    Attributes:
        kind: of the span.
        name: of the span.
        finish_reason: in the word that all sources share; "" where none is said.
        streaming: whether it was streamed.
        parts: of the first message, in the one form; None where the source told no message.
        params: of the request.
        output_format: what an attribute says of the form asked for.
        tool_defs: tools offered, as stored.
        tok_input: tokens of the input; None where they are not told.
        tok_output: tokens of the answer; None where they are not told.
        tok_reasoning: of these, spent on reasoning.
    """

    kind: str
    name: str
    finish_reason: str
    streaming: bool
    parts: Sequence[Value] | None
    params: Mapping[str, Value] | None
    output_format: str
    tool_defs: str
    tok_input: int | None
    tok_output: int | None
    tok_reasoning: int | None


def answer_failure(answer: Answer) -> Found | None:
    """What is wrong with an answer; None for nothing."""
    of_call = call_failure(answer.parts or (), answer.tool_defs) if answer.tool_defs else None
    return _by_finish(answer) or of_call or _empty(answer) or _by_text(answer)


def at_limit(params: Mapping[str, Any], tok_output: int) -> bool:
    """Whether an answer has as many tokens as the request allows, give or take an end token.

    With more of them than that, the parameter is not what limited the answer.
    """
    for name in LIMITS:
        limit = params.get(name)
        if type(limit) is int and limit >= _LEAST_LIMIT and -1 <= limit - tok_output <= 1:
            return True
    return False


def _found(answer: Answer, failure_class: str, sub: str, words: str, detail: str = "") -> Found:
    place = f"{words}: {short(answer.name)}" if answer.name else words
    return Found(failure_class, sub, place, (answer.kind, mask(answer.name), sub, detail))


def _by_finish(answer: Answer) -> Found | None:
    """What the finish reason says.

    An answer whose reader went away ends with an error in some sources: with a text it is no failure.
    """
    known = _BY_FINISH.get(answer.finish_reason)
    if known is not None and (known[0] != "error" or (answer.parts is not None and not text_of(answer.parts))):
        return _found(answer, *known, detail=answer.finish_reason)
    # A source that says why the model stopped is believed, also where the answer is just as long as allowed.
    if not answer.finish_reason and answer.params and at_limit(answer.params, answer.tok_output or 0):
        return _found(answer, *_BY_FINISH["length"], detail="length")
    return None


def text_of(parts: Sequence[Value]) -> str | None:
    """The text parts, joined; None where there is none."""
    texts = [part.get("content") for part in parts if isinstance(part, dict) and part.get("type") == "text"]
    found = [text for text in texts if isinstance(text, str)]
    return "".join(found) if found else None


def _empty(answer: Answer) -> Found | None:
    """No text, no call, no medium.

    A stream without an end was cancelled. And of answers whose content was not recorded nothing can be said: so without
    any text the provider's count of tokens has to say that there was none.
    """
    if answer.streaming and not answer.finish_reason:
        return None
    parts = answer.parts or ()
    kinds = {part.get("type") for part in parts if isinstance(part, dict)}
    if kinds - {"text", "reasoning"}:
        return None
    text = text_of(parts)
    if text is None:
        if answer.tok_output is None or not answer.tok_input or answer.finish_reason == "tool_call":
            return None
        if answer.tok_output - (answer.tok_reasoning or 0) > _FEW_TOKENS:
            return None
    elif text.strip():
        return None
    thought = "reasoning" in kinds or bool(answer.tok_reasoning)
    return _found(answer, "empty", "reasoning" if thought else "", "Empty answer")


def _by_text(answer: Answer) -> Found | None:
    parts = answer.parts or ()
    text = text_of(parts)
    if text is None or any(isinstance(part, dict) and part.get("type") == "tool_call" for part in parts):
        return None
    form = asked_form(answer.params, answer.output_format)
    if not begins_json(text):
        declined = refusal(text.lstrip())
        if declined:
            return _found(answer, "refusal", declined, _REFUSALS[declined])
    reading: Reading = read_answer(text, asked=form.is_json)
    if reading.problem:
        return _found(answer, "invalid_json", reading.problem, _INVALID[reading.problem])
    wrong = violation(form.schema, reading.value) if reading.is_json else None
    if wrong is None:
        return None
    found = _found(answer, "schema_violation", "", "Answer does not fit its schema", f"{wrong.path} {wrong.keyword}")
    return found._replace(title=f"Answer does not fit its schema: {explained(wrong)}: {short(answer.name)}")
