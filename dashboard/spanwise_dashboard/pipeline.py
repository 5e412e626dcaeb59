"""The state of the pipeline in words. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

from spanwise_dashboard.format import count, duration, plural
from spanwise_schemas.api import Pipeline

BEHIND_MS: Final = 30_000.0
"""Ten times the promised freshness: from here on it is worth a warning."""

_REMEDIES: Final[dict[str, str]] = {
    "not_protobuf": "The record is not OTLP protobuf. Set the exporter's encoding to otlp_proto, and look for other "
    "programs that write to this topic.",
    "empty": "The record is empty. Look for a program that writes keys without values to this topic.",
    "too_large": "The record is larger than the limit. Send smaller batches, or cut large inputs and outputs.",
    "bad_trace_id": "A trace id must be 16 bytes and not all zero. Use an OpenTelemetry SDK's id generator.",
    "bad_span_id": "A span id must be 8 bytes and not all zero. Use an OpenTelemetry SDK's id generator.",
    "bad_time": "The start is missing or after the end. Times are nanoseconds since 1970, UTC: check the unit.",
    "too_old": "The span is older than the retention time. Raise SPANWISE_RETENTION_DAYS before sending history.",
    "in_future": "The span lies in the future. Check the clock of the sending machine.",
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
    arrived = f"{plural(totals.emitted, 'item')} that arrived"
    if totals.rejected or totals.duplicates:
        stored = totals.stored + totals.scores
        sentence = f"Of {arrived}, {count(stored)} {'is' if stored == 1 else 'are'} stored; {waiting} waiting."
    else:
        sentence = f"All {arrived} are stored; {waiting} waiting."
        if totals.emitted == 1:
            sentence = f"The one item that arrived is stored; {waiting} waiting."
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
        found.append(f"{plural(totals.rejected, 'item')} rejected; the table below says why.")
    if totals.duplicates:
        found.append(f"{plural(totals.duplicates, 'duplicate')} left out: sent twice, stored once.")
    if totals.dropped:
        found.append(
            f"{plural(totals.dropped, 'item')} dropped at the source: its queue was full or Kafka out of reach."
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
