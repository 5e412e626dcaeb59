"""A metric over time, from the roll-ups."""

from dataclasses import dataclass
from math import isnan
from typing import Any, Final, Literal

from spanwise_collector.query.rollups import P50, P95, P99, PARALLEL, MetricFilter, level_ms, quantiles, source
from spanwise_collector.query.values import time_of
from spanwise_collector.query.window import Window, WindowError
from spanwise_collector.store.database import Reader
from spanwise_schemas.api import GroupBy, Metric, MetricSeries, Series

MAX_POINTS: Final = 2_000
MAX_SERIES: Final = 20
TARGET_POINTS: Final = 150
# From ten minutes on, each is made of whole steps of the coarsest roll-up that can be: few rows are read.
STEPS: Final = (60, 120, 300, 600, 1800, 3600, 10_800, 21_600, 86_400)
Unit = Literal["1", "ms", "tokens", "nanousd", "ratio"]


@dataclass(frozen=True, slots=True)
class _Definition:
    """How a metric is read.

    Attributes:
        unit: of its values.
        root: SQL over the roll-ups for whole traces (root spans).
        span: SQL for single spans, used when a group or a filter (model, kind) belongs to spans; the same where no
            difference is made.
        columns: what the SQL reads.
        level: for latencies, which level of the state.
    """

    unit: Unit
    root: str
    span: str
    columns: tuple[str, ...]
    level: int | None = None


def _count(unit: Unit, root: str, span: str) -> _Definition:
    return _Definition(unit, f"sum({root})", f"sum({span})", (root, span))


def _latency(level: int) -> _Definition:
    return _Definition("ms", quantiles("root_lat"), quantiles("lat"), ("root_lat", "lat"), level)


_TTFT: Final = (quantiles("ttft"), quantiles("ttft"), ("ttft",))
DEFINITIONS: Final[dict[Metric, _Definition]] = {
    "requests": _count("1", "n_root", "n"),
    "errors": _count("1", "n_root_err", "n_err"),
    "error_rate": _Definition(
        "ratio", "sum(n_root_err) / sum(n_root)", "sum(n_err) / sum(n)", ("n_root", "n_root_err", "n", "n_err")
    ),
    "llm_calls": _count("1", "n_calls", "n_calls"),
    "latency_p50": _latency(P50),
    "latency_p95": _latency(P95),
    "latency_p99": _latency(P99),
    "ttft_p50": _Definition("ms", *_TTFT, P50),
    "ttft_p95": _Definition("ms", *_TTFT, P95),
    "input_tokens": _count("tokens", "tok_input", "tok_input"),
    "output_tokens": _count("tokens", "tok_output", "tok_output"),
    "cache_read_tokens": _count("tokens", "tok_cache_read", "tok_cache_read"),
    "cost_nanousd": _count("nanousd", "cost_n", "cost_n"),
    "users": _Definition("1", "uniqCombined64Merge(12)(users)", "uniqCombined64Merge(12)(users)", ("users",)),
}
_OF_ROOTS: Final = ("requests", "errors", "error_rate", "latency_p50", "latency_p95", "latency_p99")
_KEYS: Final[dict[GroupBy, str]] = {
    "none": "''",
    "model": "model",
    "name": "name",
    "environment": "env",
    "kind": "kind",
}
# Metrics where a step without rows is zero; of the others nothing is known then.
_ADDITIVE: Final = frozenset(
    metric for metric, definition in DEFINITIONS.items() if definition.root.startswith("sum(")
) - {"error_rate"}


def step_for(window: Window, asked: int | None) -> int:
    """Seconds of one step.

    Args:
        window: what is charted.
        asked: what the caller wants, or None for at most 150 points.

    Raises:
        WindowError: not a multiple of 60, or more than 2,000 points.
    """
    seconds = window.length // 1_000_000
    if asked is None:
        return next((step for step in STEPS if seconds / step <= TARGET_POINTS), STEPS[-1])
    if asked < 60 or asked % 60:
        raise WindowError("`step_seconds` must be a multiple of 60: the roll-ups hold minutes")
    if seconds / asked > MAX_POINTS:
        least = -(-seconds // (MAX_POINTS * 60)) * 60
        raise WindowError(
            f"steps of {asked} s make more than {MAX_POINTS} points in this time range; "
            f"send step_seconds={least} or more, or a shorter range"
        )
    return asked


def get_series(
    reader: Reader,
    wanted: MetricFilter,
    window: Window,
    metric: Metric,
    group_by: GroupBy,
    step: int,
    *,
    timeout_s: float = 30.0,
) -> MetricSeries:
    """One metric in steps, one line per group.

    Requests, errors and latencies are those of traces (root spans); with a model or kind in filter or group they are
    those of the spans themselves.

    Args:
        reader: the store.
        wanted: which rows.
        window: widened to whole steps.
        metric: which.
        group_by: at most 20 groups are returned, those with the most spans.
        step: seconds, a multiple of 60; see `step_for`.
        timeout_s: for each query.

    Raises:
        StoreError: see `Reader.query`.
    """
    definition = DEFINITIONS[metric]
    of_spans = bool(wanted.models or wanted.kinds or group_by in ("model", "kind"))
    window = window.aligned(step * 1_000_000)
    key = _KEYS[group_by]
    only = "1"
    if group_by == "model":
        only = "model != ''"
    elif not of_spans and metric in _OF_ROOTS:
        only = "n_root > 0"
    columns = tuple(dict.fromkeys(("kind", "model", "name", "env", "n", *definition.columns)))
    rows, parameters = source(columns, wanted, [window], only=only, step=step * 1_000_000)
    value = definition.span if of_spans else definition.root
    sql = (
        "SELECT intDiv(toUnixTimestamp(time), {step:UInt32}) * {step:UInt32} AS at, "
        f"{key} AS key, {value} AS value, sum(n) AS weight FROM {rows} GROUP BY at, key"
    )
    answer = reader.query(sql, parameters | {"step": step}, settings=PARALLEL, timeout_s=timeout_s).dicts()
    return _series(answer, metric, definition, window, step)


def _series(
    answer: list[dict[str, Any]], metric: Metric, definition: _Definition, window: Window, step: int
) -> MetricSeries:
    starts = range(window.start // 1_000_000, window.end // 1_000_000, step)
    place = {start: number for number, start in enumerate(starts)}
    empty: float | None = 0.0 if metric in _ADDITIVE else None
    values: dict[str, list[float | None]] = {}
    weights: dict[str, int] = {}
    for row in answer:
        line = values.setdefault(row["key"], [empty] * len(starts))
        line[place[row["at"]]] = _value(row, definition)
        weights[row["key"]] = weights.get(row["key"], 0) + row["weight"]
    order = sorted(values, key=lambda key: (-weights[key], key))[:MAX_SERIES]
    return MetricSeries(
        metric=metric,
        unit=definition.unit,
        step_seconds=step,
        times=[time_of(start * 1_000_000) for start in starts],
        series=[Series(key=key, values=values[key]) for key in order],
    )


def _value(row: dict[str, Any], definition: _Definition) -> float | None:
    value = row["value"]
    if definition.level is not None:
        return level_ms(value, definition.level)
    return None if isnan(value) else float(value)
