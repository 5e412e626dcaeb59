"""Totals of a window beside those of the window before, by model and by name."""

from typing import Any, Final

from spanwise_collector.query.rollups import (
    COST_COLUMNS,
    P50,
    P95,
    P99,
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
    current, previous = (_totals(reader, wanted, part, timeout_s) for part in (window, window.before))
    return Overview(
        start=time_of(window.start),
        end=time_of(window.end),
        current=current,
        previous=previous,
        by_model=_groups(
            reader, wanted, window, timeout_s, key="model", only="kind IN ('llm', 'embedding')", of_roots=False
        ),
        by_name=_groups(reader, wanted, window, timeout_s, key="name", only="n_root > 0", of_roots=True),
    )


def _totals(reader: Reader, wanted: MetricFilter, window: Window, timeout_s: float) -> Totals:
    rows, parameters = source((*_SUMS, "root_lat", "ttft", "users"), wanted, window)
    sql = (
        f"SELECT {_SUMMED}, {quantiles('root_lat')} AS took, {quantiles('ttft')} AS first, "
        f"uniqCombined64Merge(12)(users) AS users FROM {rows}"
    )
    row = reader.query(sql, parameters, timeout_s=timeout_s).dicts()[0]
    return Totals(
        requests=row["n_root"],
        errors=row["n_root_err"],
        llm_calls=row["n_calls"],
        usage=usage_of(row),
        cost_nanousd=cost_of(row),
        unpriced_calls=row["n_unpriced"],
        users=row["users"],
        latency_ms_p50=level_ms(row["took"], P50),
        latency_ms_p95=level_ms(row["took"], P95),
        latency_ms_p99=level_ms(row["took"], P99),
        ttft_ms_p50=level_ms(row["first"], P50),
        ttft_ms_p95=level_ms(row["first"], P95),
    )


def _groups(
    reader: Reader, wanted: MetricFilter, window: Window, timeout_s: float, *, key: str, only: str, of_roots: bool
) -> list[Group]:
    lat, calls, errors = ("root_lat", "n_root", "n_root_err") if of_roots else ("lat", "n", "n_err")
    found: dict[str, dict[str, Any]] = {}
    before: dict[str, dict[str, Any]] = {}
    for part, into in ((window, found), (window.before, before)):
        rows, parameters = source((key, "kind", *_SUMS, lat), wanted, part)
        sql = (
            f"SELECT {key} AS key, {_SUMMED}, {quantiles(lat)} AS took FROM (SELECT * FROM {rows} WHERE {only}) "
            f"GROUP BY key "
            f"ORDER BY {'n_root' if of_roots else 'cost_n'} DESC, n DESC, key LIMIT {MAX_GROUPS}"
        )
        into.update({row["key"]: row for row in reader.query(sql, parameters, timeout_s=timeout_s).dicts()})
    return [_group(row, before.get(name), calls, errors) for name, row in found.items()]


def _group(row: dict[str, Any], before: dict[str, Any] | None, calls: str, errors: str) -> Group:
    return Group(
        key=row["key"],
        calls=row[calls],
        errors=row[errors],
        usage=usage_of(row),
        cost_nanousd=cost_of(row),
        unpriced_calls=row["n_unpriced"],
        latency_ms_p50=level_ms(row["took"], P50),
        latency_ms_p95=level_ms(row["took"], P95),
        latency_ms_p99=level_ms(row["took"], P99),
        previous_calls=before[calls] if before else 0,
        previous_errors=before[errors] if before else 0,
        previous_cost_nanousd=cost_of(before) if before else None,
        previous_latency_ms_p95=level_ms(before["took"], P95) if before else None,
    )
