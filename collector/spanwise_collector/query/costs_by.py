"""What a window cost, by one dimension, dearest first, beside the window before.

What belongs to a call (model, name, environment) comes from the roll-ups, the prompt from the calls' spans. What
belongs to a whole trace (request, user, session, release) often stands on its root span alone: it is lifted to the
trace and holds for all its calls. Long windows read that from `trace_agg`, which has a row per trace and hour.
"""

from collections.abc import Mapping
from typing import Any, Final

from spanwise_collector.query.costs_source import OF_SPAN, SUMS, CallFilter, totals_of
from spanwise_collector.query.rollups import COST_COLUMNS, PARALLEL, MetricFilter, cost_of, source, whole_steps
from spanwise_collector.query.values import time_of
from spanwise_collector.query.window import DAY, HOUR, Window
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_costs import CostBreakdown, CostDimension, CostGroup

MAX_GROUPS: Final = 100
FROM_TRACES: Final = 7 * DAY
"""From this length on windows are whole hours, as the rows of `trace_agg` are."""
_ROLLED: Final[Mapping[CostDimension, str]] = {"model": "model", "name": "name", "environment": "env"}
_LIFTED: Final[Mapping[CostDimension, str]] = {
    "request": "root_name",
    "user": "user_id",
    "session": "session_id",
    "release": "release",
}
_IN_TRACES: Final = ("n_calls", "n_unpriced", "cost_n", "tok_input", "tok_output")
_NOT_IN_TRACES: Final = tuple(name for name in SUMS if name not in _IN_TRACES)


def get_cost_breakdown(
    reader: Reader, wanted: CallFilter, window: Window, by: CostDimension, *, timeout_s: float = 30.0
) -> CostBreakdown:
    """Groups of a window's calls, dearest first, at most `MAX_GROUPS`.

    Args:
        reader: the store.
        wanted: which calls.
        window: widened to whole steps (see `whole_steps`), which is how the answer names it.
        by: the dimension.
        timeout_s: for each query.

    Raises:
        StoreError: see `Reader.query`.
    """
    window = whole_steps(window)
    rows, parameters, cached_known = _rows(wanted, window, by)
    sums = ", ".join(f"sumIf(s.{name}, now) AS {name}" for name in SUMS)
    before = ", ".join(f"sumIf(s.{name}, NOT now) AS previous_{name}" for name in COST_COLUMNS)
    sql = (
        f"SELECT *, count() OVER () AS n_groups FROM (SELECT key, version, {sums}, {before} FROM ({rows}) AS s "
        "GROUP BY key, version HAVING n_calls > 0) "
        f"ORDER BY cost_n DESC, n_calls DESC, key, version LIMIT {MAX_GROUPS}"
    )
    answer = reader.query(sql, parameters, settings=_SETTINGS, timeout_s=timeout_s).dicts()
    return CostBreakdown(
        start=time_of(window.start),
        end=time_of(window.end),
        by=by,
        groups=[_group(row, cached_known=cached_known) for row in answer],
        left_out=answer[0]["n_groups"] - len(answer) if answer else 0,
    )


# A Distributed table inside a join is asked as a whole, not shard by shard.
_SETTINGS: Final[dict[str, object]] = {**PARALLEL, "distributed_product_mode": "global"}


def _rows(wanted: CallFilter, window: Window, by: CostDimension) -> tuple[str, dict[str, object], bool]:
    """SQL for rows (key, version, now, sums), its parameters, and whether cached tokens are in the sums."""
    if by in _ROLLED:
        return *_from_rollups(wanted, window, _ROLLED[by]), True
    if by == "prompt":
        return *_from_spans(wanted, window), True
    column = _LIFTED[by]
    if window.length >= FROM_TRACES and not (wanted.names or wanted.models):
        return *_from_traces(wanted, window, column), False
    return *_joined(wanted, window, column), True


