"""What the loop holds of one partition."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from spanwise_collector.ingest.buffer import Buffer
from spanwise_collector.ingest.landing import Landed, Refused, Work
from spanwise_collector.ingest.ledger import Counts
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.reject_rate import RejectRate
from spanwise_collector.ingest.seen import SeenSpans
from spanwise_collector.ingest.settings import IngestSettings
from spanwise_collector.ingest.source import Partition
from spanwise_schemas.api import PartitionState


class Stage(StrEnum):
    """How far the batch in hand is."""

    BUILT = "built"
    PINNED = "pinned"
    LANDING = "landing"
    LANDED = "landed"


@dataclass(slots=True)
class Reading:
    """Where an opened partition is being read; dropped as a whole when the partition has to be opened anew.

    Attributes:
        topic_id: the topic these offsets belong to.
        next_offset: the first offset that is not released.
        cut_offset: the first offset that is in no batch yet.
        log_start: the first offset that Kafka had when the partition was opened, or a later one where reading began.
        read_offset: the next offset to be fetched.
        seen: the duplicate filter.
        rate: how much was refused lately.
        redo_to: last offset of a pinned batch that has to be stored again before anything else.
        redo_erasures: version of the list of what was erased by which that batch was built.
        limit: at most so many records in the next batch, after the store refused a larger one; None for no limit.
        buffer: records that are in no batch yet.
        stage: how far `work` is.
        work: the batch in hand.
        following: the batch after it, built ahead.
        outcome: what the worker thread is about to say of `work`.
        landed: what it has said, once `work` is stored.
    """

    topic_id: str
    next_offset: int
    cut_offset: int
    log_start: int
    read_offset: int
    seen: SeenSpans
    rate: RejectRate
    redo_to: int | None = None
    redo_erasures: int = 0
    limit: int | None = None
    buffer: Buffer = field(default_factory=Buffer)
    stage: Stage = Stage.BUILT
    work: Work | None = None
    following: Work | None = None
    outcome: Future[Landed | Refused] | None = None
    landed: Landed | None = None

    @property
    def held_bytes(self) -> int:
        """Bytes of records in memory."""
        return self.buffer.bytes + sum(work.batch.bytes for work in (self.work, self.following) if work is not None)

    def is_full(self, settings: IngestSettings) -> bool:
        """Whether the buffer holds all that the next batch may take."""
        if self.redo_to is not None:
            return self.read_offset > self.redo_to
        if self.limit is not None and len(self.buffer) >= self.limit:
            return True
        return self.buffer.rows >= settings.batch_rows or self.buffer.bytes >= settings.batch_bytes

    def is_due(self, settings: IngestSettings, now: float, *, flush: bool) -> bool:
        """Whether the next batch should be built now."""
        if self.is_full(settings):
            return True
        since = self.buffer.since
        if since is None or self.redo_to is not None:
            return False
        return flush or now - since >= settings.batch_seconds

    def cut(self, settings: IngestSettings) -> list[Record]:
        """Take the records of the next batch out of the buffer."""
        if self.redo_to is not None:
            return self.buffer.cut_to(self.redo_to)
        limit, self.limit = self.limit, None
        return self.buffer.cut(rows=settings.batch_rows, size=settings.batch_bytes, records=limit)


@dataclass(slots=True)
class Lane:
    """A partition that is assigned to this collector.

    Attributes:
        reading: None until it is opened, or while it has to be opened anew.
        paused: no records are fetched.
        outside: the broker refused to read on because the position lies outside of its log.
        retry_at: nothing is tried before this time.
        attempts: failures in a row.
        waiting: why nothing is tried, in words.
        held: why it is not read on although nothing fails, in words: too much would be refused.
        end_offset: as last heard.
        spans: stored since this collector has the partition; `rejected` and `duplicates` likewise.
        last_batch: when the last batch was released.
    """

    partition: Partition
    reading: Reading | None = None
    paused: bool = True
    outside: bool = False
    retry_at: float = 0.0
    attempts: int = 0
    waiting: str = ""
    held: str = ""
    end_offset: int | None = None
    stored: int = 0
    rejected: int = 0
    duplicates: int = 0
    last_batch: datetime | None = None

    def recovered(self) -> None:
        """What was tried has succeeded."""
        self.attempts = 0
        self.waiting = ""

    def count(self, counts: Counts, now: datetime) -> None:
        """Note a batch that was released."""
        self.stored += counts.spans + counts.scores + counts.contents
        self.rejected += counts.rejected
        self.duplicates += counts.duplicates
        self.last_batch = now

    def is_drained(self) -> bool:
        """Whether everything before the end offset is stored and released."""
        return (
            self.reading is not None
            and self.reading.work is None
            and self.end_offset is not None
            and self.reading.next_offset >= self.end_offset
        )

    def state(self, owner: str) -> PartitionState:
        """For the API."""
        next_offset = self.reading.next_offset if self.reading is not None else 0
        known = self.reading is not None and self.end_offset is not None
        return PartitionState(
            topic=self.partition.topic,
            partition=self.partition.number,
            owner=owner,
            next_offset=next_offset,
            end_offset=self.end_offset,
            lag=max(0, (self.end_offset or 0) - next_offset) if known else None,
            spans_stored=self.stored,
            rejected=self.rejected,
            duplicates=self.duplicates,
            last_batch=self.last_batch,
            paused_reason=self.waiting,
        )
