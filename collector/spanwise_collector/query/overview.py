"""Totals of a window beside those of the window before, by model and by name."""

from dataclasses import dataclass
from typing import Any, Final

from spanwise_collector.query.rollups import (
    COST_COLUMNS,
    P50,
    P95,
    P99,
    PARALLEL,
    USAGE_COLUMNS,
    MetricFilter,
    cost_of,
    level_ms,
    quantiles,
    source,
    usage_of,
    whole_minutes,
)
from spanwise_collector.query.values import time_of
from spanwise_collector.query.window import Window
from spanwise_collector.store.database import Reader
from spanwise_schemas.api import Group, Overview, Totals

MAX_GROUPS: Final = 100
_SUMS: Final = ("n", "n_root", "n_err", "n_root_err", *COST_COLUMNS, *USAGE_COLUMNS)
_SUMMED: Final = ", ".join(f"sum({column}) AS {column}" for column in _SUMS)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Grouping:
    """How rows are grouped, and what is counted in them.

    Attributes:
        key: column.
        only: which rows.
        states: latency states, the first of which is that of the groups.
        calls: what counts as a call.
        errors: what counts as an error.
        order: groups with the most of this come first.
    """

    key: str
    only: str
    states: tuple[str, ...]
    calls: str
    errors: str
    order: str


_BY_MODEL: Final = _Grouping("model", "kind IN ('llm', 'embedding')", ("lat", "ttft"), "n", "n_err", "cost_n")
_BY_NAME: Final = _Grouping("name", "n_root > 0", ("root_lat",), "n_root", "n_root_err", "n_root")


def get_overview(reader: Reader, wanted: MetricFilter, window: Window, *, timeout_s: float = 30.0) -> Overview:
    """What happened in a window and in the one of equal length before it.

    Args:
        reader: the store.
        wanted: environments, names and models; each selects spans by their own values.
        window: widened to whole minutes, which is how the answer names it.
        timeout_s: for each query.

    Raises:
        StoreError: see `Reader.query`.
    """
    window = whole_minutes(window)
    parts = (window, window.before)
    sums = [_sums(reader, wanted, part, timeout_s) for part in parts]
    models = [_grouped(reader, wanted, part, _BY_MODEL, timeout_s) for part in parts]
    names = [_grouped(reader, wanted, part, _BY_NAME, timeout_s) for part in parts]
    current, previous = (_totals(sums[i], models[i][0], names[i][0]) for i in (0, 1))
    return Overview(
        start=time_of(window.start),
        end=time_of(window.end),
        current=current,
        previous=previous,
        by_model=_compared(models[0][1], models[1][1], _BY_MODEL),
        by_name=_compared(names[0][1], names[1][1], _BY_NAME),
    )


def _sums(reader: Reader, wanted: MetricFilter, window: Window, timeout_s: float) -> Row:
    rows, parameters = source((*_SUMS, "users"), wanted, window)
    sql = f"SELECT {_SUMMED}, uniqCombined64Merge(12)(users) AS users FROM {rows}"
    return reader.query(sql, parameters, settings=PARALLEL, timeout_s=timeout_s).dicts()[0]


def _grouped(
    reader: Reader, wanted: MetricFilter, window: Window, grouping: _Grouping, timeout_s: float
) -> tuple[Row | None, dict[str, Row]]:
    """The row over all groups (None when there is nothing), and those of the groups, in one reading of the states."""
    rows, parameters = source((grouping.key, *_SUMS, *grouping.states), wanted, window, only=grouping.only)
    states = ", ".join(f"{quantiles(state)} AS {state}" for state in grouping.states)
    sql = (
        f"SELECT grouping({grouping.key}) AS over_all, {grouping.key} AS key, {_SUMMED}, {states} FROM {rows} "
        f"GROUP BY GROUPING SETS (({grouping.key}), ()) "
        f"ORDER BY over_all DESC, {grouping.order} DESC, n DESC, key LIMIT {MAX_GROUPS + 1}"
    )
    answer = reader.query(sql, parameters, settings=PARALLEL, timeout_s=timeout_s).dicts()
    total = next((row for row in answer if row["over_all"]), None)
    return total, {row["key"]: row for row in answer if not row["over_all"]}


def _totals(sums: Row, calls: Row | None, roots: Row | None) -> Totals:
    return Totals(
        requests=sums["n_root"],
        errors=sums["n_root_err"],
        llm_calls=sums["n_calls"],
        usage=usage_of(sums),
        cost_nanousd=cost_of(sums),
        unpriced_calls=sums["n_unpriced"],
        users=sums["users"],
        latency_ms_p50=level_ms(roots["root_lat"], P50) if roots else None,
        latency_ms_p95=level_ms(roots["root_lat"], P95) if roots else None,
        latency_ms_p99=level_ms(roots["root_lat"], P99) if roots else None,
        ttft_ms_p50=level_ms(calls["ttft"], P50) if calls else None,
        ttft_ms_p95=level_ms(calls["ttft"], P95) if calls else None,
    )


def _compared(found: dict[str, Row], before: dict[str, Row], grouping: _Grouping) -> list[Group]:
    return [_group(row, before.get(key), grouping) for key, row in found.items()]


def _group(row: Row, before: Row | None, grouping: _Grouping) -> Group:
    state = grouping.states[0]
    return Group(
        key=row["key"],
        calls=row[grouping.calls],
        errors=row[grouping.errors],
        usage=usage_of(row),
        cost_nanousd=cost_of(row),
        unpriced_calls=row["n_unpriced"],
        latency_ms_p50=level_ms(row[state], P50),
        latency_ms_p95=level_ms(row[state], P95),
        latency_ms_p99=level_ms(row[state], P99),
        previous_calls=before[grouping.calls] if before else 0,
        previous_errors=before[grouping.errors] if before else 0,
        previous_cost_nanousd=cost_of(before) if before else None,
        previous_latency_ms_p95=level_ms(before[state], P95) if before else None,
    )
