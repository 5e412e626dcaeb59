"""Rows made anew from Kafka: the same batches as ingest made, into tables of their own.

The ledger has the borders of every batch, so that the duplicate filter and the choice of who bears a bill see what they
saw at ingest, and the same code makes the same rows. Each batch goes in under its token: after an interruption those
that the ledger of these tables has are not read again, and the one that was cut short is stored once.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from spanwise_collector.ingest.erased import Erased
from spanwise_collector.ingest.landing import REJECT_HEADER, Lander, Refused, Work
from spanwise_collector.ingest.ledger import Range
from spanwise_collector.ingest.loop import Transform
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.replayed import AlsoSeen, stored_among
from spanwise_collector.ingest.seen import SeenSpans, ktopic, stored_ids
from spanwise_collector.ingest.source import LogRange, Reject
from spanwise_collector.ingest.steps import no_step
from spanwise_collector.replay.plan import Plan, Stretch, batches_of
from spanwise_collector.replay.spec import ReplayError
from spanwise_collector.store.database import Database


class Log(Protocol):
    """What a replay needs of Kafka; `KafkaRanges` fulfils it."""

    def topic_id(self, topic: str) -> str:
        """See `KafkaRanges.topic_id`."""
        ...

    def ranges(self, topic: str) -> Mapping[int, LogRange]:
        """See `KafkaRanges.ranges`."""
        ...

    def read(self, topic: str, partition: int, first: int, end: int) -> Iterator[Record]:
        """See `KafkaRanges.read`."""
        ...


class CountedRejects:
    """A `RejectSink` that keeps numbers instead of records: those lie in the rejects topic already.

    Attributes:
        reasons: reason to items.
    """

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()

    def publish(self, rejects: Sequence[Reject]) -> None:
        """See `RejectSink.publish`."""
        for reject in rejects:
            headers = dict(reject.headers)
            self.reasons[headers[REJECT_HEADER + "reason"].decode()] += int(headers[REJECT_HEADER + "items"])

    def close(self) -> None:
        """Nothing to release."""


class Rebuilder:
    """Makes the rows of a plan's records anew.

    Args:
        live: the store in use; it is read only.
        rebuilt: where the rows go.
        transformer: makes rows of records.
        log: what Kafka still holds.
        code_version: for the ledger.
        clock: monotonic seconds.
        now: the time of day, UTC.
        window: offsets that the duplicate filter looks back.
        erased: what was erased, and stays away.
    """

    def __init__(
        self,
        *,
        live: Database,
        rebuilt: Database,
        transformer: Transform,
        log: Log,
        code_version: str,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        window: int,
        erased: Erased,
    ) -> None:
        self._live = live
        self._rebuilt = rebuilt
        self._transformer = transformer
        self._log = log
        self._window = window
        self._erased = erased
        self._lander = Lander(
            rebuilt, CountedRejects(), code_version=code_version, clock=clock, now=now, on_step=no_step
        )

    def run(self, plan: Plan) -> Iterator[int]:
        """Rebuild everything, batch by batch; yields the number of records after each, those of an earlier run first.

        Raises:
            ReplayError: Kafka has lost records meanwhile, or the store refuses a batch.
            SourceError, StoreError: call again; it goes on.
        """
        for stretch in plan.stretches:
            yield from self._stretch(stretch)

    def _stretch(self, stretch: Stretch) -> Iterator[int]:
        batches = batches_of(self._live, stretch)
        done = {(one.first, one.last) for one in batches_of(self._rebuilt, stretch)}
        rows = self._rebuilt.query(
            "SELECT sum(n_records) FROM ingest_ledger WHERE topic = {topic:String} AND topic_id = {id:String} "
            "AND part = {part:UInt16}",
            {"topic": stretch.topic, "id": stretch.topic_id, "part": stretch.part},
        ).rows
        if rows[0][0]:
            yield int(rows[0][0])
        todo = [one for one in batches if (one.first, one.last) not in done]
        if not todo:
            return
        seen = self._seen(stretch, todo[0].first)
        records = self._log.read(stretch.topic, stretch.part, todo[0].first, todo[-1].last + 1)
        for batch, found in _by_batch(records, todo):
            if not found:
                raise ReplayError(f"Kafka does not hold the records of {batch} any more. Take a later --from.")
            self._land(stretch, batch, [replace(record, topic_id=batch.topic_id) for record in found], seen)
            yield len(found)

    def _seen(self, stretch: Stretch, start: int) -> SeenSpans:
        """The filter before `start`: rows in use from before the stretch, those made anew from inside of it."""
        seen = SeenSpans(self._window)
        topic = ktopic(stretch.topic, stretch.topic_id)
        first = seen.first(start)
        seen.add(stored_ids(self._live)(topic, stretch.part, first, min(start, stretch.first)))
        seen.add(stored_ids(self._rebuilt)(topic, stretch.part, max(first, stretch.first), start))
        return seen

    def _land(self, stretch: Stretch, batch: Range, records: Sequence[Record], seen: SeenSpans) -> None:
        topic, part = ktopic(batch.partition.topic, batch.topic_id), batch.partition.number
        before = seen.before(batch.first)
        if again := self._transformer.ids_of_replayed(records):
            # Of the spans in use those from before the stretch count; inside of it, those made anew.
            stored = set(stored_among(self._live)(topic, part, stretch.first, again))
            stored |= set(stored_among(self._rebuilt)(topic, part, batch.first, again))
            before = AlsoSeen(before, stored)
        made = self._transformer.transform(records, before, self._erased)
        if isinstance(landed := self._lander.land(Work(batch, records, made)), Refused):
            raise ReplayError(f"ClickHouse refuses the rows of {batch}: {landed.error}")
        if "spans" in made.tables:
            seen.add(zip(made.tables["spans"]["koff"].to_pylist(), made.span_ids, strict=True))


def _by_batch(records: Iterator[Record], batches: Sequence[Range]) -> Iterator[tuple[Range, list[Record]]]:
    """Records by the batch that they lie in; those between batches belong to batches that are done."""
    waiting: Record | None = next(records, None)
    for batch in batches:
        found = []
        while waiting is not None and waiting.offset <= batch.last:
            if waiting.offset >= batch.first:
                found.append(waiting)
            waiting = next(records, None)
        yield batch, found
