"""Evaluation results to rows of `scores`."""

import re
from hashlib import sha256
from math import isfinite
from typing import Final, NamedTuple

from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from spanwise_collector.normalise.columns import Row
from spanwise_collector.normalise.context import Sender, cut
from spanwise_collector.normalise.limits import FUTURE_ALLOWANCE_US
from spanwise_collector.normalise.problems import Refused
from spanwise_collector.normalise.values import Value, clean, read_attributes, to_text
from spanwise_schemas import attributes as names

_SOURCES: Final = {"code": 1, "llm": 2, "judge": 2, "human": 3, "person": 3, "user": 4}
_TARGET_SPAN, _TARGET_TRACE, _TARGET_SESSION = 1, 2, 3
_SCORE_ID: Final = re.compile(r"[0-9a-fA-F]{32}")
_RESPONSE_ID: Final = names.RESPONSE_ID
_OFFSET_BITS: Final = 22
"""The version of a score is its record's time, then its offset: 4 million records in one millisecond would be needed to
wrap it."""


class Arrival(NamedTuple):
    """When and where a score came.

    Attributes:
        record_ms: the record's timestamp, milliseconds.
        offset: the record's offset.
    """

    record_ms: int
    offset: int


def read_score(entry: LogRecord, sender: Sender, arrival: Arrival) -> tuple[Row, list[str]]:
    """The row of one log record, and what was wrong with it.

    Raises:
        Refused: when it belongs nowhere or says nothing.
    """
    warnings: set[str] = set()
    attributes = read_attributes(entry.attributes, warnings)
    time_ns = entry.time_unix_nano or entry.observed_time_unix_nano
    row, notes = score_row(attributes, entry.trace_id, entry.span_id, time_ns, sender, arrival)
    return row, sorted(warnings | notes)


def score_row(
    attributes: dict[str, Value], trace_id: bytes, span_id: bytes, time_ns: int, sender: Sender, arrival: Arrival
) -> tuple[Row, set[str]]:
    """The row of a score, and what was wrong with it.

    Without an id of its own a score is known by what it says and when: the same score sent twice is one, a second
    opinion is another.

    Args:
        attributes: what it says.
        trace_id: of its target; empty or zeros for none.
        span_id: likewise.
        time_ns: when it was given, nanoseconds since the epoch; 0 where that is not known.
        sender: the resource.
        arrival: of its record.

    Raises:
        Refused: when it belongs nowhere or says nothing.
    """
    warnings: set[str] = set()
    is_deleted = attributes.get(names.SCORE_DELETED) is True
    name = cut(_text(attributes, names.SCORE_NAME), warnings)
    if not name:
        raise Refused("score_without_name")
    value, label = _value(attributes)
    if value is None and not label and not is_deleted:
        raise Refused("score_without_value", f"Score {name!r}:")
    trace_id, span_id = _ids(trace_id, span_id, name)
    session_id, response_id = _text(attributes, names.SESSION_ID), _text(attributes, _RESPONSE_ID)
    target = _target(trace_id, span_id, session_id, response_id, name)
    ts_us = _time(time_ns, arrival, warnings)
    evaluator = _text(attributes, names.SCORE_EVALUATOR)
    derived = (sender.project, trace_id.hex(), span_id.hex(), session_id, response_id, name, evaluator, str(ts_us))
    row: Row = (
        sender.project,
        _score_id(attributes, derived),
        target,
        trace_id,
        span_id,
        cut(session_id, warnings),
        cut(response_id, warnings),
        name,
        value,
        cut(label, warnings),
        _text(attributes, names.SCORE_EXPLANATION),
        _SOURCES.get(_text(attributes, names.SCORE_SOURCE).lower(), _SOURCES["code"]),
        cut(evaluator, warnings),
        cut(_text(attributes, names.SCORE_EVALUATOR_VERSION), warnings),
        ts_us,
        (arrival.record_ms << _OFFSET_BITS) | (arrival.offset & ((1 << _OFFSET_BITS) - 1)),
        int(is_deleted),
        0,
        bytes(16),
        _inclusion(attributes, warnings),
        cut(_text(attributes, names.SCORE_STRATUM), warnings),
    )
    return row, warnings


def _text(attributes: dict[str, Value], name: str) -> str:
    value = attributes.get(name)
    return "" if value is None else to_text(value)


def _value(attributes: dict[str, Value]) -> tuple[float | None, str]:
    """Value and label; a boolean is 1 or 0 and, where no label is given, labelled `true` or `false`."""
    value, label = attributes.get(names.SCORE_VALUE), _text(attributes, names.SCORE_LABEL)
    if isinstance(value, bool):
        return float(value), label or to_text(value)
    if not isinstance(value, int | float | str):
        return None, label
    try:
        number = float(value)
    except ValueError:
        return None, label or to_text(value)
    return (number if isfinite(number) else None), label


def _inclusion(attributes: dict[str, Value], warnings: set[str]) -> float:
    """The probability with which the target was chosen; 1 where nothing, or nothing possible, is said."""
    told = attributes.get(names.SCORE_INCLUSION)
    if told is None:
        return 1.0
    try:
        found = float(told) if isinstance(told, int | float | str) and not isinstance(told, bool) else 0.0
    except ValueError:
        found = 0.0
    if 0 < found <= 1:
        return found
    warnings.add("bad_inclusion")
    return 1.0


def _ids(trace_id: bytes, span_id: bytes, name: str) -> tuple[bytes, bytes]:
    trace_id, span_id = trace_id or bytes(16), span_id or bytes(8)
    if len(trace_id) != 16:
        raise Refused("bad_trace_id", f"Trace id {trace_id[:24].hex()} of score {name!r}:")
    if len(span_id) != 8:
        raise Refused("bad_span_id", f"Span id {span_id[:24].hex()} of score {name!r}:")
    return trace_id, span_id


def _target(trace_id: bytes, span_id: bytes, session_id: str, response_id: str, name: str) -> int:
    if any(trace_id):
        return _TARGET_SPAN if any(span_id) else _TARGET_TRACE
    if response_id:
        return _TARGET_SPAN
    if session_id:
        return _TARGET_SESSION
    raise Refused("score_without_target", f"Score {name!r}:")


def _time(time_ns: int, arrival: Arrival, warnings: set[str]) -> int:
    found = time_ns // 1000
    if not found:
        return arrival.record_ms * 1000
    if found > arrival.record_ms * 1000 + FUTURE_ALLOWANCE_US:
        warnings.add("time_in_future")
        return arrival.record_ms * 1000
    return found


def _score_id(attributes: dict[str, Value], derived: tuple[str, ...]) -> bytes:
    given = _text(attributes, names.SCORE_ID)
    if not given:
        return sha256("\0".join(derived).encode()).digest()[:16]
    if not _SCORE_ID.fullmatch(given):
        raise Refused("bad_score_id", f"{clean(given[:64], set())!r}:")
    return bytes.fromhex(given)
