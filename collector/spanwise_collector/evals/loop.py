"""Reads spans, has them scored, and commits when the scores are in Kafka: at least once, harmless twice.

One thread polls, so that the group keeps its members however long judges take; batches are worked on by others. A
batch that cannot be finished stays first in its partition and is tried again, while its partition waits in Kafka.
"""

import logging
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import dataclass
from typing import Final

from spanwise_collector.evals.lanes import SKIP_AFTER, Job, Lane, Work
from spanwise_collector.evals.publish import Publisher
from spanwise_collector.evals.stopping import StoppedError
from spanwise_collector.ingest.pins import Pins
from spanwise_collector.ingest.source import (
    Assigned,
    Event,
    FencedError,
    Fetched,
    OutOfRange,
    Partition,
    Revoked,
    Source,
    TransientSourceError,
)
from spanwise_collector.receive.errors import NotTakenError
from spanwise_collector.store.errors import TransientStoreError

log = logging.getLogger(__name__)

RETRY_S: Final = 2.0
LAG_EVERY_S: Final = 5.0


@dataclass(slots=True)
class LoopCounts:
    """What a loop did.

    Attributes:
        records: that were done.
        scores: that were made.
        retries: batches that were tried again.
        skipped: batches that were left out, since they failed again and again.
        lost: records that Kafka deleted before they were read.
    """

    records: int = 0
    scores: int = 0
    retries: int = 0
    skipped: int = 0
    lost: int = 0


