"""Reading the roll-ups: whole hours from `metrics_1h`, what is left at the borders from `metrics_1m`."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any, Final

from spanwise_collector.query.values import known_cost
from spanwise_collector.query.window import HOUR, MINUTE, Window
from spanwise_schemas.api import Usage


@dataclass(frozen=True, slots=True)
class MetricFilter:
    """Which rows of the roll-ups. Values of one filter are alternatives; empty: no filter. All are those of a span."""

    project: str
    environments: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    def condition(self) -> str:
        """SQL on a row; its parameters are those of `parameters`."""
        parts = ["project_id = {project:String}"]
        for column, values in self._lists():
            if values:
                parts.append(f"{column} IN {{{column}_in:Array(String)}}")
        return " AND ".join(parts)

    def parameters(self) -> dict[str, object]:
        """Values for the SQL of `condition`."""
        return {"project": self.project, **{f"{column}_in": list(values) for column, values in self._lists() if values}}

    def _lists(self) -> Sequence[tuple[str, tuple[str, ...]]]:
        return (("env", self.environments), ("name", self.names), ("model", self.models), ("kind", self.kinds))


def source(columns: Sequence[str], wanted: MetricFilter, window: Window) -> tuple[str, dict[str, object]]:
    """A subquery with the roll-up rows of a window, and its parameters.

    Args:
        columns: which to read; the time of a row comes as `time` (DateTime, start of its minute or hour).
        wanted: which rows.
        window: whole minutes.

    Returns:
        SQL in brackets, for FROM.
    """
    names = ", ".join(columns)
    minutes = f"SELECT minute AS time, {names} FROM metrics_1m WHERE {wanted.condition()} AND "
    start, end = window.start // 1_000_000, window.end // 1_000_000
    inner = Window(window.start + -window.start % HOUR, window.end - window.end % HOUR)
    parameters: dict[str, object] = {**wanted.parameters(), "start": start, "end": end}
    if inner.length <= 0:
        between = "minute >= toDateTime({start:UInt32}, 'UTC') AND minute < toDateTime({end:UInt32}, 'UTC')"
        return f"({minutes} {between})", parameters
    parameters |= {"hour_start": inner.start // 1_000_000, "hour_end": inner.end // 1_000_000}
    hours = (
        f"SELECT hour AS time, {names} FROM metrics_1h WHERE {wanted.condition()} "
        "AND hour >= toDateTime({hour_start:UInt32}, 'UTC') AND hour < toDateTime({hour_end:UInt32}, 'UTC')"
    )
    borders = (
        f"{minutes} ((minute >= toDateTime({{start:UInt32}}, 'UTC') AND minute < toDateTime({{hour_start:UInt32}}, "
        f"'UTC')) "
        "OR (minute >= toDateTime({hour_end:UInt32}, 'UTC') AND minute < toDateTime({end:UInt32}, 'UTC')))"
    )
    return f"({hours} UNION ALL {borders})", parameters


USAGE_COLUMNS: Final = ("tok_input", "tok_output", "tok_cache_read", "tok_cache_write", "tok_reasoning")
COST_COLUMNS: Final = ("n_calls", "n_unpriced", "cost_n")
# Places in what `quantiles` gives: levels 0.5, 0.9, 0.95 and 0.99.
P50: Final = 0
P95: Final = 2
P99: Final = 3


def quantiles(column: str) -> str:
    """SQL for the levels of a latency state, in microseconds. The first parameter is the sketch's relative error."""
    return f"quantilesDDMerge(0.01, 0.5, 0.9, 0.95, 0.99)({column})"


def level_ms(values: Sequence[float], level: int) -> float | None:
    """One level in milliseconds, or None when nothing was measured (the engine says an empty list, or NaN)."""
    return round(values[level] / 1000, 3) if values and not isnan(values[level]) else None


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


def whole_minutes(window: Window) -> Window:
    """The window as the roll-ups can answer it: every minute that it touches."""
    return window.aligned(MINUTE)
