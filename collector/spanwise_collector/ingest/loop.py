"""The ingest loop: one thread that pulls records, builds batches, and moves each through its steps.

Per partition at most one batch is being stored and one more is built; the store works on another thread. The order of
the steps of a batch is the delivery guarantee: pin, tables, ledger, rejects, release; see
docs/decisions/0003-exactly-once.md.
"""

import logging
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime
from enum import Enum, auto
from typing import Final, Protocol

from spanwise_collector.ingest.buffer import Buffer
from spanwise_collector.ingest.draft import Batch
from spanwise_collector.ingest.erased import Erased
from spanwise_collector.ingest.erasure_list import ErasureList
from spanwise_collector.ingest.errors import IngestError
from spanwise_collector.ingest.landing import Landed, Lander, Refused, Work
from spanwise_collector.ingest.lane import Lane, Reading, Stage
from spanwise_collector.ingest.ledger import Range
from spanwise_collector.ingest.opening import LostOffsets, start_of
from spanwise_collector.ingest.pins import Pins
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.reject_rate import RejectRate, Share, held_text, share_of
from spanwise_collector.ingest.replayed import AlsoSeen, StoredAmong
from spanwise_collector.ingest.seen import SeenSpans, StoredIds, ktopic
from spanwise_collector.ingest.settings import IngestSettings
from spanwise_collector.ingest.source import (
    Assigned,
    Event,
    FencedError,
    Fetched,
    MissingTopicError,
    OutOfRange,
    Partition,
    Revoked,
    Source,
    TransientSourceError,
)
from spanwise_collector.ingest.status import IngestCounters, with_batch
from spanwise_collector.ingest.steps import OnStep, Step, no_step
from spanwise_collector.store.errors import TransientStoreError
from spanwise_schemas.api import PartitionState

log = logging.getLogger(__name__)

BACKOFF_START_S: Final = 0.1
# A broker or a database that comes back is noticed within this time.
BACKOFF_MAX_S: Final = 5.0
# While a batch is being stored, its end is looked for this often.
BUSY_POLL_S: Final = 0.02
# So many batches in a row of which the store took nothing are a fault of the schema, not of the data.
REFUSED_BATCHES_MAX: Final = 20


class Mode(Enum):
    """What a step of the loop is for."""

    RUN = auto()
    """Batches are closed when they are full or old."""
    FLUSH = auto()
    """Batches are closed at once: we are draining."""
    FINISH = auto()
    """No batch is begun any more; those begun are finished."""


class Transform(Protocol):
    """What the loop needs of the transformer."""

    def transform(self, records: Sequence[Record], seen: Container[bytes], erased: Erased) -> Batch:
        """See `Transformer.transform`."""
        ...

    def ids_of_replayed(self, records: Sequence[Record]) -> Collection[bytes]:
        """See `replayed.ids_of_replayed`."""
        ...


