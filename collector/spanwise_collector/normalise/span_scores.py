"""Scores that a span carries: `gen_ai.evaluation.result` events, and OpenInference's evaluation attributes.

A score that is given after its span has ended travels on a span of its own, which has one link to the span that is
scored (OpenInference, "Post-Hoc Feedback"); any other span's scores are its own.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from spanwise_collector.normalise.columns import Row
from spanwise_collector.normalise.evaluations import Evaluation, evaluations_of
from spanwise_collector.normalise.lazy import LazySpan
from spanwise_collector.normalise.limits import MAX_EVENTS
from spanwise_collector.normalise.plan import SLOT
from spanwise_collector.normalise.problems import Refused
from spanwise_collector.normalise.scores import Arrival, score_row
from spanwise_collector.normalise.values import Value, read_attributes
from spanwise_collector.normalise.where import Where
from spanwise_schemas import attributes as names

if TYPE_CHECKING:
    from spanwise_collector.normalise.front import Filled

_SESSION: Final = SLOT["session_id"]
_NO_TRACE: Final = bytes(16)
_NO_SPAN: Final = bytes(8)


def scores_of_span(span: LazySpan, filled: "Filled", where: Where, warnings: set[str]) -> list[Row]:
    """Rows of `scores` that a span carries.

    Args:
        span: as decoded; its ids are whole.
        filled: its attributes, as they were read.
        where: its record and resource.
        warnings: receives what was wrong; a score that belongs nowhere or says nothing is left out with `bad_score`.
    """
    _, _, _, _, offset = where.tail
    arrival = Arrival(where.record_ms, offset)
    rows: list[Row] = []
    for trace_id, span_id, time_ns, told in _told(span, filled):
        try:
            row, notes = score_row(told, trace_id, span_id, time_ns, where.sender, arrival)
        except Refused:
            warnings.add("bad_score")
            continue
        warnings.update(notes)
        rows.append(row)
    return rows


def _told(span: LazySpan, filled: "Filled") -> Iterator[tuple[bytes, bytes, int, dict[str, Value]]]:
    """Of each score the target's ids, its time in nanoseconds, and what it says, named as in a log record."""
    trace_id, span_id = _target(span)
    for event in span.events[:MAX_EVENTS]:
        if event.name == names.SCORE_EVENT:
            yield trace_id, span_id, event.time_unix_nano, read_attributes(event.attributes, set())
    if not filled.plan.tells_scores:
        return
    session = filled.values[_SESSION] or ""
    for one in evaluations_of(*filled.rest):
        told = _named(one)
        if one.scope == "session":
            target = (_NO_TRACE, _NO_SPAN)
            told[names.SESSION_ID] = session
        else:
            target = (trace_id, _NO_SPAN if one.scope else span_id)
        # Its place in the list names nothing, so a result is known by its target, name and identifier; without one,
        # by the span that carries it.
        parts = (*(part.hex() for part in target), session, one.name, one.identifier or span.span_id.hex())
        told[names.SCORE_ID] = sha256("\0".join(parts).encode()).hexdigest()[:32]
        yield *target, span.end_time_unix_nano or span.start_time_unix_nano, told


def _target(span: LazySpan) -> tuple[bytes, bytes]:
    if len(span.links) == 1:
        link = span.links[0]
        if len(link.trace_id) == 16 and len(link.span_id) == 8 and any(link.trace_id) and any(link.span_id):
            return link.trace_id, link.span_id
    return span.trace_id, span.span_id


def _named(one: Evaluation) -> dict[str, Value]:
    told: dict[str, Value] = {
        names.SCORE_NAME: one.name,
        names.SCORE_SOURCE: one.source,
        names.SCORE_LABEL: one.label,
        names.SCORE_EXPLANATION: one.explanation,
        names.SCORE_EVALUATOR: one.identifier,
    }
    if one.score:
        told[names.SCORE_VALUE] = one.score
    return told
