"""The tables' columns as Arrow types, and rows to record batches.

Enums go as their numbers (Int8), ids as fixed-size binary, times as timestamps with UTC; ClickHouse's Arrow reader
takes these as they are. tests/unit/collector/transform/test_columns.py holds this file against the migrations on the
real engine.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate, chain
from typing import Any, Final

import pyarrow as pa

Row = tuple[Any, ...]
"""Values in the order of the table's columns, as Python has them."""
Pairs = tuple[Sequence[str], Sequence[Any]]
"""A map: its keys and its values, in the same order."""

_TEXT: Final = pa.string()
_MICROS: Final = pa.timestamp("us", "UTC")
_MILLIS: Final = pa.timestamp("ms", "UTC")
_TRACE_ID: Final = pa.binary(16)
_SPAN_ID: Final = pa.binary(8)
_FLOAT: Final = pa.float64()
_FEW: Final = 64
"""Of so few values each is converted: that is faster."""

SPANS: Final = pa.schema(
    [
        ("project_id", _TEXT),
        ("trace_id", _TRACE_ID),
        ("span_id", _SPAN_ID),
        ("parent_span_id", _SPAN_ID),
        ("start_time", _MICROS),
        ("duration_us", pa.uint64()),
        ("ttft_us", pa.uint32()),
        ("is_root", pa.bool_()),
        ("name", _TEXT),
        ("kind", pa.int8()),
        ("status", pa.int8()),
        ("error_type", _TEXT),
        ("status_message", _TEXT),
        ("env", _TEXT),
        ("service", _TEXT),
        ("release", _TEXT),
        ("convention", _TEXT),
        ("scope", _TEXT),
        ("sdk", _TEXT),
        ("user_id", _TEXT),
        ("session_id", _TEXT),
        ("agent_name", _TEXT),
        ("tool_name", _TEXT),
        ("prompt_name", _TEXT),
        ("prompt_version", _TEXT),
        ("tags", pa.list_(_TEXT)),
        ("provider", _TEXT),
        ("model_request", _TEXT),
        ("model_response", _TEXT),
        ("finish_reason", _TEXT),
        ("response_id", _TEXT),
        ("tok_input", pa.uint32()),
        ("tok_cache_read", pa.uint32()),
        ("tok_cache_write", pa.uint32()),
        ("tok_output", pa.uint32()),
        ("tok_reasoning", pa.uint32()),
        ("usage_extra", pa.map_(_TEXT, pa.uint64())),
        ("cost_input_n", pa.int64()),
        ("cost_output_n", pa.int64()),
        ("cost_total_n", pa.int64()),
        ("cost_source", pa.int8()),
        ("price_version", _TEXT),
        ("counts_usage", pa.bool_()),
        ("input_preview", _TEXT),
        ("output_preview", _TEXT),
        ("input_bytes", pa.uint32()),
        ("output_bytes", pa.uint32()),
        ("attrs", pa.map_(_TEXT, _TEXT)),
        ("warnings", pa.list_(_TEXT)),
        ("retention_days", pa.uint16()),
        ("ingested_at", _MILLIS),
        ("ktopic", _TEXT),
        ("kpart", pa.uint16()),
        ("koff", pa.uint64()),
        ("mapping", _TEXT),
        ("streaming", pa.bool_()),
        ("tool_call_id", _TEXT),
        ("params", pa.map_(_TEXT, _TEXT)),
        ("cost_reported_n", pa.int64()),
        ("cost_computed_n", pa.int64()),
        ("usage_reason", _TEXT),
        ("failure_class", _TEXT),
        ("failure_sub", _TEXT),
        ("failure_title", _TEXT),
        ("fingerprint", pa.uint64()),
    ]
)
SPAN_IO: Final = pa.schema(
    [
        ("project_id", _TEXT),
        ("trace_id", _TRACE_ID),
        ("span_id", _SPAN_ID),
        ("start_time", _MICROS),
        ("input", _TEXT),
        ("output", _TEXT),
        ("system_instructions", _TEXT),
        ("tool_defs", _TEXT),
        ("events", _TEXT),
        ("ingested_at", _MILLIS),
        ("raw", pa.map_(_TEXT, _TEXT)),
    ]
)
SPAN_CONTENT: Final = pa.schema(
    [
        ("project_id", _TEXT),
        ("trace_id", _TRACE_ID),
        ("span_id", _SPAN_ID),
        ("time", _MICROS),
        ("side", pa.int8()),
        ("seq", pa.uint64()),
        ("event", _TEXT),
        ("body", _TEXT),
        ("ingested_at", _MILLIS),
    ]
)
SCORES: Final = pa.schema(
    [
        ("project_id", _TEXT),
        ("score_id", pa.binary(16)),
        ("target", pa.int8()),
        ("trace_id", _TRACE_ID),
        ("span_id", _SPAN_ID),
        ("session_id", _TEXT),
        ("response_id", _TEXT),
        ("name", _TEXT),
        ("value", _FLOAT),
        ("label", _TEXT),
        ("explanation", _TEXT),
        ("source", pa.int8()),
        ("evaluator", _TEXT),
        ("evaluator_version", _TEXT),
        ("ts", _MICROS),
        ("version", pa.uint64()),
        ("is_deleted", pa.uint8()),
        ("judge_cost_n", pa.int64()),
        ("judge_trace_id", _TRACE_ID),
        ("inclusion_p", _FLOAT),
        ("stratum", _TEXT),
    ]
)
PRODUCERS: Final = pa.schema(
    [
        ("producer", _TEXT),
        ("project_id", _TEXT),
        ("service", _TEXT),
        ("sdk", _TEXT),
        ("n_records", pa.uint64()),
        ("n_spans", pa.uint64()),
        ("max_seq", pa.uint64()),
        ("dropped", pa.uint64()),
        ("n_rejected", pa.uint64()),
        ("n_duplicates", pa.uint64()),
        ("first_ts", _MILLIS),
        ("last_ts", _MILLIS),
        ("n_erased", pa.uint64()),
        ("seq_list", pa.list_(pa.uint64())),
    ]
)
INGEST_REJECTS: Final = pa.schema(
    [
        ("topic", _TEXT),
        ("topic_id", _TEXT),
        ("part", pa.uint16()),
        ("off", pa.uint64()),
        ("producer", _TEXT),
        ("reason", _TEXT),
        ("detail", _TEXT),
        ("n_items", pa.uint32()),
        ("record_bytes", pa.uint64()),
        ("record_ts", _MILLIS),
    ]
)