def _from_rollups(wanted: CallFilter, window: Window, column: str) -> tuple[str, dict[str, object]]:
    rolled = MetricFilter(wanted.project, wanted.environments, wanted.names, wanted.models)
    rows, parameters = source((column, *SUMS), rolled, (window, window.before), only="n_calls > 0")
    now = "time >= toDateTime({split:UInt32}, 'UTC')"
    sql = f"SELECT {column} AS key, '' AS version, {now} AS now, {', '.join(SUMS)} FROM {rows}"
    return sql, parameters | {"split": window.start // 1_000_000}


_NOW: Final = "start_time >= fromUnixTimestamp64Micro({split:Int64}, 'UTC') AS now"
_SPAN_SUMS: Final = ", ".join(f"{sql} AS {name}" if sql != name else name for name, sql in OF_SPAN.items())


def _both(wanted: CallFilter, window: Window) -> dict[str, object]:
    """Parameters for the window and the one before, `split` between them."""
    return wanted.parameters(Window(window.before.start, window.end)) | {"split": window.start}


def _from_spans(wanted: CallFilter, window: Window) -> tuple[str, dict[str, object]]:
    sql = (
        f"SELECT prompt_name AS key, prompt_version AS version, {_NOW}, {_SPAN_SUMS} FROM spans "
        f"WHERE {wanted.condition()} AND counts_usage"
    )
    return sql, _both(wanted, window)


def _joined(wanted: CallFilter, window: Window, column: str) -> tuple[str, dict[str, object]]:
    """The calls' own sums by trace, with the trace's value."""
    sums = ", ".join(f"sum({sql}) AS {name}" for name, sql in OF_SPAN.items())
    sql = (
        f"SELECT t.key AS key, '' AS version, c.now AS now, {', '.join(f'c.{name} AS {name}' for name in SUMS)} FROM "
        f"(SELECT trace_id, {_NOW}, {sums} FROM spans WHERE {wanted.condition()} AND counts_usage "
        f"GROUP BY trace_id, now) AS c LEFT JOIN (SELECT trace_id, max({column}) AS key FROM trace_agg "
        "WHERE project_id = {project:String} AND bucket >= fromUnixTimestamp64Micro({low:Int64}, 'UTC') "
        "AND bucket < fromUnixTimestamp64Micro({high:Int64}, 'UTC') GROUP BY trace_id) AS t ON c.trace_id = t.trace_id"
    )
    # A trace may have begun before the window, and end after it.
    return sql, _both(wanted, window) | {"low": window.before.start - DAY, "high": window.end + HOUR}


def _from_traces(wanted: CallFilter, window: Window, column: str) -> tuple[str, dict[str, object]]:
    sums = ", ".join(f"sum(a.{name}) AS {name}" for name in _IN_TRACES)
    missing = ", ".join(f"toUInt64(0) AS {name}" for name in _NOT_IN_TRACES)
    environment = "AND env IN {envs:Array(String)}" if wanted.environments else ""
    sql = (
        f"SELECT max({column}) AS key, '' AS version, "
        f"min(bucket) >= fromUnixTimestamp64Micro({{split:Int64}}, 'UTC') AS now, {sums}, {missing} "
        "FROM trace_agg AS a WHERE project_id = {project:String} "
        "AND bucket >= fromUnixTimestamp64Micro({start:Int64}, 'UTC') "
        f"AND bucket < fromUnixTimestamp64Micro({{end:Int64}}, 'UTC') {environment} GROUP BY trace_id"
    )
    return sql, _both(wanted, window)


def _group(row: dict[str, Any], *, cached_known: bool) -> CostGroup:
    before = {name: row[f"previous_{name}"] for name in COST_COLUMNS}
    return CostGroup(
        key=row["key"],
        version=row["version"],
        totals=totals_of(row),
        cached_known=cached_known,
        previous_calls=before["n_calls"],
        previous_cost_nanousd=cost_of(before),
    )
