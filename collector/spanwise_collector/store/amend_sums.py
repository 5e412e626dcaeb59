"""The differences that a change of stored spans makes to everything that is summed from them."""

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from spanwise_collector.store.change import Change
from spanwise_collector.store.database import Reader

TIMEOUT_S: Final = 60.0
_MICROS: Final = pa.timestamp("us", "UTC")
_SECONDS: Final = pa.timestamp("s", "UTC")
_WRAP: Final = 1 << 64
_TOKENS: Final = ("tok_input", "tok_output", "tok_cache_read", "tok_cache_write", "tok_reasoning")


def before_and_after(change: Change, more: Mapping[str, str] = {}) -> str:
    """A subquery: what the spans of a change count for, before (0) and after (1): calls c, unpriced u, cost k.

    Args:
        change: which spans, and how.
        more: further columns, name to SQL on a span.
    """
    counts, cost = change.after("counts_usage"), change.after("cost_total_n")
    source = f"(toString({change.after('cost_source')}) = 'none')"
    return (
        "SELECT trace_id, start_time, duration_us, retention_days, env, toString(kind) AS kind, "
        "if(model_response != '', model_response, model_request) AS model, name, "
        f"{', '.join(_TOKENS)}, toInt64(counts_usage) AS c0, toInt64({counts}) AS c1, "
        f"c0 * (cost_source = 'none') AS u0, c1 * {source} AS u1, "
        f"c0 * cost_total_n AS k0, c1 * toInt64({cost}) AS k1"
        f"{''.join(f', {value} AS {name}' for name, value in more.items())} FROM spans WHERE {change.where}"
    )


_SUMS: Final = {
    "n_calls": "sum(s.c1 - s.c0)",
    "n_unpriced": "sum(s.u1 - s.u0)",
    "cost_n": "sum(s.k1 - s.k0)",
    **{name: f"sum((s.c1 - s.c0) * toInt64(s.{name}))" for name in _TOKENS},
}
_DIFFERS: Final = " OR ".join(f"{name} != 0" for name in _SUMS)


def trace_rows(store: Reader, change: Change) -> pa.RecordBatch:
    """Rows for `trace_agg`."""
    sums = ("n_calls", "n_unpriced", "cost_n", "tok_input", "tok_output")
    found = store.query(
        "SELECT toUnixTimestamp(toStartOfHour(s.start_time)) AS bucket, s.trace_id AS trace_id, "
        "min(toUnixTimestamp64Micro(s.start_time)) AS start_time, "
        "max(toUnixTimestamp64Micro(s.start_time) + toInt64(s.duration_us)) AS end_time, "
        f"max(s.retention_days) AS retention_days, {', '.join(f'{_SUMS[name]} AS {name}' for name in sums)} "
        f"FROM ({before_and_after(change)}) AS s GROUP BY bucket, trace_id "
        f"HAVING {' OR '.join(f'{name} != 0' for name in sums)} ORDER BY bucket, trace_id",
        timeout_s=TIMEOUT_S,
    ).dicts()
    schema = [
        ("bucket", _SECONDS),
        ("trace_id", pa.binary(16)),
        ("start_time", _MICROS),
        ("end_time", _MICROS),
        ("retention_days", pa.uint16()),
    ]
    return _differences(change.project, found, schema, sums)


def minute_rows(store: Reader, change: Change) -> pa.RecordBatch:
    """Rows for `metrics_1m`, from which the coarser roll-ups follow."""
    found = store.query(
        "SELECT toUnixTimestamp(toStartOfMinute(s.start_time)) AS time, s.env AS env, s.kind AS kind, "
        f"s.model AS model, s.name AS name, {', '.join(f'{value} AS {name}' for name, value in _SUMS.items())} "
        f"FROM ({before_and_after(change)}) AS s GROUP BY time, env, kind, model, name HAVING {_DIFFERS} "
        "ORDER BY time, env, kind, model, name",
        timeout_s=TIMEOUT_S,
    ).dicts()
    schema = [("time", _SECONDS), *((name, pa.string()) for name in ("env", "kind", "model", "name"))]
    return _differences(change.project, found, schema, tuple(_SUMS))


_SIGNAL_KEYS: Final = (
    *("kind", "is_root", "env", "name", "model", "provider", "prompt", "release", "tool", "user_group"),
)
_SIGNAL_SUMS: Final = {
    "n_calls": "sum(s.c1 - s.c0)",
    "n_cache_hit": "sum((s.c1 - s.c0) * (s.tok_cache_read > 0))",
    "n_priced": "sum(s.c1 - s.u1 - s.c0 + s.u0)",
    "cost_n": "sum(s.k1 - s.k0)",
}


def signal_rows(store: Reader, change: Change) -> pa.RecordBatch:
    """Rows for `signals_5m`, from which those by the hour follow; of the kinds that are watched."""
    more = {
        "is_root": "is_root",
        "provider": "provider",
        "prompt": "if(prompt_name = '', prompt_version, if(prompt_version = '', prompt_name, "
        "concat(prompt_name, '@', prompt_version)))",
        "release": "release",
        "tool": "tool_name",
        "user_group": "user_group",
    }
    found = store.query(
        f"SELECT toUnixTimestamp(toStartOfFiveMinutes(s.start_time)) AS time, "
        f"{', '.join(f's.{key} AS {key}' for key in _SIGNAL_KEYS)}, "
        f"{', '.join(f'{value} AS {name}' for name, value in _SIGNAL_SUMS.items())} "
        f"FROM ({before_and_after(change, more)}) AS s "
        f"WHERE s.is_root OR s.kind IN ('llm', 'embedding', 'tool', 'agent', 'retriever') "
        f"GROUP BY time, {', '.join(_SIGNAL_KEYS)} HAVING {' OR '.join(f'{name} != 0' for name in _SIGNAL_SUMS)} "
        f"ORDER BY time, {', '.join(_SIGNAL_KEYS)}",
        timeout_s=TIMEOUT_S,
    ).dicts()
    schema = [
        ("time", _SECONDS),
        *((key, pa.bool_() if key == "is_root" else pa.string()) for key in _SIGNAL_KEYS),
    ]
    return _differences(change.project, found, schema, tuple(_SIGNAL_SUMS))


def _differences(
    project: str, found: list[dict[str, Any]], keys: list[tuple[str, pa.DataType]], sums: tuple[str, ...]
) -> pa.RecordBatch:
    """Rows for a roll-up; columns that are absent take the value that changes no minimum, maximum, set or state."""
    for row in found:
        row["project_id"] = project
        for name in sums:
            if name != "cost_n":
                row[name] %= _WRAP
    schema = pa.schema(
        [
            ("project_id", pa.string()),
            *keys,
            *((name, pa.int64() if name == "cost_n" else pa.uint64()) for name in sums),
        ]
    )
    return pa.RecordBatch.from_pylist(found, schema=schema)
