"""Roll-ups of one day made anew from the spans that remain.

Sums could be subtracted, but sketches of durations and of distinct users could not. So a day's rows of a project are
removed in every roll-up, and what remains goes in once more by the view that had filled the first one, from which the
coarser ones follow.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from spanwise_collector.erase.book import TIMEOUT_S, Store
from spanwise_collector.store.change import literal

_FROM_SPANS: Final = re.compile(r"FROM (?:`?\w+`?\.)?`?spans(?:_local)?`?(?: AS `?spans`?)?(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Rollup:
    """A chain of roll-ups.

    Attributes:
        levels: tables, the finest first; each is filled from the one before.
        view: fills the first from `spans`.
        keys: columns beside project and time.
        checked: sums that are compared at the end.
    """

    levels: tuple[str, ...]
    view: str
    keys: tuple[str, ...]
    checked: tuple[str, ...]


METRICS: Final = Rollup(
    ("metrics_1m", "metrics_10m", "metrics_1h", "metrics_1d"),
    "metrics_1m_mv",
    ("env", "kind", "model", "name"),
    ("n", "n_root", "n_err", "n_calls", "n_unpriced", "tok_input", "tok_output", "cost_n"),
)
SIGNALS: Final = Rollup(
    ("signals_5m", "signals_1h"),
    "signals_5m_mv",
    ("kind", "is_root", "env", "name", "model", "provider", "prompt", "release", "tool", "user_group"),
    ("n", "n_err", "n_calls", "n_priced", "cost_n"),
)
ROLLUPS: Final = (METRICS, SIGNALS)
BY_MONTH: Final = frozenset({"metrics_1h", "metrics_1d", "signals_1h"})
"""Roll-ups whose partitions are months; those of all others are days."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a project.

    Attributes:
        project: whose.
        date: `2026-11-22`, UTC.
    """

    project: str
    date: str

    def part_of(self, table: str) -> str:
        """Where a table has it, for DELETE: without this every part of every day would be looked at."""
        return f"IN PARTITION {self.date[:7].replace('-', '') if table in BY_MONTH else literal(self.date)}"

    def of(self, column: str) -> str:
        """SQL that selects rows of it by a column of time."""
        start = f"toDateTime64({literal(self.date)}, 6, 'UTC')"
        return f"project_id = {literal(self.project)} AND {column} >= {start} AND {column} < {start} + toIntervalDay(1)"


class RollupMaker:
    """Makes one roll-up's day anew.

    Args:
        store: the database.
        rollup: which.
        day: of it.
        without: SQL on spans that are to be left out.
    """

    def __init__(self, store: Store, rollup: Rollup, day: Day, without: str) -> None:
        self._store = store
        self._rollup = rollup
        self._day = day
        self._view = self._select_of_view()
        self._fresh = self._select(f"NOT ({without})")
        # Before anything is changed: where spans have expired, or were replaced, the roll-up knows more than they do.
        self._kept = self._more_than(self._select("1"))

    @property
    def name(self) -> str:
        """Of the roll-up: its first table."""
        return self._rollup.levels[0]

    @property
    def kept(self) -> int:
        """Combinations that are left as they are, since not all of their spans are there any more."""
        return len(self._kept)

    def make(self) -> int:
        """Do it; how many rows of the first roll-up came of it."""
        for level in self._rollup.levels:
            table = f"{level}_local ON CLUSTER {self._store.cluster}" if self._store.cluster else level
            self._store.command(
                f"DELETE FROM {table} {self._day.part_of(level)} WHERE {self._day.of('time')}{self._but_kept()} "
                "SETTINGS lightweight_deletes_sync = 2"
            )
        columns = ", ".join(self._columns())
        self._store.command(
            f"INSERT INTO {self._rollup.levels[0]} ({columns}) SELECT {columns} FROM ({self._fresh}) WHERE 1"
            f"{self._but_kept()} SETTINGS insert_deduplicate = 0"
        )
        return int(self._store.query(f"SELECT count() FROM ({self._fresh})", timeout_s=TIMEOUT_S).rows[0][0])

    def differs(self) -> bool:
        """Whether it says something else than the spans: ingest has interfered, and it has to be made once more."""
        keys, sums = ", ".join(self._rollup.keys), self._rollup.checked
        signed = ", ".join(f"sum(toInt64({name})) AS s_{name}" for name in sums)
        differences = ", ".join(f"sum(sign * s_{name}) AS d_{name}" for name in sums)
        found = self._store.query(
            f"SELECT count() FROM (SELECT {keys}, {differences} FROM ("
            f"SELECT {keys}, {signed}, 1 AS sign FROM ({self._fresh}) GROUP BY {keys} UNION ALL "
            f"SELECT {keys}, {signed}, -1 AS sign FROM {self._rollup.levels[-1]} WHERE {self._day.of('time')} "
            f"GROUP BY {keys}) WHERE 1{self._but_kept()} GROUP BY {keys} "
            f"HAVING {' OR '.join(f'd_{name} != 0' for name in sums)})",
            timeout_s=TIMEOUT_S,
        )
        return bool(found.rows[0][0])

    def _select_of_view(self) -> str:
        rows = self._store.query(
            "SELECT as_select FROM system.tables WHERE database = currentDatabase() AND name = {view:String}",
            {"view": self._rollup.view},
        ).rows
        return str(rows[0][0])

    def _select(self, where: str) -> str:
        spans = f"FROM (SELECT * FROM spans WHERE {self._day.of('start_time')} AND {where}) AS spans"
        found, replaced = _FROM_SPANS.subn(lambda _: spans, self._view)
        if replaced != 1:
            raise RuntimeError(f"{self._rollup.view} does not read the table spans in one place: {self._view}")
        return found

    def _more_than(self, spans: str) -> list[tuple[object, ...]]:
        keys = ", ".join(self._rollup.keys)
        return [
            tuple(row)
            for row in self._store.query(
                f"SELECT {keys} FROM (SELECT {keys}, toInt64(sum(n)) AS summed, 1 AS sign FROM "
                f"{self._rollup.levels[-1]} WHERE {self._day.of('time')} GROUP BY {keys} UNION ALL "
                f"SELECT {keys}, toInt64(sum(n)) AS summed, -1 AS sign FROM ({spans}) GROUP BY {keys}) "
                f"GROUP BY {keys} HAVING sum(sign * summed) > 0 ORDER BY {keys}",
                timeout_s=TIMEOUT_S,
            ).rows
        ]

    def _but_kept(self) -> str:
        if not self._kept:
            return ""
        return f" AND ({', '.join(self._rollup.keys)}) NOT IN ({', '.join(map(_tuple, self._kept))})"

    def _columns(self) -> Sequence[str]:
        return [
            str(name)
            for (name,) in self._store.query(
                "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String} "
                "ORDER BY position",
                {"table": self._rollup.levels[0]},
            ).rows
        ]


def _tuple(values: tuple[object, ...]) -> str:
    shown = (str(int(value)) if isinstance(value, bool) else literal(str(value)) for value in values)
    return f"({', '.join(shown)})"
