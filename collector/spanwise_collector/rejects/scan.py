"""Choosing refusals: from the newest back, as far as is asked for, never with all bytes in memory."""

import heapq
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from spanwise_collector.ingest.source import LogRange
from spanwise_collector.rejects.log import RejectLog
from spanwise_collector.rejects.model import Refusal, read_refusal

WINDOW: Final = 500
"""Offsets that are read at a time."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which refusals are meant.

    Attributes:
        reasons: codes; empty for all.
        since_ms: refused at this time or later, milliseconds since the epoch; None for all.
    """

    reasons: Collection[str] = ()
    since_ms: int | None = None

    def takes(self, refusal: Refusal) -> bool:
        """Whether a refusal is meant."""
        return (not self.reasons or refusal.reason in self.reasons) and (
            self.since_ms is None or refusal.refused_ms >= self.since_ms
        )


def newest_first(log: RejectLog, since_ms: int | None = None) -> Iterator[Refusal]:
    """Refusals of all partitions, the newest first.

    Args:
        log: the rejects topic.
        since_ms: nothing of before is needed, though some of it may come.
    """
    partitions = [_backwards(log, number, held, since_ms) for number, held in sorted(log.ranges().items())]
    return heapq.merge(*partitions, key=lambda one: (-one.refused_ms, -one.at.partition, -one.at.offset))


def _backwards(log: RejectLog, partition: int, held: LogRange, since_ms: int | None) -> Iterator[Refusal]:
    end = held.end
    while end > held.start:
        first = max(held.start, end - WINDOW)
        found = [read_refusal(record) for record in log.read(partition, first, end)]
        yield from reversed(found)
        # Collectors' clocks differ a little; a whole window that is older is old.
        if since_ms is not None and found and all(one.refused_ms < since_ms for one in found):
            return
        end = first


@dataclass(slots=True)
class Group:
    """Refusals with reason, topic, project and service in common.

    Attributes:
        newest: the first one that came.
        oldest_ms: when the oldest was refused.
        records: how many refusals.
        items: how many spans or log records.
        bytes: of the records' values.
        producers: refusals by id of the producing process.
    """

    newest: Refusal
    oldest_ms: int
    records: int = 0
    items: int = 0
    bytes: int = 0
    producers: Counter[str] = field(default_factory=Counter)


def grouped(refusals: Iterable[Refusal]) -> list[Group]:
    """Groups by reason, topic, project and service; reasons with the most items first, groups inside likewise.

    Args:
        refusals: the newest first.
    """
    groups: dict[tuple[str, str, str, str], Group] = {}
    of_reason: Counter[str] = Counter()
    for one in refusals:
        topic = one.origin.at.topic if one.origin is not None else ""
        group = groups.setdefault((one.reason, topic, one.project, one.service), Group(one, one.refused_ms))
        group.oldest_ms = min(group.oldest_ms, one.refused_ms)
        group.records += 1
        group.items += one.items
        group.bytes += one.size
        group.producers[one.producer] += 1
        of_reason[one.reason] += one.items
    return sorted(
        groups.values(),
        key=lambda group: (-of_reason[group.newest.reason], group.newest.reason, -group.items, str(group.newest.at)),
    )
