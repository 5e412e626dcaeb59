"""A small world for the ingest loop: the fake log, a store that models insert tokens, collectors that crash.

A record's value is a list of one-byte spans. `BAD` is refused by the transform, `POISON` and above by the store.
"""

from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from spanwise_collector.ingest.accounts import Rejection
from spanwise_collector.ingest.draft import Batch
from spanwise_collector.ingest.erased import NOTHING, Erased
from spanwise_collector.ingest.landing import REJECT_HEADER, Lander
from spanwise_collector.ingest.ledger import LEDGER_TABLE
from spanwise_collector.ingest.loop import Loop, Mode
from spanwise_collector.ingest.pins import CommitPins, Pins
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.settings import IngestSettings, KafkaConnection
from spanwise_collector.ingest.source import RejectSink, TransientSourceError
from spanwise_collector.ingest.steps import Step
from spanwise_collector.store.errors import PermanentStoreError, TransientStoreError
from spanwise_schemas import wire
from spanwise_schemas.wire import is_replayed
from tests.support.fake_log import FakeLog, FakeRejects, FakeSource

TOPIC = "otlp_spans"
BAD = 0
POISON = 200
WINDOW = 6


def is_good(span: int) -> bool:
    """Whether it can be stored."""
    return BAD < span < POISON


class CrashError(RuntimeError):
    """The process is gone."""


class Store:
    """Tables with insert tokens: a token that was seen stores nothing. Refuses poison."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self._tokens: set[tuple[str, str]] = set()
        self.before: list[str] = []
        self.after: list[str] = []

    def insert(self, table: str, rows: pa.RecordBatch, *, token: str) -> None:
        """See `Database.insert`. `before` and `after` fail the next insert without, or with, effect."""
        if self.before:
            raise TransientStoreError(self.before.pop())
        found = rows.to_pylist()
        if table == "spans" and any(row["span_id"][-1] >= POISON for row in found):
            raise PermanentStoreError("poison does not fit the column")
        if (table, token) not in self._tokens:
            self._tokens.add((table, token))
            self.rows.setdefault(table, []).extend(found)
        if self.after:
            raise TransientStoreError(self.after.pop())

    def stored_ids(self, ktopic: str, partition: int, first: int, end: int) -> Iterable[tuple[int, bytes]]:
        """See `seen.StoredIds`."""
        return sorted(
            (row["koff"], row["trace_id"] + row["span_id"])
            for row in self.rows.get("spans", [])
            if (row["ktopic"], row["kpart"]) == (ktopic, partition) and first <= row["koff"] < end
        )

    def stored_among(self, ktopic: str, partition: int, before: int, ids: Collection[bytes]) -> Collection[bytes]:
        """See `replayed.StoredAmong`. `before` fails it as an insert."""
        if self.before:
            raise TransientStoreError(self.before.pop())
        return {span for _, span in self.stored_ids(ktopic, partition, 0, before)} & set(ids)

    def spans(self, table: str = "spans") -> Counter[int]:
        """How often each span is in a table."""
        return Counter(row["span_id"][-1] for row in self.rows.get(table, []))


class Bytes:
    """A transform of one-byte spans, pure as the real one."""

    def transform(self, records: Sequence[Record], seen: Container[bytes], erased: Erased = NOTHING) -> Batch:
        """See `Transformer.transform`."""
        rows: list[dict[str, object]] = []
        ids: list[bytes] = []
        rejections: list[Rejection] = []
        duplicates = 0
        for record in records:
            bad = (record.value or b"").count(BAD)
            if bad:
                rejections.append(Rejection(record, "bad", "is zero", bad))
            for span in record.value or b"":
                key = bytes(23) + bytes([span])
                if span == BAD:
                    continue
                if key in seen or key in ids:
                    duplicates += 1
                    continue
                ids.append(key)
                rows.append(
                    {
                        "trace_id": key[:16],
                        "span_id": key[16:],
                        "ktopic": f"{record.topic}/{record.topic_id}",
                        "kpart": record.partition,
                        "koff": record.offset,
                    }
                )
        tables = {}
        if rows:
            tables["spans"] = pa.RecordBatch.from_pylist(rows)
            tables["span_io"] = tables["spans"].select(["trace_id", "span_id"])
        return Batch(
            tables=tables,
            rejections=rejections,
            spans=len(rows),
            scores=0,
            contents=0,
            rejected=sum(rejection.items for rejection in rejections),
            duplicates=duplicates,
            warnings=0,
            bytes=sum(len(record.value or b"") for record in records),
            span_ids=ids,
            erasures=erased.version,
        )

    def ids_of_replayed(self, records: Sequence[Record]) -> Collection[bytes]:
        """See `Transformer.ids_of_replayed`."""
        replayed = [record for record in records if is_replayed(record.headers)]
        return {bytes(23) + bytes([span]) for record in replayed for span in record.value or b"" if span != BAD}


class Erasures:
    """What was erased, as the test says."""

    def __init__(self) -> None:
        self.latest = NOTHING

    def current(self) -> Erased:
        """See `ErasureList.current`."""
        return self.latest

    def at(self, version: int) -> Erased:
        """See `ErasureList.at`."""
        return self.latest.at(version)


class HandExecutor(Executor):
    """Runs what was submitted when the test says so: a stand-in for a slow insert thread."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Keep it for `run`."""
        future: Future[Any] = Future()
        self._waiting.append((future, lambda: fn(*args, **kwargs)))
        return future

    def run(self) -> None:
        """Run everything that waits; a crash stays in its future, as on a thread."""
        while self._waiting:
            future, call = self._waiting.pop(0)
            try:
                future.set_result(call())
            except RuntimeError as error:
                future.set_exception(error)