ERASURE_DROPS: Final = pa.schema(
    [
        ("project_id", _TEXT),
        ("number", pa.uint64()),
        ("trace_id", _TRACE_ID),
        ("n_items", pa.uint64()),
        ("ts", _MILLIS),
    ]
)

TABLES: Final = {
    "spans": SPANS,
    "span_io": SPAN_IO,
    "span_content": SPAN_CONTENT,
    "scores": SCORES,
    "producers": PRODUCERS,
    "ingest_rejects": INGEST_REJECTS,
    "erasure_drops": ERASURE_DROPS,
}
"""Every table that is written from Kafka, in the order to insert."""


def load_arrow() -> None:
    """Have pyarrow import what it needs for its first array (pandas, where installed: a second) now, not later."""
    pa.array([None])


def record_batch(schema: pa.Schema, rows: Sequence[Row]) -> pa.RecordBatch:
    """Rows as one Arrow batch; there is at least one row.

    Args:
        schema: one of `TABLES`.
        rows: tuples in the schema's order; maps as `Pairs`.
    """
    repeat = pa.repeat(pa.scalar(0, pa.int32()), len(rows))
    arrays = [
        # Most columns of most batches have one value, which is converted once. Of floats, -0.0 is not 0.0.
        _array(values[:1], kind).take(repeat)
        if values.count(values[0]) == len(values) > _FEW and kind != _FLOAT
        else _array(values, kind)
        for values, kind in zip(zip(*rows, strict=True), schema.types, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def with_columns(batch: pa.RecordBatch, columns: Mapping[str, Sequence[Any]]) -> pa.RecordBatch:
    """A batch with other values in some columns."""
    for name, values in columns.items():
        position = batch.schema.get_field_index(name)
        batch = batch.set_column(position, batch.schema.field(position), pa.array(values, batch.schema.types[position]))
    return batch


def _array(values: tuple[Any, ...], kind: pa.DataType) -> pa.Array:
    if pa.types.is_map(kind):
        return _map_array(values, kind)
    return pa.array(values, kind)


def _map_array(pairs: Sequence[Pairs], kind: pa.DataType) -> pa.Array:
    """Maps from flat keys and values: four times as fast as from one list of tuples per row."""
    keys, items = zip(*pairs, strict=True)
    offsets = pa.array(list(accumulate(map(len, keys), initial=0)), pa.int32())
    flat_keys = pa.array(list(chain.from_iterable(keys)), kind.key_type)
    flat_items = pa.array(list(chain.from_iterable(items)), kind.item_type)
    return pa.MapArray.from_arrays(offsets, flat_keys, flat_items, type=kind)
