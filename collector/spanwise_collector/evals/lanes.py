"""One partition's way through evals: records that wait, the batch that is being worked on, and how far it is done."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

from spanwise_collector.evals.publish import Made, Publisher
from spanwise_collector.evals.scores_out import CallOut, ScoreOut
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.source import Partition

BATCH_RECORDS: Final = 20
BATCH_BYTES: Final = 4_000_000
HELD_RECORDS: Final = 200
HELD_BYTES: Final = 32_000_000
"""A partition with more records or bytes than this waiting is not read until half of them are done."""
SKIP_AFTER: Final = 3
"""Times that a batch may fail for a reason that is no store's, broker's or endpoint's before it is left out."""
Work = Callable[[Sequence[Record], list[CallOut]], list[ScoreOut]]


@dataclass(slots=True)
class Job:
    """One batch. What it has made is kept: a second attempt sends it and makes nothing anew.

    Attributes:
        records: of one partition, in order.
        next_offset: after them.
        tries: how often it failed for a reason of its own.
    """

    records: Sequence[Record]
    next_offset: int
    tries: int = 0
    _calls: list[CallOut] = field(default_factory=list)
    _scores: list[ScoreOut] | None = None

    def run(self, work: Work, publisher: Publisher) -> int:
        """Make scores and publish them; how many.

        Raises:
            Exception: what `work` and `publish` raise; it may be run again.
        """
        if self._scores is None:
            self._scores = work(self.records, self._calls)
        publisher.publish(Made(self._scores, self._calls))
        return len(self._scores)


@dataclass(slots=True)
class Lane:
    """One partition.

    Attributes:
        partition: which.
        topic_id: of its topic, when it was assigned.
        done: everything before this offset is done and committed, or was before us.
        waiting: records that were read.
        job: what is being worked on.
        future: its outcome, while it runs.
        retry_at: a job that failed is tried again then.
        is_paused: whether reading waits.
    """

    partition: Partition
    topic_id: str
    done: int
    waiting: deque[Record] = field(default_factory=deque)
    bytes: int = 0
    job: Job | None = None
    future: Future[int] | None = None
    retry_at: float = float("-inf")
    is_paused: bool = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing is to be done."""
        return self.job is None and not self.waiting

    @property
    def is_full(self) -> bool:
        """Whether reading should wait."""
        return len(self.waiting) >= HELD_RECORDS or self.bytes >= HELD_BYTES

    @property
    def has_room(self) -> bool:
        """Whether reading should go on."""
        return len(self.waiting) <= HELD_RECORDS // 2 and self.bytes <= HELD_BYTES // 2

    def add(self, records: Sequence[Record]) -> None:
        """Take in what was read."""
        self.waiting.extend(records)
        self.bytes += sum(len(record.value or b"") for record in records)

    def next_job(self) -> Job | None:
        """A batch of what waits; None where nothing does."""
        taken: list[Record] = []
        size = 0
        while self.waiting and len(taken) < BATCH_RECORDS and (not taken or size < BATCH_BYTES):
            record = self.waiting.popleft()
            size += len(record.value or b"")
            taken.append(record)
        self.bytes -= size
        return Job(taken, taken[-1].offset + 1) if taken else None
