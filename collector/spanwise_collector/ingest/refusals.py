"""Rows that ClickHouse refuses although the transform made them: found, left out, and handed on with their record."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from spanwise_collector.ingest.accounts import Rejection
from spanwise_collector.ingest.draft import Batch
from spanwise_collector.ingest.records import Record
from spanwise_collector.store.errors import PermanentStoreError

REASON: Final = "refused_by_store"
COUNTED: Final = frozenset({"spans", "scores"})
"""Tables whose rows are items of a producer (but scores that spans carry); rows of the others are made from these."""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that the store refused for good.

    Attributes:
        table: where it should have gone.
        row: its number in the batch's block for that table.
        detail: why, in the store's words.
    """

    table: str
    row: int
    detail: str

    def is_item(self, carried_scores: Container[int]) -> bool:
        """Whether it was an item of a producer, which is counted; a score that a span carried is a part of the span."""
        return self.table in COUNTED and not (self.table == "scores" and self.row in carried_scores)


def insert_without_refused(
    insert: Callable[[pa.RecordBatch, str], None], table: str, rows: pa.RecordBatch, token: str, first: int = 0
) -> list[RefusedRow]:
    """Insert what the store accepts, by halves, each half under a token of its own that depends on the rows alone.

    Args:
        insert: sends rows under a token and raises `PermanentStoreError` when they are refused.
        table: the name of the table.
        rows: a block that was refused as a whole.
        token: of the whole block.
        first: number of the first row.

    Returns:
        The rows that were refused one by one.
    """
    if rows.num_rows == 1:
        return _insert_part(insert, table, rows, token, first)
    half = rows.num_rows // 2
    return [
        *_insert_part(insert, table, rows.slice(0, half), token, first),
        *_insert_part(insert, table, rows.slice(half), token, first + half),
    ]


def _insert_part(
    insert: Callable[[pa.RecordBatch, str], None], table: str, rows: pa.RecordBatch, token: str, first: int
) -> list[RefusedRow]:
    try:
        insert(rows, f"{token}:{first}-{first + rows.num_rows - 1}")
    except PermanentStoreError as error:
        if rows.num_rows == 1:
            return [RefusedRow(table, first, str(error))]
        return insert_without_refused(insert, table, rows, token, first)
    return []


def rejections_of(refused: Sequence[RefusedRow], records: Sequence[Record], batch: Batch) -> list[Rejection]:
    """The refused rows of a batch as rejections, one per record and table."""
    by_offset = {record.offset: record for record in records}
    grouped: dict[tuple[int, str], list[RefusedRow]] = {}
    for row in refused:
        offset = _offset_of(row, batch.tables)
        grouped.setdefault((records[0].offset if offset is None else offset, row.table), []).append(row)
    return [
        Rejection(
            record=by_offset[offset],
            reason=REASON,
            detail=f"ClickHouse refused {len(rows)} row(s) for the table {table}; the first: {rows[0].detail}",
            items=sum(row.is_item(batch.carried_scores) for row in rows),
        )
        for (offset, table), rows in grouped.items()
    ]


def _offset_of(refused: RefusedRow, tables: Mapping[str, pa.RecordBatch]) -> int | None:
    """The offset a row came from: by its own column, or by the span it belongs to; None when nothing tells."""
    rows = tables[refused.table]
    for column in ("koff", "off"):
        if column in rows.schema.names:
            return int(rows.column(column)[refused.row].as_py())
    spans = tables.get("spans")
    if spans is None or not {"trace_id", "span_id"} <= set(rows.schema.names):
        return None
    wanted = _span_at(rows, refused.row)
    for index in range(spans.num_rows):
        if _span_at(spans, index) == wanted:
            return int(spans.column("koff")[index].as_py())
    return None


def _span_at(rows: pa.RecordBatch, index: int) -> tuple[object, object]:
    return rows.column("trace_id")[index].as_py(), rows.column("span_id")[index].as_py()
