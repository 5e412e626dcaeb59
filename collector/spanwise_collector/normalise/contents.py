"""Log records with message content to rows of `span_content`; what is read joins them to their span."""

from hashlib import sha256
from typing import Final

from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from spanwise_collector.ingest.records import Record
from spanwise_collector.normalise.columns import Row
from spanwise_collector.normalise.content_events import SIDES, pieces_of
from spanwise_collector.normalise.context import Sender
from spanwise_collector.normalise.limits import FUTURE_ALLOWANCE_US
from spanwise_collector.normalise.problems import Refused
from spanwise_collector.normalise.values import read_attributes, read_value

_SIDE_NUMBER: Final = {side: number for number, side in enumerate(SIDES, 1)}
_HASH_BITS: Final = 54
_DAY_NS: Final = 86_400_000_000_000


def event_name(entry: LogRecord) -> str:
    """The name of the event that a log record is; "" for other log records."""
    if entry.event_name:
        return entry.event_name
    # Before OTLP 1.5 the name was an attribute.
    return next((one.value.string_value for one in entry.attributes if one.key == "event.name"), "")


def read_contents(
    entry: LogRecord, event: str, sender: Sender, record: Record, retention_days: int
) -> tuple[list[Row], list[str]]:
    """The rows of one log record, and what was wrong with it.

    Args:
        entry: the log record.
        event: its name, one of `content_events.EVENTS`.
        sender: the resource.
        record: the Kafka record.
        retention_days: how long spans are kept.

    Raises:
        Refused: when it names no span, or comes too late.
    """
    if len(entry.trace_id) != 16 or len(entry.span_id) != 8:
        raise Refused("content_without_span", f"Event {event!r}:")
    warnings: set[str] = set()
    time_ns = entry.time_unix_nano or entry.observed_time_unix_nano or record.timestamp_ms * 1_000_000
    if time_ns > record.timestamp_ms * 1_000_000 + FUTURE_ALLOWANCE_US * 1000:
        warnings.add("time_in_future")
        time_ns = record.timestamp_ms * 1_000_000
    if time_ns < record.timestamp_ms * 1_000_000 - retention_days * _DAY_NS:
        raise Refused("too_old", f"Event {event!r}:")
    attributes = read_attributes(entry.attributes, warnings)
    body = read_value(entry.body, warnings) if entry.HasField("body") else None
    rows: list[Row] = [
        (
            sender.project,
            entry.trace_id,
            entry.span_id,
            time_ns // 1000,
            _SIDE_NUMBER[piece.side],
            _sequence(time_ns, piece.text),
            event,
            piece.text,
            record.timestamp_ms,
        )
        for piece in pieces_of(event, attributes, body)
    ]
    return rows, sorted(warnings)


def _sequence(time_ns: int, text: str) -> int:
    """Order among pieces of one microsecond, by nanosecond; of the same piece sent twice one is kept."""
    return (time_ns % 1000) << _HASH_BITS | int.from_bytes(sha256(text.encode()).digest()[:8], "big") >> 64 - _HASH_BITS
