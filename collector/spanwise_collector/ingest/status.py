"""What ingest says of itself: a snapshot for the API, /readyz and /metrics."""

from dataclasses import dataclass, field, replace

from spanwise_collector.ingest.ledger import Counts
from spanwise_schemas.api import PartitionState


@dataclass(frozen=True, slots=True)
class IngestCounters:
    """Sums since this process started; they only grow.

    Attributes:
        records: Kafka records in released batches.
        spans: spans stored.
        scores: scores stored.
        contents: log records with message content stored.
        rejected: spans and log records refused, by the transform or by the store.
        duplicates: spans dropped because the partition's recent records had them already.
        erased: spans and log records left out because they were erased.
        warnings: values that were kept but flagged.
        bytes: sum of the records' values.
        batches: batches released.
        redone: batches built again because a pin was found on assignment (after a crash or a rebalance).
        retries: attempts that failed for a transient reason and were tried again.
        fenced: pins and releases that the broker refused because the partition had gone to another collector.
        lost_records: offsets that Kafka had deleted before they were read (only with `SPANWISE_LOST_OFFSETS=skip`).
        transform_seconds: time spent building rows.
        insert_seconds: time spent storing the batches.
    """

    records: int = 0
    spans: int = 0
    scores: int = 0
    contents: int = 0
    rejected: int = 0
    duplicates: int = 0
    erased: int = 0
    warnings: int = 0
    bytes: int = 0
    batches: int = 0
    redone: int = 0
    retries: int = 0
    fenced: int = 0
    lost_records: int = 0
    transform_seconds: float = 0.0
    insert_seconds: float = 0.0


def with_batch(counters: IngestCounters, records: int, counts: Counts, seconds: float, *, redo: bool) -> IngestCounters:
    """The sums after one more released batch.

    Args:
        counters: the sums so far.
        records: how many Kafka records were in the batch.
        counts: what became of its items.
        seconds: how long storing it took.
        redo: it was pinned by an earlier run, or by another collector.
    """
    return replace(
        counters,
        records=counters.records + records,
        spans=counters.spans + counts.spans,
        scores=counters.scores + counts.scores,
        contents=counters.contents + counts.contents,
        rejected=counters.rejected + counts.rejected,
        duplicates=counters.duplicates + counts.duplicates,
        erased=counters.erased + counts.erased,
        warnings=counters.warnings + counts.warnings,
        bytes=counters.bytes + counts.bytes,
        batches=counters.batches + 1,
        redone=counters.redone + redo,
        insert_seconds=counters.insert_seconds + seconds,
    )


@dataclass(frozen=True, slots=True)
class IngestStatus:
    """State of ingest at one moment.

    Attributes:
        running: the loop is alive; False before `start`, after `stop` and after a failure.
        waiting: what it waits for before it can read at all (a broker that is away, a topic), in words; else empty.
        held: which partitions are held because too much of them is refused, and what to do; empty for none.
        failure: why it stopped by itself and what to do about it; empty while it has not. Nothing is lost by it: what
            was not stored is still in Kafka.
        partitions: those assigned to this collector, by topic and number.
        counters: sums since the start of this process.
    """

    running: bool
    waiting: str = ""
    held: str = ""
    failure: str = ""
    partitions: tuple[PartitionState, ...] = ()
    counters: IngestCounters = field(default_factory=IngestCounters)

    @property
    def ready(self) -> bool:
        """Whether it can do its work: running, and neither waiting, nor holding a partition, nor failed."""
        return self.running and not self.waiting and not self.held and not self.failure

    @property
    def lag(self) -> int | None:
        """Records that are in the assigned partitions and not yet stored; None while an end offset is unknown."""
        lags = [partition.lag for partition in self.partitions]
        known = [lag for lag in lags if lag is not None]
        return sum(known) if len(known) == len(lags) else None
