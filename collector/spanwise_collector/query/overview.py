"""Totals of a window beside those of the window before, by model and by name."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
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
    merged_quantiles,
    quantiles,
    source,
    usage_of,
    whole_steps,
)
from spanwise_collector.query.values import time_of
from spanwise_collector.query.window import Window
from spanwise_collector.store.database import Reader
from spanwise_schemas.api import Group, Overview, Totals, Usage

MAX_GROUPS: Final = 100
# More of each window are read, so that a group that was small before is still found.
MAX_READ: Final = 1000
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
        having: which groups.
    """

    key: str
    only: str
    states: tuple[str, ...]
    calls: str
    errors: str
    order: str
    having: str = "1"


_BY_MODEL: Final = _Grouping("model", "kind IN ('llm', 'embedding')", ("lat", "ttft"), "n", "n_err", "cost_n")
# Rows of roots, and those that have usage without one: calls inside of traces, and corrections of calls that were
# counted twice, which are rows of their own until they are merged with what they correct.
_HAS_ROOT_OR_USAGE: Final = "(n_root > 0 OR n_calls > 0 OR n_unpriced > 0 OR cost_n != 0)"
_BY_NAME: Final = _Grouping(
    "name", _HAS_ROOT_OR_USAGE, ("root_lat",), "n_root", "n_root_err", "n_root", having="n_root > 0"
)


def get_overview(reader: Reader, wanted: MetricFilter, window: Window, *, timeout_s: float = 30.0) -> Overview:
    """What happened in a window and in the one of equal length before it.

    Args:
        reader: the store.
        wanted: environments, names and models; each selects spans by their own values.
        window: widened to whole steps (see `whole_steps`), which is how the answer names it.
        timeout_s: for each query.

    Raises:
        StoreError: see `Reader.query`.
    """
    window = whole_steps(window)
    # Side by side: each spends a part of its time on one core.
    with ThreadPoolExecutor(2) as pool:
        sums_later = pool.submit(_sums, reader, wanted, window, timeout_s)
        models_later = pool.submit(_grouped, reader, wanted, window, _BY_MODEL, timeout_s)
        names = _grouped(reader, wanted, window, _BY_NAME, timeout_s)
        sums, models = sums_later.result(), models_later.result()
    current, previous = (_totals(sums.get(now), models[now].total, names[now].total) for now in (True, False))
    return Overview(
        start=time_of(window.start),
        end=time_of(window.end),
        current=current,
        previous=previous,
        by_model=_compared(models, _BY_MODEL),
        by_name=_compared(names, _BY_NAME),
    )


@dataclass(slots=True)
class _Groups:
    """The groups of one window, and the row over all of them (None when there is nothing)."""

    total: Row | None = None
    by_key: dict[str, Row] = field(default_factory=dict)


_IS_NOW: Final = "time >= toDateTime({split:UInt32}, 'UTC') AS now"


def _sums(reader: Reader, wanted: MetricFilter, window: Window, timeout_s: float) -> dict[bool, Row]:
    """Sums of the window (True) and of the one before (False), where there are any."""
    rows, parameters = source((*_SUMS, "users"), wanted, (window, window.before))
    sql = f"SELECT {_IS_NOW}, {_SUMMED}, uniqCombined64Merge(12)(users) AS users FROM {rows} GROUP BY now"
    parameters |= {"split": window.start // 1_000_000}
    answer = reader.query(sql, parameters, settings=PARALLEL, timeout_s=timeout_s).dicts()
    return {bool(row["now"]): row for row in answer}


def _grouped(
    reader: Reader, wanted: MetricFilter, window: Window, grouping: _Grouping, timeout_s: float
) -> dict[bool, _Groups]:
    """Groups of the window (True) and of the one before (False), in one reading of the states."""
    columns = (grouping.key, *_SUMS, *grouping.states)
    rows, parameters = source(columns, wanted, (window, window.before), only=grouping.only)
    # The states of the rows are merged once, into one of each group; the row over all groups is made of those.
    merged = ", ".join(f"{merged_quantiles(state)} AS {state}" for state in grouping.states)
    states = ", ".join(f"{quantiles(state)} AS {state}" for state in grouping.states)
    sql = (
        f"SELECT now, grouping(key) AS over_all, key, {_SUMMED}, {states} FROM "
        f"(SELECT {_IS_NOW}, {grouping.key} AS key, {_SUMMED}, {merged} FROM {rows} GROUP BY now, key "
        f"HAVING {grouping.having}) "
        "GROUP BY GROUPING SETS ((now, key), (now)) "
        f"ORDER BY over_all DESC, now DESC, {grouping.order} DESC, n DESC, key LIMIT {MAX_READ} BY now, over_all"
    )
    parameters |= {"split": window.start // 1_000_000}
    found = {True: _Groups(), False: _Groups()}
    for row in reader.query(sql, parameters, settings=PARALLEL, timeout_s=timeout_s).dicts():
        groups = found[bool(row["now"])]
        if row["over_all"]:
            groups.total = row
        else:
            groups.by_key[row["key"]] = row
    return found


def _totals(sums: Row | None, calls: Row | None, roots: Row | None) -> Totals:
    if sums is None:
        return Totals(requests=0, errors=0, llm_calls=0, usage=Usage(), cost_nanousd=None)
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


def _compared(windows: dict[bool, _Groups], grouping: _Grouping) -> list[Group]:
    before = windows[False].by_key
    groups = [_group(row, before.get(key), grouping) for key, row in windows[True].by_key.items()]
    return groups[:MAX_GROUPS]


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
