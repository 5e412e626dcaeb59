"""The identity of scores that evaluators give; see docs/decisions/0012-evals.md."""

from hashlib import sha256


def score_id(
    *, project: str, trace_id: str, span_id: str = "", session_id: str = "", name: str, evaluator: str, version: str
) -> str:
    """The id of a score: the same for the same target, score name, evaluator and version, whoever computes it.

    So a run that is done again replaces its scores, and another version stands beside the first.

    Args:
        project: of the target.
        trace_id: 32 hex digits; "" for a session.
        span_id: 16 hex digits; "" for a whole trace or a session.
        session_id: "" for a span or a trace.
        name: of the score.
        evaluator: who gives it.
        version: of the evaluator.

    Returns:
        32 hex digits.
    """
    parts = (project, trace_id, span_id, session_id, name, evaluator, version)
    return sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
