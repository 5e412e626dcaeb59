"""Whether a span can be stored at all: its ids and times."""

from typing import Final

from spanwise_collector.normalise.lazy import LazySpan
from spanwise_collector.normalise.problems import Refused
from spanwise_collector.normalise.where import Where

NO_PARENT: Final = bytes(8)
_NO_TRACE: Final = bytes(16)


def ids_of(span: LazySpan) -> tuple[bytes, bytes]:
    """Trace id and span id.

    Raises:
        Refused: when one of them is none.
    """
    trace_id, span_id = span.trace_id, span.span_id
    if len(trace_id) != 16 or trace_id == _NO_TRACE:
        raise Refused("bad_trace_id", f"Trace id {trace_id[:24].hex() or 'empty'} of span {span.name[:64]!r}:")
    if len(span_id) != 8 or span_id == NO_PARENT:
        raise Refused("bad_span_id", f"Span id {span_id[:24].hex() or 'empty'} of span {span.name[:64]!r}:")
    return trace_id, span_id


def times_of(span: LazySpan, where: Where, warnings: set[str]) -> tuple[int, int]:
    """Start in microseconds since the epoch and duration in microseconds, both fit to be stored.

    Raises:
        Refused: without any time, or before the retention.
    """
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    if where.oldest_ns <= start <= end <= where.latest_ns:
        return start // 1000, (end - start) // 1000
    if not start:
        if not end:
            raise Refused("no_time", f"Span {span.name[:64]!r}:")
        warnings.add("no_start_time")
        start = end
    if not end:
        warnings.add("no_end_time")
        end = start
    elif end < start:
        warnings.add("end_before_start")
        end = start
    if end > where.latest_ns:
        warnings.add("time_in_future")
        end = where.record_ms * 1_000_000
        start = min(start, end)
    if start < where.oldest_ns:
        days = (where.record_ms * 1_000_000 - start) // 86_400_000_000_000
        raise Refused(
            "too_old",
            f"Span {span.name[:64]!r} started {days} days before its record, retention is {where.tail[0]} days.",
        )
    return start // 1000, (end - start) // 1000


def parent_of(span: LazySpan, warnings: set[str]) -> bytes:
    """Id of the parent; eight zero bytes for a root."""
    parent = span.parent_span_id
    if not parent:
        return NO_PARENT
    if len(parent) != 8:
        warnings.add("bad_parent_id")
        return NO_PARENT
    if parent == span.span_id:
        warnings.add("self_parent")
        return NO_PARENT
    return parent