class EvalLoop:
    """The reading side of the role `evals`. One thread calls it.

    Attributes:
        counts: what it did.
        waiting: what hinders it now, for people; empty for nothing.

    Args:
        source: spans, in a consumer group of evals' own.
        pins: where reading stands.
        work: makes scores of records.
        publisher: sends them.
        executor: threads for batches.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        *,
        source: Source,
        pins: Pins,
        work: Work,
        publisher: Publisher,
        executor: Executor,
        clock: Callable[[], float],
    ) -> None:
        self._source = source
        self._pins = pins
        self._work = work
        self._publisher = publisher
        self._executor = executor
        self._clock = clock
        self._lanes: dict[Partition, Lane] = {}
        self._to_open: dict[Partition, bool] = {}
        self._ends: dict[Partition, int] = {}
        self._lag_at = float("-inf")
        self._quiet = 0
        self.counts = LoopCounts()
        self.waiting = ""

    def step(self, timeout_s: float, *, finish: bool = False) -> None:
        """Poll once and move every partition on.

        Args:
            timeout_s: how long to wait for records.
            finish: begin nothing new.

        Raises:
            SourceError: Kafka refuses, and waiting does not help.
            StoreError: the store refuses to keep positions.
        """
        found = False
        for event in self._source.poll(timeout_s):
            found = True
            self._take(event)
        self._quiet = 0 if found else self._quiet + 1
        self._open()
        for lane in list(self._lanes.values()):
            self._advance(lane, finish=finish)

    @property
    def busy(self) -> bool:
        """Whether a batch is being worked on."""
        return any(lane.future is not None for lane in self._lanes.values())

    def caught_up(self) -> bool:
        """Whether everything that Kafka holds is done, as far as can be told.

        Raises:
            TransientSourceError: no answer.
        """
        if not self._lanes or self._to_open or self._quiet < 2 or not all(one.is_idle for one in self._lanes.values()):
            return False
        self._ends = dict(self._source.end_offsets(list(self._lanes)))
        return all(lane.done >= self._ends[lane.partition] for lane in self._lanes.values())

    def lag(self) -> int | None:
        """Records that wait in Kafka and here; None where that is not known yet."""
        now = self._clock()
        if self._lanes and now - self._lag_at >= LAG_EVERY_S:
            self._lag_at = now
            try:
                self._ends = dict(self._source.end_offsets(list(self._lanes)))
            except TransientSourceError as error:
                self.waiting = str(error)
            else:
                if not self._to_open and all(lane.retry_at <= now for lane in self._lanes.values()):
                    self.waiting = ""
        if any(partition not in self._ends for partition in self._lanes):
            return None
        return sum(max(0, self._ends[one.partition] - one.done) for one in self._lanes.values())

    def _take(self, event: Event) -> None:
        match event:
            case Assigned(partitions):
                self._to_open.update(dict.fromkeys(partitions, False))
            case Revoked(partitions):
                for partition in partitions:
                    self._lanes.pop(partition, None)
                    self._to_open.pop(partition, None)
            case OutOfRange(partition):
                self._lanes.pop(partition, None)
                self._to_open[partition] = True
            case Fetched(partition, records):
                lane = self._lanes.get(partition)
                if lane is not None:
                    lane.add(records)
                    if lane.is_full and not lane.is_paused:
                        self._source.pause([partition])
                        lane.is_paused = True

    def _open(self) -> None:
        for partition, outside in list(self._to_open.items()):
            try:
                topic_id = self._source.topic_id(partition.topic)
                position = self._pins.load(partition, topic_id)
                log_range = self._source.log_range(partition)
            except (TransientSourceError, TransientStoreError) as error:
                self.waiting = str(error)
                return
            start = log_range.start if position is None else position.next_offset
            if start < log_range.start:
                # Scores that nobody can give any more; spans themselves are ingest's care.
                self.counts.lost += log_range.start - start
                log.warning("%s: offsets %d to %d were deleted unscored", partition, start, log_range.start - 1)
                start = log_range.start
            elif outside and start > log_range.end:
                log.warning("%s was cut: it is scored again from offset %d", partition, log_range.start)
                start = log_range.start
            self._lanes[partition] = Lane(partition, topic_id, start)
            self._source.seek(partition, start)
            self._source.resume([partition])
            del self._to_open[partition]
            self.waiting = ""

    def _advance(self, lane: Lane, *, finish: bool) -> None:
        if lane.future is not None and lane.future.done():
            future, lane.future = lane.future, None
            self._finish(lane, future)
        if lane.is_paused and lane.has_room:
            self._source.resume([lane.partition])
            lane.is_paused = False
        if lane.future is not None or self._clock() < lane.retry_at or finish:
            return
        lane.job = lane.job or lane.next_job()
        if lane.job is not None:
            lane.future = self._executor.submit(lane.job.run, self._work, self._publisher)

    def _finish(self, lane: Lane, future: Future[int]) -> None:
        job = lane.job
        if job is None:
            return
        try:
            scores = future.result()
        except (StoppedError, CancelledError):
            return  # it is done again at the next start
        except (TransientStoreError, NotTakenError) as error:
            self._again(lane, str(error))
            return
        except Exception as error:  # whatever it is, other batches go on
            log.exception("%s: offsets before %d could not be scored", lane.partition, job.next_offset)
            job.tries += 1
            if job.tries < SKIP_AFTER:
                self._again(lane, f"{type(error).__name__}: {error}")
                return
            log.error("%s: offsets before %d are left out after %d tries", lane.partition, job.next_offset, job.tries)
            self.counts.skipped += 1
            scores = 0
        self._commit(lane, job, scores)

    def _again(self, lane: Lane, why: str) -> None:
        self.counts.retries += 1
        self.waiting = why
        lane.retry_at = self._clock() + RETRY_S

    def _commit(self, lane: Lane, job: Job, scores: int) -> None:
        try:
            self._pins.release(lane.partition, lane.topic_id, job.next_offset)
        except FencedError:
            self._lanes.pop(lane.partition, None)
            return
        except (TransientSourceError, TransientStoreError) as error:
            self._again(lane, str(error))  # what was made is sent once more, and then committed
            return
        self.counts.records += len(job.records)
        self.counts.scores += scores
        lane.done, lane.job, self.waiting = job.next_offset, None, ""
