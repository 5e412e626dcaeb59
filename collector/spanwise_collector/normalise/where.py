"""Where a span stood: what its record, resource and scope say for all spans beside it."""

from dataclasses import dataclass

from spanwise_collector.normalise.columns import Pairs
from spanwise_collector.normalise.context import Scope, Sender
from spanwise_collector.normalise.limits import FUTURE_ALLOWANCE_US


@dataclass(frozen=True, slots=True)
class Where:
    """Where a span stood: its record, resource and scope. Made once for all spans of a scope.

    Attributes:
        sender: the resource.
        scope: the instrumentation scope.
        attributes: what both keep beside their columns.
        warnings: of both.
        record_ms: the record's timestamp.
        oldest_ns: start times before this are refused.
        latest_ns: times after this are set to the record's.
        tail: the row's last columns: retention, record time, topic, partition, offset.
    """

    sender: Sender
    scope: Scope
    attributes: Pairs
    warnings: frozenset[str]
    record_ms: int
    oldest_ns: int
    latest_ns: int
    tail: tuple[int, int, str, int, int]


def stand(
    sender: Sender, scope: Scope, *, record_ms: int, retention_days: int, topic: str, partition: int, offset: int
) -> Where:
    """The place of all spans of one scope in one record."""
    return Where(
        sender,
        scope,
        (sender.attributes[0] + scope.attributes[0], sender.attributes[1] + scope.attributes[1]),
        sender.warnings | scope.warnings,
        record_ms,
        (record_ms - retention_days * 86_400_000) * 1_000_000,
        record_ms * 1_000_000 + FUTURE_ALLOWANCE_US * 1000,
        (retention_days, record_ms, topic, partition, offset),
    )
