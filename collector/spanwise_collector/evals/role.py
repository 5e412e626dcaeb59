"""The role `evals` of a collector: reading and scoring, anchors, and what is written down meanwhile."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from prometheus_client.registry import Collector

from spanwise_collector.evals.anchors import COUNTS as ANCHOR_COUNTS
from spanwise_collector.evals.anchors import AnchorRound
from spanwise_collector.evals.assembly import PanelMaker, World
from spanwise_collector.evals.chat_http import HttpEndpoint
from spanwise_collector.evals.evals_file import EvalsFile
from spanwise_collector.evals.outcomes import Outcomes
from spanwise_collector.evals.publish import Publisher
from spanwise_collector.evals.releases import Releases
from spanwise_collector.evals.runner import EvalsRunner, EvalsStatus
from spanwise_collector.evals.stopping import Stopping
from spanwise_collector.evals.work import Worker
from spanwise_collector.ingest.kafka_source import KafkaSource
from spanwise_collector.ingest.pins import CommitPins, Pins, Position, TablePins
from spanwise_collector.ingest.settings import IngestSettings
from spanwise_collector.ingest.source import Partition, Source
from spanwise_collector.ingest.transform import Transformer
from spanwise_collector.periodic import Periodic
from spanwise_collector.receive.producer import RecordWriter
from spanwise_collector.store.database import Database
from spanwise_collector.store.errors import StoreError
from spanwise_schemas.api_judges import EvalsProcess
from spanwise_schemas.wire import SPANS_TOPIC

SUFFIX: Final = "-evals"
"""After the name of ingest's consumer group."""
NOTES_EVERY_S: Final = 5.0
ANCHORS_EVERY_S: Final = 10.0
FLUSH_S: Final = 5.0


class OwnPins:
    """Positions of evals beside those of ingest, in the same table under another name of the topic."""

    def __init__(self, pins: TablePins) -> None:
        self._pins = pins

    def load(self, partition: Partition, topic_id: str) -> Position | None:
        """See `Pins.load`."""
        return self._pins.load(_own(partition), topic_id)

    def pin(self, partition: Partition, topic_id: str, first: int, last: int, erasures: int = 0) -> None:
        """See `Pins.pin`."""
        self._pins.pin(_own(partition), topic_id, first, last, erasures)

    def release(self, partition: Partition, topic_id: str, next_offset: int) -> None:
        """See `Pins.release`."""
        self._pins.release(_own(partition), topic_id, next_offset)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the role is made of.

    Attributes:
        settings: of ingest, whose Kafka, assignment and partitions are taken over.
        database: the store.
        transformer: reads records; not shared with ingest, since it is used by another thread.
        writer: where scores and calls go.
        endpoint: of models.
        file: the evals file.
        world: what judging needs.
        stopping: a stop.
        random_bytes: ids of traces and spans, of a length.
        version: a clock in nanoseconds, for positions.
    """

    settings: IngestSettings
    database: Database
    transformer: Transformer
    writer: RecordWriter
    endpoint: HttpEndpoint
    file: EvalsFile
    world: World
    stopping: Stopping
    random_bytes: Callable[[int], bytes]
    version: Callable[[], int]


class EvalsRole:
    """Everything that a collector with the role does for it; started and stopped as one.

    Attributes:
        outcomes: what became of targets.
        file: the evals file.
    """

    def __init__(self, parts: Parts) -> None:
        world = parts.world
        self.file = parts.file
        self._parts = parts
        self._maker = PanelMaker(parts.file.current, world)
        self.outcomes = Outcomes(parts.database, now=world.now, new_id=world.new_id)
        publisher = Publisher(parts.writer, world.clock)
        worker = Worker(
            parts.transformer,
            self._maker.current,
            Releases(parts.database).first_seen,
            self.outcomes,
            parts.random_bytes,
        )
        self._runner = EvalsRunner(
            connect=self._connect,
            work=worker.work,
            publisher=publisher,
            stopping=parts.stopping,
            cut=parts.endpoint.close,
            clock=world.clock,
        )
        anchors = AnchorRound(
            parts.database,
            parts.file.current,
            self._maker.current,
            self.outcomes,
            publisher,
            owner=world.new_id(),
            now=world.now,
            random_bytes=parts.random_bytes,
        )
        self._periodic = [
            Periodic("evals_notes", self._note, counts={}, is_leader=_always, interval_s=NOTES_EVERY_S),
            Periodic("anchors", anchors.step, counts=ANCHOR_COUNTS, is_leader=_always, interval_s=ANCHORS_EVERY_S),
        ]
        self._stopped = False

    @property
    def meters(self) -> list[Collector]:
        """What is counted."""
        return [self._runner, self.outcomes, *self._periodic]

    def status(self) -> EvalsStatus:
        """How it stands; callable from any thread."""
        return self._runner.status()

    def told(self) -> EvalsProcess:
        """What the API says of it."""
        status = self._runner.status()
        return EvalsProcess(
            running=status.running,
            waiting=status.waiting,
            lag=status.lag,
            scores=status.counts.scores,
            problem=self.file.problem,
        )

    def start(self) -> None:
        """Begin; returns at once."""
        self._runner.start()
        for part in self._periodic:
            part.start()

    def stop(self, timeout_s: float, *, drain: bool = False) -> None:
        """Stop; safe to call twice.

        Args:
            timeout_s: how long what was begun may take.
            drain: first score everything that is in Kafka now.
        """
        if self._stopped:
            return
        self._stopped = True
        self._runner.stop(timeout_s, drain=drain)
        self._parts.stopping.stop()
        for part in self._periodic:
            part.stop()
        self._parts.endpoint.close()
        with suppress(StoreError):  # what cannot be given back or written down now is lost for the day
            self._maker.close()
        with suppress(StoreError):
            self.outcomes.flush()
        self._parts.writer.close(FLUSH_S)

    def _note(self) -> Mapping[str, int]:
        self._maker.report()
        self.outcomes.flush()
        return {}

    def _connect(self) -> tuple[Source, Pins]:
        settings = evals_settings(self._parts.settings)
        # Topics are made by ingest; until then there is nothing to read.
        source = KafkaSource(settings)
        return source, self._pins(source, settings)

    def _pins(self, source: Source, settings: IngestSettings) -> Pins:
        if settings.assignment == "group":
            return CommitPins(source, code_version=settings.code_version)
        return OwnPins(TablePins(self._parts.database, code_version=settings.code_version, version=self._parts.version))


def evals_settings(settings: IngestSettings) -> IngestSettings:
    """How evals read Kafka: as ingest does, spans alone, in a group of their own."""
    return replace(
        settings,
        topics=(SPANS_TOPIC,),
        group=f"{settings.group}{SUFFIX}",
        group_instance=f"{settings.group_instance}{SUFFIX}" if settings.group_instance else "",
    )


def _own(partition: Partition) -> Partition:
    return Partition(f"{partition.topic}{SUFFIX}", partition.number)


def _always() -> bool:
    return True
