"""The state of the pipeline in words. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

from spanwise_dashboard.format import count, duration, plural
from spanwise_schemas.api import Pipeline

BEHIND_MS: Final = 30_000.0
"""Ten times the promised freshness: from here on it is worth a warning."""

_REMEDIES: Final[dict[str, str]] = {
    "empty": "The record has no value. See which other program writes to this topic.",
    "too_large": "The record is larger than the limit. Let the exporter send smaller batches, or cut large inputs.",
    "truncated": "The record ends in the middle. Look for a proxy or a producer that cuts messages.",
    "not_protobuf": "The record is not OTLP protobuf. Set the exporter's encoding to otlp_proto, not JSON.",
    "no_items": "The record holds no spans and no log records. See which other program writes to this topic.",
    "bad_record_time": "The record has no usable time. Set message.timestamp.type=LogAppendTime on the topic.",
    "bad_item": "One item's bytes cannot be read; those beside it are stored. Update the program that sent it.",
    "bad_trace_id": "A trace id is 16 bytes, not all zero. Use the id generator of an OpenTelemetry SDK.",
    "bad_span_id": "A span id is 8 bytes, not all zero. Use the id generator of an OpenTelemetry SDK.",
    "no_time": "The span has neither start nor end. Set its times in nanoseconds since 1970.",
    "too_old": "The span is older than the retention time. Raise SPANWISE_RETENTION_DAYS before sending history.",
    "unknown_event": "Of log records, scores and message content of model calls are stored. Send others elsewhere.",
    "content_without_span": "A log record with message content needs the trace id and span id of its call.",
    "score_without_name": "A score needs the attribute gen_ai.evaluation.name.",
    "score_without_value": "A score needs a finite gen_ai.evaluation.score.value or a label.",
    "score_without_target": "A score needs a trace id, a gen_ai.response.id or a session.id to belong to.",
    "bad_score_id": "spanwise.score.id is 32 hex digits; leave it out to get one.",
    "refused_by_store": "The tables refused the row. The collector's log has the reason; please report it.",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state in a sentence, with what deserves a look."""

    tone: Literal["good", "warn", "bad", "idle"]
    sentence: str
    details: tuple[str, ...] = ()


def verdict(pipeline: Pipeline) -> Verdict:
    """Says whether all that arrived is stored, and what is not."""
    totals = pipeline.totals
    paused = [each for each in pipeline.partitions if each.paused_reason]
    if not totals.emitted and not totals.dropped and not totals.lag:
        return Verdict("idle", "Nothing has arrived in this time range.", tuple(_paused(pipeline)))
    waiting = "an unknown number of records is" if totals.lag is None else _are(totals.lag, "record")
    arrived = f"{count(totals.emitted)} spans and scores that arrived"
    if totals.rejected or totals.duplicates or totals.erased:
        stored = totals.stored
        sentence = f"Of {arrived}, {count(stored)} {'is' if stored == 1 else 'are'} stored; {waiting} waiting."
    else:
        sentence = f"All {arrived} are stored; {waiting} waiting."
        if totals.emitted == 1:
            sentence = f"The one span that arrived is stored; {waiting} waiting."
    lost = totals.dropped or any(each.missing_records for each in pipeline.producers)
    late = totals.freshness_ms is not None and totals.freshness_ms > BEHIND_MS
    tone: Literal["good", "warn", "bad"] = "bad" if paused else "warn" if totals.rejected or lost or late else "good"
    return Verdict(tone, sentence, (*_paused(pipeline), *_losses(pipeline), *_lateness(pipeline)))


def remedy(reason: str) -> str:
    """What to do about a reject reason."""
    return _REMEDIES.get(
        reason,
        "The headers of the records in the topic spanwise_rejects say which record it was and what is wrong with it.",
    )


def _are(number: int, noun: str) -> str:
    return f"{plural(number, noun)} {'is' if number == 1 else 'are'}"


def _paused(pipeline: Pipeline) -> list[str]:
    paused = sum(bool(each.paused_reason) for each in pipeline.partitions)
    if not paused:
        return []
    waits = "partition waits" if paused == 1 else "partitions wait"
    return [f"{paused} {waits}: hover over “paused” below for the reason. Nothing is lost meanwhile, Kafka keeps it."]


def _losses(pipeline: Pipeline) -> list[str]:
    totals = pipeline.totals
    found = []
    if totals.rejected:
        found.append(
            f"{plural(totals.rejected, 'span or score', 'spans or scores')} rejected; the table below says why."
        )
    if totals.duplicates:
        found.append(f"{plural(totals.duplicates, 'duplicate')} left out: sent twice, stored once.")
    if totals.erased:
        found.append(
            f"{plural(totals.erased, 'span or score', 'spans or scores')} left out: erased before it came again."
        )
    if totals.dropped:
        found.append(
            f"{plural(totals.dropped, 'span or score', 'spans or scores')} dropped at the source: "
            "its queue was full, or Kafka out of reach."
        )
    missing = sum(each.missing_records for each in pipeline.producers)
    if missing:
        found.append(
            f"{plural(missing, 'record')} missing in the producers' numbering: on their way, or lost before Kafka."
        )
    return found


def _lateness(pipeline: Pipeline) -> list[str]:
    freshness = pipeline.totals.freshness_ms
    if freshness is None or freshness <= BEHIND_MS:
        return []
    return [f"Records are {duration(freshness)} old when they are stored: the collector is behind. Add a collector."]
