"""What can be wrong with data and how it is treated: the stable codes that users see, each with its sentence.

A refusal keeps an item out of the tables (its bytes go to the topic spanwise_rejects); a warning stores it, repaired or
as it is, and says so in the column `warnings`. docs/rejects.md is written from these two tables.
"""

from collections.abc import Mapping
from typing import Final

REFUSALS: Final[Mapping[str, str]] = {
    "empty": "The record has no value. Producers of OTLP never send one; see what else writes to this topic.",
    "too_large": "The record is larger than the limit. Let the exporter send smaller batches.",
    "truncated": "The record ends in the middle of an OTLP message. Look for a proxy or a producer that cuts messages.",
    "not_protobuf": "The value is not OTLP protobuf. Set the exporter's encoding to otlp_proto, not JSON.",
    "no_items": "The record is readable but holds no spans or log records; it may be another kind of message.",
    "bad_record_time": "The record has no usable timestamp. Set message.timestamp.type=LogAppendTime on the topic.",
    "bad_item": "This item's bytes cannot be read; the items beside it were stored.",
    "bad_trace_id": "A trace id is 16 bytes that are not all zero.",
    "bad_span_id": "A span id is 8 bytes that are not all zero.",
    "no_time": "The span has neither a start nor an end time.",
    "too_old": "The span started before the retention period, so it would be deleted at once.",
    "unknown_event": "Of log records, scores (gen_ai.evaluation.result) and message content of model calls are stored.",
    "content_without_span": "A log record with message content needs the trace id and span id of its call.",
    "score_without_name": "A score needs the attribute gen_ai.evaluation.name.",
    "score_without_value": "A score needs a finite gen_ai.evaluation.score.value or a gen_ai.evaluation.score.label.",
    "score_without_target": "A score needs a trace id, a gen_ai.response.id or a session.id to belong to.",
    "bad_score_id": "spanwise.score.id is 32 hex digits.",
}
"""Refusals: code to what it means and what to do."""

WARNINGS: Final[Mapping[str, str]] = {
    "attribute_cut": "An attribute's name or value was longer than the limit and was cut.",
    "attributes_dropped": "There were more attributes than the limit; the last ones were dropped.",
    "bad_cost": "A reported cost was negative or not a number; it was left among the attributes.",
    "bad_duration": "A time to first token was negative or not a number; it was left among the attributes.",
    "bad_kind": "The span kind is no word that is known; it was left among the attributes.",
    "bad_parent_id": "The parent span id was not 8 bytes; the span is shown as a root.",
    "bad_token_count": "A token count was negative, too large or no number: left as attribute, no cost computed.",
    "cache_exceeds_input": "More cached than input tokens, which include them: stored as sent, no cost computed.",
    "duplicate_attribute": "An attribute came more than once; the last value was kept.",
    "end_before_start": "The end time was before the start time; the duration was set to zero.",
    "events_dropped": "There were more events and links than the limit; the last ones were dropped.",
    "field_cut": "A name or id was longer than the limit and was cut.",
    "invalid_utf8": "Text was not valid UTF-8; each wrong sequence became U+FFFD.",
    "no_end_time": "The span has no end time; the duration was set to zero.",
    "no_start_time": "The span has no start time; its end time was taken.",
    "nul_replaced": "Text held NUL characters; each became U+FFFD.",
    "project_cut": "The project name had characters or a length that is not allowed; it was cleaned.",
    "self_parent": "The span named itself as its parent; it is shown as a root.",
    "time_in_future": "The time was later than the record that carried it; it was set to the record's time.",
    "value_too_deep": "A value was nested deeper than the limit; the inner part was replaced by a note.",
}
"""Warnings: code to how the data was treated."""


class Refused(ValueError):  # noqa: N818 - it is an outcome of validation, not a fault of the program
    """An item that cannot be stored.

    Attributes:
        reason: a key of `REFUSALS`.
        detail: one sentence with the value that was found and the remedy.
    """

    def __init__(self, reason: str, found: str = "") -> None:
        self.reason = reason
        self.detail = f"{found} {REFUSALS[reason]}".strip()
        super().__init__(self.detail)
