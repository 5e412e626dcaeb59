"""Whether so much of a partition is refused that something is wrong with the collector, not with the data.

After a bad deploy everything can look broken. Then it is better to stop and keep it in its topic than to go on until
all of it lies among the rejects.
"""

from collections import Counter, deque
from dataclasses import dataclass
from typing import Final

from spanwise_collector.ingest.draft import Batch
from spanwise_collector.ingest.ledger import Range
from spanwise_schemas.wire import is_replayed

MIN_ITEMS: Final = 1_000
"""A share of fewer items says little: one bad record among three."""
_SHOWN_REASONS: Final = 3


@dataclass(frozen=True, slots=True)
class Share:
    """Items of some batches.

    Attributes:
        items: spans and log records, whatever became of them.
        rejected: of these, refused.
    """

    items: int = 0
    rejected: int = 0

    def __add__(self, other: "Share") -> "Share":
        """Both together."""
        return Share(self.items + other.items, self.rejected + other.rejected)


class RejectRate:
    """The newest batches of one partition, as many as it takes for `MIN_ITEMS` items.

    Args:
        limit: a larger share than this is too much; with 1 nothing is.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._batches: deque[Share] = deque()

    def add(self, batch: Share) -> None:
        """Note a batch that was released."""
        self._batches.append(batch)
        while sum(one.items for one in self._batches) - self._batches[0].items >= MIN_ITEMS:
            self._batches.popleft()

    def too_much(self, batch: Share) -> Share | None:
        """What was refused of the newest batches up to this one, when it is more than the limit; else None.

        A batch that is within the limit itself is never held for those before it.
        """
        if batch.rejected <= self._limit * batch.items:
            return None
        total = batch
        for one in reversed(self._batches):
            if total.items >= MIN_ITEMS:
                break
            total += one
        return total if total.items >= MIN_ITEMS and total.rejected > self._limit * total.items else None


def share_of(batch: Batch) -> Share:
    """A batch's items; refusals of replayed records are left out, since these were refused before."""
    rejected = sum(one.items for one in batch.rejections if not is_replayed(one.record.headers))
    return Share(batch.spans + batch.scores + batch.contents + batch.duplicates + rejected, rejected)


def held_text(covered: Range, found: Share, batch: Batch, limit: float) -> str:
    """Why a partition is held before a batch, and what to do.

    Args:
        covered: the batch's range.
        found: what was refused of the newest batches.
        batch: the batch.
        limit: that is exceeded.
    """
    reasons: Counter[str] = Counter()
    for one in batch.rejections:
        reasons[one.reason] += one.items
    named = ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common(_SHOWN_REASONS))
    return (
        f"{covered.partition} is held at offset {covered.first}: {found.rejected:,} of the last {found.items:,} items "
        f"would be refused ({named}), more than SPANWISE_REJECT_LIMIT={limit:g} allows. Nothing is lost, it stays in "
        "Kafka. Put right what is wrong (the last deploy, or the producer) and restart the collector; with "
        "SPANWISE_REJECT_LIMIT=1 it goes to spanwise_rejects instead."
    )