@dataclass
class Parts:
    """What a mutation may exchange."""

    pins: Callable[[Pins], Pins] = lambda pins: pins
    rejects: Callable[[RejectSink], RejectSink] = lambda sink: sink
    stored_ids: bool = True
    stored_among: bool = True
    store: Callable[[Store], Any] = lambda store: store


@dataclass
class Collector:
    """One process."""

    loop: Loop
    source: FakeSource
    executor: HandExecutor
    crash_at: list[Step] = field(default_factory=list)
    expel_at: list[Step] = field(default_factory=list)


class World:
    """Some collectors, one log, one store, one clock."""

    def __init__(self, parts: Parts | None = None, *, partitions: int = 2, collectors: int = 2) -> None:
        self.parts = parts or Parts()
        self.log = FakeLog()
        self.log.create(TOPIC, partitions)
        self.store = Store()
        self.now = 0.0
        self.emitted: Counter[int] = Counter()
        self.erasures = Erasures()
        self.fresh = 0
        self.poison = POISON
        self.partitions = partitions
        self.last: dict[int, bytes] = {}
        self.reject_limit = 0.5
        self.commit_faults: list[str] = []
        self.collectors = [self.start() for _ in range(collectors)]

    def start(self) -> Collector:
        """A new process."""
        settings = IngestSettings(
            kafka=KafkaConnection(bootstrap="fake"),
            code_version="test",
            topics=(TOPIC,),
            rejects_topic=TOPIC,
            batch_rows=4,
            batch_seconds=1.0,
            duplicate_window=WINDOW,
            reject_limit=self.reject_limit,
        )
        crash_at: list[Step] = []
        expel_at: list[Step] = []

        def on_step(step: Step) -> None:
            if expel_at and expel_at[0] is step:
                expel_at.clear()
                if source in self.log.groups["g"].members:
                    source.expel()
            if crash_at and crash_at[0] is step:
                crash_at.clear()
                raise CrashError(step)

        source = FakeSource(self.log, [TOPIC], group="g", max_poll_records=5, fault=self._fault)
        executor = HandExecutor()
        store = self.parts.store(self.store)
        loop = Loop(
            settings=settings,
            source=source,
            pins=self.parts.pins(CommitPins(source, code_version="test")),
            lander=Lander(
                store,
                self.parts.rejects(FakeRejects(self.log, fault=self._fault)),
                code_version="test",
                clock=lambda: self.now,
                now=lambda: datetime.fromtimestamp(self.now, UTC),
                on_step=on_step,
            ),
            transformer=Bytes(),
            stored_ids=self.store.stored_ids if self.parts.stored_ids else lambda *where: [],
            stored_among=self.store.stored_among if self.parts.stored_among else lambda *where: [],
            erasures=self.erasures,
            make_topics=lambda: None,
            executor=executor,
            clock=lambda: self.now,
            now=lambda: datetime.fromtimestamp(self.now, UTC),
            jitter=lambda: 0.5,
            on_step=on_step,
        )
        return Collector(loop, source, executor, crash_at, expel_at)

    def _fault(self, call: str) -> None:
        if self.commit_faults and self.commit_faults[-1] == call:
            self.commit_faults.pop()
            raise TransientSourceError(f"no answer to {call}")

    # Actions

    def produce(self, partition: int, kinds: Sequence[str]) -> None:
        """Write a record of new spans, repeats of the record before, bad and poisonous ones."""
        spans: list[int] = []
        for kind in kinds:
            if kind == "new" and self.fresh < POISON - 1:
                self.fresh += 1
                spans.append(self.fresh)
            elif kind == "repeat":
                spans += [span for span in self.last.get(partition % self.partitions, b"") if is_good(span)]
            elif kind == "bad":
                spans.append(BAD)
            elif kind == "poison" and self.poison < 255:
                self.poison += 1
                spans.append(self.poison)
        self.emitted.update(spans)
        self.last[partition % self.partitions] = bytes(spans)
        self.log.append(TOPIC, bytes(spans), partition=partition % self.partitions)

    def replay(self, partition: int, back: int) -> None:
        """Write the record so many places ago once more, as `spanwise rejects replay` does."""
        records = self.log.topics[TOPIC].partitions[partition % self.partitions]
        if records:
            value = records[-1 - back % len(records)].value or b""
            # The model store refuses a poisonous span as often as it comes; that is no matter of replays.
            spans = bytes(span for span in value if span < POISON)
            self.emitted.update(spans)
            headers = ((wire.HEADER_REPLAYED, b"spanwise_rejects:0:0"),)
            self.log.append(TOPIC, spans, partition=partition % self.partitions, headers=headers)

    def step(self, index: int, mode: Mode = Mode.RUN) -> None:
        """Let a collector take a step; one that crashes is started again later, by `heal` or `restart`."""
        collector = self.collectors[index % len(self.collectors)]
        try:
            collector.loop.step(0.0, mode)
        except CrashError:
            self.restart(index)

    def insert(self, index: int) -> None:
        """Let a collector's insert thread run."""
        self.collectors[index % len(self.collectors)].executor.run()

    def restart(self, index: int) -> None:
        """Kill a collector without warning and start another: the group notices, its inserts may still arrive."""
        dead = self.collectors[index % len(self.collectors)]
        if dead.source in self.log.groups["g"].members:
            dead.source.expel()
        self.collectors[index % len(self.collectors)] = self.start()
        dead.executor.run()

    def zombie(self, index: int) -> None:
        """A collector is thrown out of the group and does not know it yet."""
        source = self.collectors[index % len(self.collectors)].source
        if source in self.log.groups["g"].members:
            source.expel()

    def heal(self) -> None:
        """No more faults; run until everything is stored."""
        self.store.before.clear()
        self.store.after.clear()
        self.commit_faults.clear()
        for collector in self.collectors:
            collector.crash_at.clear()
            collector.expel_at.clear()
        for _ in range(400):
            for index in range(len(self.collectors)):
                self.now += 1.0
                self.step(index, Mode.FLUSH)
                self.insert(index)
            if all(collector.loop.drained() for collector in self.collectors):
                return
        raise AssertionError("it does not come to an end")

    # What must hold

    def covered_too_early(self) -> list[str]:
        """Records before a committed offset of which something has not landed."""
        early: list[str] = []
        rejected = {
            (int(headers[REJECT_HEADER + "partition"]), int(headers[REJECT_HEADER + "offset"]))
            for headers in (dict(reject.headers) for reject in self.log.rejects)
        }
        for partition, commit in self.log.groups["g"].committed.items():
            for record in self.log.topics[TOPIC].partitions[partition.number]:
                if record.offset >= commit.offset:
                    continue
                value = record.value or b""
                stored = self.store.spans() & self.store.spans("span_io")
                if any(not stored[span] for span in value if is_good(span)):
                    early.append(f"{partition}:{record.offset} is not stored")
                if any(not is_good(span) for span in value) and (partition.number, record.offset) not in rejected:
                    early.append(f"{partition}:{record.offset} is not among the rejects")
        return early

    def wrong_at_the_end(self) -> list[str]:
        """What is missing, or there twice, or not in the ledger, once everything is drained."""
        wrong = self.covered_too_early()
        good = {span for span in self.emitted if is_good(span)}
        for table in ("spans", "span_io"):
            counts = self.store.spans(table)
            wrong += [f"{span} is {count} times in {table}" for span, count in counts.items() if count != 1]
            if table == "spans":
                wrong += [f"{span} was refused and is there" for span in counts if not is_good(span)]
            wrong += [f"{span} is not in {table}" for span in good - set(self.store.spans(table))]
        ledger = self.store.rows.get(LEDGER_TABLE, [])
        for number in range(self.partitions):
            own = sorted((row["off_from"], row["off_to"], row["n_records"]) for row in ledger if row["part"] == number)
            records = self.log.topics[TOPIC].partitions[number]
            if [offset for first, last, _ in own for offset in range(first, last + 1)] != [r.offset for r in records]:
                wrong.append(f"the ledger of partition {number} has the ranges {own} for {len(records)} records")
        counted = sum(row["n_spans"] + row["n_rejected"] + row["n_duplicates"] for row in ledger)
        if counted != self.emitted.total():
            wrong.append(f"the ledger counts {counted} spans of {self.emitted.total()}")
        if sum(row["n_spans"] for row in ledger) != len(good):
            wrong.append("the ledger counts other spans than are stored")
        return wrong