class Loop:
    """Everything between a source of records and the store. One thread calls its methods."""

    def __init__(
        self,
        *,
        settings: IngestSettings,
        source: Source,
        pins: Pins,
        lander: Lander,
        transformer: Transform,
        stored_ids: StoredIds,
        stored_among: StoredAmong,
        erasures: ErasureList,
        make_topics: Callable[[], object],
        executor: Executor,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        jitter: Callable[[], float],
        on_step: OnStep = no_step,
    ) -> None:
        """Wire the parts.

        Args:
            settings: sizes and times.
            source: records, assignment, positions.
            pins: where ranges are pinned.
            lander: stores a batch.
            transformer: makes rows of records.
            stored_ids: reads the duplicate filter back.
            stored_among: tells which spans of replayed records are stored already.
            erasures: what was erased and must not come back.
            make_topics: makes the topics that are missing.
            executor: runs the lander; one worker is enough.
            clock: monotonic seconds.
            now: the time of day, UTC.
            jitter: random numbers in [0, 1).
            on_step: is told of every step.
        """
        self._settings = settings
        self._source = source
        self._pins = pins
        self._lander = lander
        self._transformer = transformer
        self._stored_ids = stored_ids
        self._stored_among = stored_among
        self._erasures = erasures
        self._make_topics = make_topics
        self._executor = executor
        self._clock = clock
        self._now = now
        self._jitter = jitter
        self._on_step = on_step
        self._lanes: dict[Partition, Lane] = {}
        self._counters = IngestCounters()
        self._refused_batches = 0
        self._checked_at = -float("inf")
        self._waiting = ""

    @property
    def counters(self) -> IngestCounters:
        """Sums since the start."""
        return self._counters

    @property
    def waiting(self) -> str:
        """What everything waits for (Kafka, the store), in words; empty while something moves."""
        waiting = [lane.waiting for lane in self._lanes.values()]
        return self._waiting or (waiting[0] if waiting and all(waiting) else "")

    @property
    def held(self) -> str:
        """Which partitions are held because too much is refused, why, and what to do; empty for none."""
        return " ".join(lane.held for _, lane in sorted(self._lanes.items()) if lane.held)

    @property
    def busy(self) -> bool:
        """Whether a batch is being stored, or is stored and not yet released."""
        return any(
            lane.reading is not None and lane.reading.work is not None and lane.reading.stage is not Stage.BUILT
            for lane in self._lanes.values()
        )

    def drained(self) -> bool:
        """Whether everything that the source holds now is stored, but for partitions that are held. Asks the source.

        Raises:
            TransientSourceError: it does not answer.
        """
        ends = self._source.end_offsets(list(self._lanes))
        for partition, lane in self._lanes.items():
            lane.end_offset = ends[partition]
        return all(lane.held or lane.is_drained() for lane in self._lanes.values())

    def step(self, timeout_s: float, mode: Mode = Mode.RUN) -> None:
        """Take what the source has, and move every partition as far as it goes without waiting.

        Args:
            timeout_s: how long to wait when the source has nothing.
            mode: what the step is for.

        Raises:
            IngestError, SourceError, StoreError: a person has to look. Nothing is lost: what is pinned is done again,
                and what is not pinned is read again.
        """
        for event in self._source.poll(min(timeout_s, BUSY_POLL_S) if self.busy else timeout_s):
            self._take(event)
        self._check_topics()
        for lane in list(self._lanes.values()):
            self._move(lane, mode)
        self._pause_and_resume()

    def partitions(self) -> tuple[PartitionState, ...]:
        """State of the assigned partitions, by topic and number."""
        return tuple(self._lanes[partition].state(self._settings.collector_id) for partition in sorted(self._lanes))

    # Events

    def _take(self, event: Event) -> None:
        match event:
            case Assigned(partitions):
                for partition in partitions:
                    self._lanes[partition] = Lane(partition)
            case Revoked(partitions):
                # What was begun with them is forgotten: their next owner finds the pins.
                for partition in partitions:
                    self._lanes.pop(partition, None)
            case OutOfRange(partition):
                self._close_lane(partition, "its position lies outside of Kafka's log")
                if partition in self._lanes:
                    self._lanes[partition].outside = True
            case Fetched(partition, records):
                self._take_records(partition, records)

    def _take_records(self, partition: Partition, records: Sequence[Record]) -> None:
        lane = self._lanes.get(partition)
        if lane is None or lane.reading is None or lane.held or not records:
            return
        reading = lane.reading
        if records[0].offset < reading.read_offset or any(record.topic_id != reading.topic_id for record in records):
            self._close_lane(partition, "its topic was made anew")
            return
        reading.buffer.add(records, self._clock())
        reading.read_offset = records[-1].offset + 1

    def _close_lane(self, partition: Partition, why: str) -> None:
        """Forget what was read; the lane is opened anew by its next move."""
        lane = self._lanes.get(partition)
        if lane is None:
            return
        if lane.reading is not None:
            log.info("%s is opened anew: %s", partition, why)
        lane.reading = None
        lane.held = ""
        self._source.pause([partition])
        lane.paused = True

    def _check_topics(self) -> None:
        """Now and then: learn end offsets, and whether topics were deleted or made anew."""
        now = self._clock()
        if now - self._checked_at < self._settings.check_seconds:
            return
        self._checked_at = now
        ends: Mapping[Partition, int] = {}
        try:
            for topic in (*self._settings.topics, self._settings.rejects_topic):
                self._check_topic(topic)
            ends = self._source.end_offsets(list(self._lanes))
            self._waiting = ""
        except MissingTopicError as error:
            self._waiting = str(error)
            self._try_to_make_topics()
        except TransientSourceError as error:
            self._waiting = str(error)
        for partition, lane in self._lanes.items():
            lane.end_offset = ends.get(partition)

    def _try_to_make_topics(self) -> None:
        try:
            self._make_topics()
        except TransientSourceError as error:
            self._waiting = f"{self._waiting} It could not be made: {error}"

    def _check_topic(self, topic: str) -> None:
        """Open the partitions of a topic anew when its id has changed."""
        topic_id = self._source.topic_id(topic)
        for partition, lane in self._lanes.items():
            if partition.topic == topic and lane.reading is not None and lane.reading.topic_id != topic_id:
                self._close_lane(partition, "its topic was deleted and made anew")

    # One partition

    def _move(self, lane: Lane, mode: Mode) -> None:
        if self._clock() < lane.retry_at:
            return
        try:
            while self._advance(lane, mode):
                pass
        except FencedError as error:
            self._counters = replace(self._counters, fenced=self._counters.fenced + 1)
            # When the partition is lost, the source says so next. When it is not, it is opened anew.
            self._close_lane(lane.partition, str(error))
            self._back_off(lane, str(error))
        except (TransientSourceError, TransientStoreError) as error:
            self._counters = replace(self._counters, retries=self._counters.retries + 1)
            self._back_off(lane, str(error))

    def _back_off(self, lane: Lane, why: str) -> None:
        delay = min(BACKOFF_MAX_S, BACKOFF_START_S * 2**lane.attempts) * (0.5 + self._jitter() / 2)
        lane.attempts = min(lane.attempts + 1, 30)
        lane.retry_at = self._clock() + delay
        lane.waiting = why
        log.warning("%s waits %.1f s: %s", lane.partition, delay, why)

    def _advance(self, lane: Lane, mode: Mode) -> bool:
        """One step of a partition; False when there is nothing to do for it now."""
        reading = lane.reading
        if lane.held:
            return False
        if reading is None:
            if mode is not Mode.FINISH:
                self._open(lane)
            return mode is not Mode.FINISH
        if reading.work is None:
            return mode is not Mode.FINISH and self._begin(reading, lane.partition, mode)
        match reading.stage:
            case Stage.BUILT:
                if mode is Mode.FINISH or self._hold(lane, reading, reading.work):
                    return False
                return self._pin(lane, reading, reading.work)
            case Stage.PINNED:
                reading.outcome = self._executor.submit(self._lander.land, reading.work)
                reading.stage = Stage.LANDING
                return True
            case Stage.LANDING:
                return self._look_at_outcome(lane, reading, reading.work)
            case Stage.LANDED if reading.landed is not None:
                self._release(lane, reading, reading.work, reading.landed)
                return True
        return False

    def _open(self, lane: Lane) -> None:
        """Find out where to read on, and whether a pinned batch has to be stored again first."""
        partition = lane.partition
        topic_id = self._source.topic_id(partition.topic)
        position = self._pins.load(partition, topic_id)
        start = start_of(
            partition,
            position,
            self._source.log_range(partition),
            outside=lane.outside,
            lost_offsets=self._settings.lost_offsets,
        )
        if start.lost:
            self._note_lost(partition, start.lost)
        if position is None and start.offset > 0:
            log.warning(
                "Nothing of %s was read yet: it begins with offset %d, the oldest that Kafka has. "
                "Kafka deleted offsets 0 to %d of %s unread.",
                partition,
                start.offset,
                start.offset - 1,
                partition,
            )
        seen = SeenSpans(self._settings.duplicate_window)
        seen.add(
            self._stored_ids(ktopic(partition.topic, topic_id), partition.number, seen.first(start.first), start.offset)
        )
        lane.reading = Reading(
            topic_id=topic_id,
            next_offset=start.first,
            cut_offset=start.first,
            log_start=start.offset,
            read_offset=start.offset,
            seen=seen,
            rate=RejectRate(self._settings.reject_limit),
            redo_to=start.redo_to,
            redo_erasures=start.erasures,
        )
        lane.waiting = ""
        lane.outside = False
        self._source.seek(partition, start.offset)

    def _note_lost(self, partition: Partition, lost: LostOffsets) -> None:
        log.error("Kafka deleted offsets %d to %d of %s before they were read", lost.first, lost.last, partition)
        self._counters = replace(self._counters, lost_records=self._counters.lost_records + lost.last - lost.first + 1)

    def _begin(self, reading: Reading, partition: Partition, mode: Mode) -> bool:
        """Take the batch that was built ahead, or build one when it is due."""
        if reading.following is not None:
            reading.work, reading.following = reading.following, None
        else:
            reading.work = self._build(reading, partition, flush=mode is Mode.FLUSH)
        reading.stage = Stage.BUILT
        return reading.work is not None

    def _build(self, reading: Reading, partition: Partition, *, flush: bool) -> Work | None:
        crowded = sum(other.reading.held_bytes for other in self._lanes.values() if other.reading is not None)
        flush = flush or crowded >= self._settings.buffer_bytes
        if not reading.is_due(self._settings, self._clock(), flush=flush):
            return None
        redo_to, first, limit = reading.redo_to, reading.cut_offset, reading.limit
        # The same as before for a batch that may have landed in part, so that its rows are the same.
        erased = self._erasures.current() if redo_to is None else self._erasures.at(reading.redo_erasures)
        records = reading.cut(self._settings)
        reading.redo_to = None
        if not records:
            return None  # the pinned records are gone from the log by compaction
        last = records[-1].offset if redo_to is None else redo_to
        began = self._clock()
        replayed = self._transformer.ids_of_replayed(records)
        if replayed and reading.work is not None:
            # Built ahead it would not be compared with what is still being stored, but built again it would.
            reading.buffer.restore(records, self._clock())
            return None
        seen = reading.seen.before(first)
        if replayed:
            try:
                stored = self._stored_among(
                    ktopic(partition.topic, reading.topic_id), partition.number, first, replayed
                )
            except TransientStoreError:
                reading.buffer.restore(records, self._clock())
                reading.redo_to, reading.limit = redo_to, limit
                raise
            seen = AlsoSeen(seen, stored)
        batch = self._transformer.transform(records, seen, erased)
        self._counters = replace(
            self._counters, transform_seconds=self._counters.transform_seconds + self._clock() - began
        )
        spans = batch.tables.get("spans")
        if spans is not None:
            reading.seen.add(zip(spans.column("koff").to_pylist(), batch.span_ids, strict=True))
        reading.cut_offset = last + 1
        covered = Range(partition, reading.topic_id, first, last, lost=max(0, reading.log_start - first))
        self._on_step(Step.BUILT)
        return Work(covered, records, batch, redo=redo_to is not None)

    def _hold(self, lane: Lane, reading: Reading, work: Work) -> bool:
        """Stop reading the partition before this batch when too much is refused; it stays so until it is opened anew.

        A batch that was pinned before has its pin still.
        """
        found = reading.rate.too_much(share_of(work.batch))
        if found is None:
            return False
        lane.held = lane.waiting = held_text(work.covered, found, work.batch, self._settings.reject_limit)
        log.error("%s", lane.held)
        reading.work = reading.following = None
        reading.buffer = Buffer()
        return True

    def _pin(self, lane: Lane, reading: Reading, work: Work) -> bool:
        # Records were fetched while the topic had the id it has now, or the batch belongs to a topic that is gone: ids
        # never come back.
        self._check_topic(lane.partition.topic)
        if lane.reading is not reading:
            return True
        covered = work.covered
        self._pins.pin(lane.partition, reading.topic_id, covered.first, covered.last, work.batch.erasures)
        reading.stage = Stage.PINNED
        lane.recovered()
        self._on_step(Step.PINNED)
        return True

    def _look_at_outcome(self, lane: Lane, reading: Reading, work: Work) -> bool:
        if reading.outcome is None or not reading.outcome.done():
            if reading.following is None and reading.is_full(self._settings):
                reading.following = self._build(reading, lane.partition, flush=False)
            return False
        outcome, reading.outcome = reading.outcome, None
        reading.stage = Stage.PINNED  # for the case that `result` raises: the same batch is sent again
        match outcome.result():
            case Landed() as landed:
                self._note_refused_batches(work, landed)
                reading.landed = landed
                if landed.refused_rows:
                    refused = {row.row for row in work.refused if row.table == "spans"}
                    reading.seen.drop({span for index, span in enumerate(work.batch.span_ids) if index in refused})
                reading.stage = Stage.LANDED
            case Refused(error):
                log.warning("ClickHouse refuses %s, which is cut in halves: %s", work.covered, error)
                self._cut_in_halves(reading, work)
        return True

    def _cut_in_halves(self, reading: Reading, work: Work) -> None:
        """Put the records back and let the next batch be half as long. Its pin replaces this one's."""
        following = reading.following.records if reading.following is not None else []
        reading.buffer.restore([*work.records, *following], self._clock())
        reading.seen.rewind(work.covered.first)
        reading.cut_offset = work.covered.first
        reading.limit = max(1, len(work.records) // 2)
        reading.work = reading.following = None

    def _note_refused_batches(self, work: Work, landed: Landed) -> None:
        nothing_taken = (
            landed.refused_rows > 0 and landed.counts.spans + landed.counts.scores + landed.counts.contents == 0
        )
        self._refused_batches = self._refused_batches + 1 if nothing_taken else 0
        if self._refused_batches >= REFUSED_BATCHES_MAX:
            raise IngestError(
                f"ClickHouse refused every row of the last {REFUSED_BATCHES_MAX} batches, the last one {work.covered}. "
                "Its tables do not fit this version of the collector: look at the table schema_migrations and at the "
                "rejects topic."
            )

    def _release(self, lane: Lane, reading: Reading, work: Work, landed: Landed) -> None:
        self._pins.release(lane.partition, reading.topic_id, work.covered.last + 1)
        reading.next_offset = work.covered.last + 1
        reading.work = reading.landed = None
        if work.covered.lost:
            # Its lost records may have landed with it, from another collector: the filter is read back with them.
            self._close_lane(lane.partition, "the head of its pinned batch was deleted")
        lane.recovered()
        lane.count(landed.counts, self._now())
        reading.rate.add(share_of(work.batch) + Share(rejected=landed.refused_rows))
        self._counters = with_batch(self._counters, len(work.records), landed.counts, landed.seconds, redo=work.redo)
        self._on_step(Step.RELEASED)

    # Flow

    def _pause_and_resume(self) -> None:
        held = sum(lane.reading.held_bytes for lane in self._lanes.values() if lane.reading is not None)
        crowded = held >= self._settings.buffer_bytes
        pause: list[Partition] = []
        resume: list[Partition] = []
        for lane in self._lanes.values():
            reading = lane.reading
            stop = (
                reading is None
                or bool(lane.held)
                or reading.is_full(self._settings)
                or (crowded and len(reading.buffer) > 0)
            )
            if stop != lane.paused:
                (pause if stop else resume).append(lane.partition)
                lane.paused = stop
        if pause:
            self._source.pause(pause)
        if resume:
            self._source.resume(resume)
