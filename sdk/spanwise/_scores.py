"""Scores: user feedback and checks, sent as `gen_ai.evaluation.result` events."""

from dataclasses import dataclass, field
from typing import Any, Literal

from opentelemetry import trace

from spanwise._capture import clip
from spanwise._context import carried
from spanwise._guard import guard
from spanwise._runtime import state
from spanwise_schemas import attributes as names

ScoreSource = Literal["code", "llm", "judge", "human", "person", "user"]
Target = Literal["span", "trace", "session"]


@dataclass(frozen=True, slots=True)
class Score:
    """One score on its way.

    Attributes:
        trace_id: 16 bytes of the target; empty for a session.
        span_id: 8 bytes; empty for a whole trace or a session.
        time_ns: when it was given, nanoseconds since the epoch.
        attributes: everything else, see `spanwise_schemas.attributes`.
    """

    trace_id: bytes
    span_id: bytes
    time_ns: int
    attributes: dict[str, str | float] = field(default_factory=dict)


def send_score(
    name: str,
    value: float | bool | str,
    *,
    trace_id: str | None = None,
    span_id: str | None = None,
    session_id: str | None = None,
    target: Target | None = None,
    label: str | None = None,
    explanation: str | None = None,
    source: ScoreSource = "code",
    evaluator: str | None = None,
    evaluator_version: str | None = None,
    score_id: str | None = None,
    time_ns: int | None = None,
    inclusion_probability: float | None = None,
    stratum: str | None = None,
) -> str:
    """Score a span, a trace or a session. A score may be sent before its span has arrived, and long after.

    Args:
        name: what is scored, "helpfulness" for example.
        value: a number, True or False (1 or 0), or a label such as "good".
        trace_id: 32 hex digits of the trace to score. Not given: the current span.
        span_id: 16 hex digits of the span in it; not given, the whole trace is scored.
        session_id: the session to score instead.
        target: with no ids given, what to score of what is current: the "span" (default), its "trace", or the
            "session".
        label: a word beside a number.
        explanation: why.
        source: who says so: "code", "llm" or "judge" (a model), "human" or "person" (a reviewer), or "user" (of your
            application).
        evaluator: name of the check or judge.
        evaluator_version: its version.
        score_id: 32 hex digits; sending the same id again replaces the score. Not given: a new one.
        time_ns: nanoseconds since the epoch; not given: now.
        inclusion_probability: above 0, at most 1: with which the target was chosen, where only some are scored; means
            are weighted by its inverse. Not given: 1.
        stratum: out of which it was chosen.

    Returns:
        The score's id; empty when Spanwise is not set up.
    """
    runtime = state.runtime
    if runtime is None:
        return ""
    score_id = score_id or runtime.new_score_id()
    try:
        where = _target(trace_id, span_id, session_id, target)
        if where is None:
            guard.report(f"send score {name!r}", LookupError("no span is current; give trace_id or session_id"))
            return score_id
        found = attributes_of(
            name, value, label=label, explanation=explanation, source=source, limit=runtime.max_content_bytes
        )
        found[names.SCORE_ID] = score_id
        if evaluator is not None:
            found[names.SCORE_EVALUATOR] = str(evaluator)
        if evaluator_version is not None:
            found[names.SCORE_EVALUATOR_VERSION] = str(evaluator_version)
        if inclusion_probability is not None:
            found[names.SCORE_INCLUSION] = _probability(inclusion_probability)
        if stratum is not None:
            found[names.SCORE_STRATUM] = str(stratum)
        if where.session is not None:
            found[names.SESSION_ID] = where.session
        runtime.sink.score(Score(where.trace_id, where.span_id, time_ns or runtime.now_ns(), found))
    except Exception as error:  # ids that are no hex digits, say
        guard.report(f"send score {name!r}", error)
    return score_id


@dataclass(frozen=True, slots=True)
class _Where:
    trace_id: bytes = b""
    span_id: bytes = b""
    session: str | None = None


def _target(trace_id: str | None, span_id: str | None, session_id: str | None, target: Target | None) -> _Where | None:
    if trace_id is not None:
        return _Where(_id_bytes(trace_id, 16), b"" if span_id is None else _id_bytes(span_id, 8))
    if session_id is not None:
        return _Where(session=str(session_id))
    if target == "session":
        current = (carried() or {}).get(names.SESSION_ID)
        return None if current is None else _Where(session=str(current))
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    whole = target == "trace"
    return _Where(context.trace_id.to_bytes(16, "big"), b"" if whole else context.span_id.to_bytes(8, "big"))


def _id_bytes(text: str, length: int) -> bytes:
    data = bytes.fromhex(text)
    if len(data) != length or not any(data):
        raise ValueError(f"an id of {length * 2} hex digits is needed, not all zero; got {text!r}")
    return data


def _probability(told: float) -> float:
    if not 0 < told <= 1:
        raise ValueError(f"inclusion_probability is above 0 and at most 1; got {told!r}")
    return float(told)


def attributes_of(
    name: str, value: Any, *, label: str | None, explanation: str | None, source: str, limit: int
) -> dict[str, str | float]:
    """The attributes of a score.

    Args:
        name: what is scored.
        value: a number or a label.
        label: beside a number.
        explanation: why.
        source: who says so.
        limit: longest explanation in bytes.
    """
    found: dict[str, str | float] = {names.SCORE_NAME: str(name), names.SCORE_SOURCE: source}
    if isinstance(value, str):
        found[names.SCORE_LABEL] = value
    else:
        found[names.SCORE_VALUE] = float(value)
    if label is not None:
        found[names.SCORE_LABEL] = str(label)
    if explanation is not None:
        found[names.SCORE_EXPLANATION] = clip(str(explanation), limit)[0]
    return found
