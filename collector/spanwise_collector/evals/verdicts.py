"""A judge's answer to verdicts: lenient about wrapping, strict about what is said. Pure.

Nothing is guessed: an answer that lacks a verdict, or has one that is not on the scale, is an error and no score.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from spanwise_collector.evals.prompt import FAIL, PASS, Scale, key_of
from spanwise_collector.evals.rubric import Rubric

MAX_REASON: Final = 2_000
_FENCE: Final = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)
_TRUTH: Final[Mapping[bool, str]] = {True: PASS, False: FAIL}
AnswerClass = Literal["not_json", "wrong_shape", "refused", "truncated"]


class AnswerError(ValueError):
    """The endpoint's answer holds no verdict.

    Attributes:
        kind: class of the error.
    """

    def __init__(self, kind: AnswerClass, detail: str) -> None:
        super().__init__(detail)
        self.kind: AnswerClass = kind


@dataclass(frozen=True, slots=True)
class CriterionVerdict:
    """What a judge says of one criterion.

    Attributes:
        key: of the criterion.
        verdict: one of the scale's.
        reason: why.
    """

    key: str
    verdict: str | int
    reason: str


@dataclass(frozen=True, slots=True)
class Completion:
    """What of a chat completion matters.

    Attributes:
        text: what the model wrote.
        model: that answered, by the endpoint's word.
        input_tokens: None where the endpoint does not say how many there were.
        output_tokens: likewise.
        cached_tokens: of the input.
        reasoning_tokens: of the output.
        problem: why the text cannot be used, if so.
    """

    text: str
    model: str
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    problem: AnswerError | None = None


def read_completion(body: bytes) -> Completion:
    """A chat completion as an endpoint sends it; usage is read even where the answer cannot be used.

    Raises:
        AnswerError: it is none at all.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise AnswerError("not_json", f"the endpoint's answer is not JSON: {_begin(body)}") from None
    if not isinstance(found, dict):
        raise AnswerError("wrong_shape", f"the endpoint's answer is no object: {_begin(body)}")
    usage = found.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    details_in, details_out = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    text, problem = _message(found)
    return Completion(
        text=text,
        model=model if isinstance(model := found.get("model"), str) else "",
        input_tokens=_count(usage.get("prompt_tokens")),
        output_tokens=_count(usage.get("completion_tokens")),
        cached_tokens=(_count(details_in.get("cached_tokens")) if isinstance(details_in, dict) else None) or 0,
        reasoning_tokens=(_count(details_out.get("reasoning_tokens")) if isinstance(details_out, dict) else None) or 0,
        problem=problem,
    )


def read_verdicts(text: str, rubric: Rubric, scale: Scale) -> tuple[CriterionVerdict, ...]:
    """The verdicts in what a model wrote, one per criterion, in the rubric's order.

    Fences and words around the one JSON object are allowed, as are other cases of a verdict's letters, and grades as
    text.

    Raises:
        AnswerError: there is no such object, or a verdict is missing or not on the scale.
    """
    found = _object(text)
    verdicts = []
    for criterion in rubric.criteria:
        key = key_of(criterion)
        said = found.get(key)
        if said is None and len(rubric.criteria) == 1 and "verdict" in found:
            said = found  # many models leave the only key out
        if not isinstance(said, dict):
            raise AnswerError("wrong_shape", f"the judge's answer has no object {key!r}: {_begin(text)}")
        reason = said.get("reason")
        if not isinstance(reason, str) or not reason.strip():
            raise AnswerError("wrong_shape", f"the judge gave no reason for {key!r}: {_begin(text)}")
        verdict = _verdict(said.get("verdict"), scale)
        if verdict is None:
            raise AnswerError("wrong_shape", f"{said.get('verdict')!r:.80} is no verdict for {key!r}")
        verdicts.append(CriterionVerdict(key, verdict, reason.strip()[:MAX_REASON]))
    return tuple(verdicts)


def value_of(verdict: str | int, scale: Scale) -> tuple[float, str]:
    """Value from 0 (worst) to 1 (best) and label of a binary or graded verdict."""
    if scale.kind == "graded":
        return (int(verdict) - 1) / (scale.grades - 1), f"{verdict}/{scale.grades}"
    return float(verdict == PASS), str(verdict)


def _message(found: Mapping[str, Any]) -> tuple[str, AnswerError | None]:
    choices = found.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return "", AnswerError("wrong_shape", "the endpoint's answer has no choices with a message")
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        return "", AnswerError("refused", f"the model refused: {_begin(refusal)}")
    finish = choice.get("finish_reason")
    content = message.get("content")
    text = content if isinstance(content, str) else ""
    if finish == "content_filter":
        return text, AnswerError("refused", "the endpoint's content filter stopped the answer")
    if finish == "length":
        return text, AnswerError("truncated", "the answer was cut; raise the judge's max_tokens")
    if not text.strip():
        return "", AnswerError("wrong_shape", "the endpoint's message has no text")
    return text, None


def _object(text: str) -> Mapping[str, Any]:
    stripped = text.strip()
    fences = _FENCE.findall(stripped)
    candidate = fences[0] if len(fences) == 1 else stripped
    start = candidate.find("{")
    if start < 0:
        raise AnswerError("not_json", f"the judge wrote no JSON object: {_begin(text)}")
    try:
        found, end = json.JSONDecoder().raw_decode(candidate, start)
    except (ValueError, RecursionError):
        raise AnswerError("not_json", f"the judge's JSON is broken: {_begin(text)}") from None
    if "{" in candidate[end:]:
        raise AnswerError("wrong_shape", f"the judge wrote more than one JSON object: {_begin(text)}")
    if not isinstance(found, dict):
        raise AnswerError("wrong_shape", f"the judge's answer is no object: {_begin(text)}")
    return found


def _verdict(said: Any, scale: Scale) -> str | int | None:
    if scale.kind == "graded":
        if isinstance(said, str) and said.strip().isascii() and said.strip().isdecimal():
            said = int(said.strip()[:4])
        if isinstance(said, float) and said.is_integer():
            said = int(said)
        return said if isinstance(said, int) and not isinstance(said, bool) and said in scale.verdicts else None
    if scale.kind == "binary" and isinstance(said, bool):
        return _TRUTH[said]
    word = said.strip().lower() if isinstance(said, str) else None
    return word if word in scale.verdicts else None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**40 else None


def _begin(text: str | bytes) -> str:
    said = text[:400].decode("utf-8", "replace") if isinstance(text, bytes) else text[:400]
    return " ".join(said.split())[:160]
