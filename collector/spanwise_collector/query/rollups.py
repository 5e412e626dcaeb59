"""Reading the roll-ups: a window is covered by whole days, hours and ten minutes, and by minutes at its ends.

So a question reads about as many rows for a year as for a day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any, Final

from spanwise_collector.query.values import known_cost
from spanwise_collector.query.window import DAY, HOUR, MINUTE, Window
from spanwise_schemas.api import Usage

TABLES: Final = ((DAY, "metrics_1d"), (HOUR, "metrics_1h"), (10 * MINUTE, "metrics_10m"), (MINUTE, "metrics_1m"))
# The roll-ups are small and their aggregate states expensive to read: share even few rows among the cores.
PARALLEL: Final[dict[str, object]] = {
    "merge_tree_min_rows_for_concurrent_read": 1,
    "merge_tree_min_bytes_for_concurrent_read": 1,
}


@dataclass(frozen=True, slots=True)
class MetricFilter:
    """Which rows of the roll-ups. Values of one filter are alternatives; empty: no filter. All are those of a span."""

    project: str
    environments: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    def condition(self) -> str:
        """SQL on a row; `parameters` has its values."""
        used = (f"{column} IN {{{column}_in:Array(String)}}" for column, values in self._lists() if values)
        return " AND ".join(("project_id = {project:String}", *used))

    def parameters(self) -> dict[str, object]:
        """Values for the SQL of `condition`."""
        return {"project": self.project, **{f"{column}_in": list(values) for column, values in self._lists() if values}}

    def _lists(self) -> Sequence[tuple[str, tuple[str, ...]]]:
        return (("env", self.environments), ("name", self.names), ("model", self.models), ("kind", self.kinds))


def cover(window: Window, step: int = DAY) -> list[tuple[str, Window]]:
    """The parts of a window, each with the coarsest roll-up that has it in whole steps.

    Args:
        window: whole minutes.
        step: only roll-ups whose steps fit into this are used; microseconds.

    Returns:
        Table and part; together the parts are the window, and none overlap.
    """
    return _cover(window, [(length, table) for length, table in TABLES if step % length == 0])


def _cover(window: Window, tables: Sequence[tuple[int, str]]) -> list[tuple[str, Window]]:
    if window.length <= 0 or not tables:
        return []
    (step, table), *finer = tables
    first, last = window.start + -window.start % step, window.end - window.end % step
    if first >= last:
        return _cover(window, finer)
    ends = _cover(Window(window.start, first), finer) + _cover(Window(last, window.end), finer)
    return [(table, Window(first, last)), *ends]


def source(
    columns: Sequence[str], wanted: MetricFilter, windows: Sequence[Window], *, only: str = "1", step: int = DAY
) -> tuple[str, dict[str, object]]:
    """A subquery with the roll-up rows of some windows.

    Args:
        columns: which to read; the start of a row's step comes as `time` (DateTime).
        wanted: which rows.
        windows: whole minutes; they do not overlap.
        only: a further condition, without parameters.
        step: only roll-ups whose steps fit into this are used; microseconds.

    Returns:
        SQL in brackets, for FROM, and its parameters.
    """
    ranges: dict[str, list[str]] = {}
    parameters = wanted.parameters()
    for number, (table, part) in enumerate(part for window in windows for part in cover(window, step)):
        between = (
            f"(time >= toDateTime({{from{number}:UInt32}}, 'UTC') AND time < toDateTime({{to{number}:UInt32}}, 'UTC'))"
        )
        ranges.setdefault(table, []).append(between)
        parameters |= {f"from{number}": part.start // 1_000_000, f"to{number}": part.end // 1_000_000}
    # One SELECT for each table: every further one costs about as much as reading a thousand rows.
    selects = (
        f"SELECT time, {', '.join(columns)} FROM {table} WHERE {wanted.condition()} AND {only} AND "
        f"({' OR '.join(parts)})"
        for table, parts in ranges.items()
    )
    return f"({' UNION ALL '.join(selects)})", parameters


USAGE_COLUMNS: Final = ("tok_input", "tok_output", "tok_cache_read", "tok_cache_write", "tok_reasoning")
COST_COLUMNS: Final = ("n_calls", "n_unpriced", "cost_n")
# Places in what `quantiles` gives: levels 0.5, 0.9, 0.95 and 0.99.
P50: Final = 0
P95: Final = 2
P99: Final = 3


def quantiles(column: str) -> str:
    """SQL for the levels of a latency state, in microseconds. The first parameter is the sketch's relative error."""
    return f"quantilesDDMerge(0.01, 0.5, 0.9, 0.95, 0.99)({column})"


def merged_quantiles(column: str) -> str:
    """SQL that merges latency states into one, which `quantiles` can read."""
    return f"quantilesDDMergeState(0.01, 0.5, 0.9, 0.95, 0.99)({column})"


def level_ms(values: Sequence[float], level: int) -> float | None:
    """One level in milliseconds, or None when nothing was measured."""
    return None if isnan(values[level]) else round(values[level] / 1000, 3)


def usage_of(row: dict[str, Any]) -> Usage:
    """Tokens from a row with `USAGE_COLUMNS`."""
    return Usage(
        input=row["tok_input"],
        output=row["tok_output"],
        cache_read=row["tok_cache_read"],
        cache_write=row["tok_cache_write"],
        reasoning=row["tok_reasoning"],
    )


def cost_of(row: dict[str, Any]) -> int | None:
    """Cost from a row with `COST_COLUMNS`."""
    return known_cost(row["cost_n"], row["n_calls"] - row["n_unpriced"])


def whole_steps(window: Window) -> Window:
    """The window widened to whole minutes, from 6 hours on to ten minutes, from 7 days on to hours.

    The ends of a long window would cost more than its middle and change its sums by less than 3 %.
    """
    step = MINUTE if window.length < 6 * HOUR else 10 * MINUTE if window.length < 7 * DAY else HOUR
    return window.aligned(step)
