"""Names of batches, and their rows in the table `ingest_ledger`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pyarrow as pa

from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.source import Partition

LEDGER_TABLE: Final = "ingest_ledger"
_MILLIS: Final = pa.timestamp("ms", tz="UTC")
SCHEMA: Final = pa.schema(
    [
        ("topic", pa.string()),
        ("topic_id", pa.string()),
        ("part", pa.uint16()),
        ("off_from", pa.uint64()),
        ("off_to", pa.uint64()),
        ("n_records", pa.uint64()),
        ("n_spans", pa.uint64()),
        ("n_scores", pa.uint64()),
        ("n_contents", pa.uint64()),
        ("n_rejected", pa.uint64()),
        ("n_duplicates", pa.uint64()),
        ("n_warnings", pa.uint64()),
        ("bytes", pa.uint64()),
        ("first_record_ts", _MILLIS),
        ("last_record_ts", _MILLIS),
        ("code_version", pa.string()),
        ("ts", _MILLIS),
        ("n_erased", pa.uint64()),
        ("erasures", pa.uint64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Range:
    """The range of offsets that one batch covers, of one topic by its id.

    Attributes:
        first: offset where the batch starts; right after the batch before it.
        last: offset of its last record. Offsets that hold no record (compaction, transaction markers) may lie inside.
        lost: so many offsets from `first` on were pinned with the batch and deleted by Kafka before it was stored, as
            far as is known. The ledger does not have them.
    """

    partition: Partition
    topic_id: str
    first: int
    last: int
    lost: int = 0

    def token(self, table: str) -> str:
        """The insert token of this batch's rows in a table: the same for the same offsets, whoever inserts them."""
        return f"{self.topic_id}:{self.partition.number}:{self.first}-{self.last}:{table}"

    def __str__(self) -> str:
        return f"{self.partition}:{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of a batch's items: spans + scores + contents + rejected + duplicates + erased = emitted."""

    spans: int
    scores: int
    contents: int
    rejected: int
    duplicates: int
    warnings: int
    bytes: int
    erased: int = 0


def ledger_row(
    covered: Range,
    records: Sequence[Record],
    counts: Counts,
    *,
    code_version: str,
    now: datetime,
    erasures: int = 0,
) -> pa.RecordBatch:
    """One row: which offsets became how many rows.

    Args:
        covered: the batch's range.
        records: the records in it, in order, at least one. Their number is counted, not computed from the range.
        counts: what became of them.
        code_version: of the code that made the rows.
        now: when they were stored.
        erasures: version of the list of what was erased by which they were built.
    """
    times = [record.timestamp_ms for record in records]
    values: list[object] = [
        covered.partition.topic,
        covered.topic_id,
        covered.partition.number,
        covered.first + covered.lost,
        covered.last,
        len(records),
        counts.spans,
        counts.scores,
        counts.contents,
        counts.rejected,
        counts.duplicates,
        counts.warnings,
        counts.bytes,
        min(times),
        max(times),
        code_version,
        int(now.timestamp() * 1000),
        counts.erased,
        erasures,
    ]
    columns = [pa.array([value], field.type) for value, field in zip(values, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
