"""Running SQL of users within limits, so that no question stops what is being stored or others' questions."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from spanwise_collector.sql_access.checking import Names, RefusedSqlError, checked, short
from spanwise_collector.sql_access.functions import allowed_functions
from spanwise_collector.sql_access.views import PROJECT, VIEWS, with_views
from spanwise_collector.store.database import Database, TypedResult, quoted
from spanwise_collector.store.errors import QueryLimitError, StoreError, TransientStoreError

_THREADS: Final = 2


@dataclass(frozen=True, slots=True)
class SqlLimits:
    """What one query may cost.

    Attributes:
        seconds: of execution.
        memory_bytes: at once.
        rows_read: from tables.
        rows: in the answer.
        at_once: queries; 0 for none at all.
    """

    seconds: float = 30.0
    memory_bytes: int = 1_000_000_000
    rows_read: int = 100_000_000
    rows: int = 10_000
    at_once: int = 2


@dataclass(frozen=True, slots=True)
class SqlResult:
    """Rows of an answer.

    Attributes:
        columns: name and ClickHouse type.
        rows: values as JSON has them.
        is_cut: there were more.
        seconds: it took.
    """

    columns: list[tuple[str, str]]
    rows: list[list[Any]]
    is_cut: bool
    seconds: float


class TooManyQueriesError(RuntimeError):
    """As many queries run as may; try again in a moment."""


class SqlRunner:
    """Runs checked SQL.

    Args:
        database: the store.
        limits: of one query.
        clock: monotonic seconds.
    """

    def __init__(self, database: Database, limits: SqlLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self.limits = limits
        self._clock = clock
        self._running = threading.BoundedSemaphore(max(1, limits.at_once))
        self._functions: frozenset[str] = frozenset()

    def run(self, project: str, text: str, *, rows: int | None = None) -> SqlResult:
        """Answer one SELECT over the views of a project.

        Args:
            project: whose rows.
            text: SQL of the user.
            rows: of the answer at most; the limit when None or more.

        Raises:
            RefusedSqlError: it may not be run.
            TooManyQueriesError: as many run as may.
            QueryLimitError: it took more than its limits.
            StoreError: as the store says.
        """
        with self._slot():
            sql = checked(self._database, text, self._known())
            most = min(rows or self.limits.rows, self.limits.rows)
            began = self._clock()
            whole = with_views(quoted(self._database.address.database), sql)
            answer = self._answer(whole, project, most)
            took = self._clock() - began
            columns = list(zip(answer.columns, answer.types, strict=True)) or self._described(whole)
        found = [[to_json(value) for value in row] for row in answer.rows[:most]]
        return SqlResult(columns, found, len(answer.rows) > most, took)

    def _answer(self, sql: str, project: str, rows: int) -> TypedResult:
        try:
            return self._database.query_typed(
                sql, {PROJECT: project}, settings=self._settings(project, rows), timeout_s=self.limits.seconds
            )
        except (TransientStoreError, QueryLimitError):
            raise
        except StoreError as error:
            raise RefusedSqlError(f"ClickHouse cannot run this: {short(str(error))}") from error

    def columns(self) -> dict[str, list[tuple[str, str]]]:
        """The views' columns with their types."""
        database = quoted(self._database.address.database)
        return {name: self._described(with_views(database, f"SELECT * FROM {name}")) for name in VIEWS}

    def _described(self, sql: str) -> list[tuple[str, str]]:
        """Columns of a query; the engine does not tell them with an answer that has no rows."""
        rows = self._database.query(f"DESCRIBE ({sql})", {PROJECT: ""}).rows
        return [(str(row[0]), str(row[1])) for row in rows]

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if self.limits.at_once < 1:
            raise TooManyQueriesError("SQL is switched off (SPANWISE_SQL_AT_ONCE=0).")
        if not self._running.acquire(blocking=False):
            raise TooManyQueriesError(
                f"{self.limits.at_once} queries run already, as many as SPANWISE_SQL_AT_ONCE allows. Try again soon."
            )
        try:
            yield
        finally:
            self._running.release()

    def _known(self) -> Names:
        """What there is now: a replay makes databases, which must not be read either."""
        self._functions = self._functions or allowed_functions(self._database)
        databases = [str(name) for (name,) in self._database.query("SELECT name FROM system.databases").rows]
        tables = self._database.query("SELECT name FROM system.tables WHERE database = currentDatabase()").rows
        return Names(databases, [str(name) for (name,) in tables], self._functions)

    def _settings(self, project: str, rows: int) -> Mapping[str, object]:
        return {
            # Settings cannot be changed from here on, the filters below least of all.
            "readonly": 1,
            "additional_table_filters": self._filters(project),
            # Without a LIMIT of its own the answer is cut, and the order of the query is kept.
            "limit": rows + 1,
            "query_plan_remove_redundant_sorting": 0,
            "max_memory_usage": self.limits.memory_bytes,
            "max_rows_to_read": self.limits.rows_read,
            "max_result_rows": 0,
            "max_result_bytes": 100_000_000,
            "max_threads": _THREADS,
            "max_ast_depth": 200,
            "max_ast_elements": 10_000,
            "max_expanded_ast_elements": 50_000,
            "max_subquery_depth": 20,
        }

    def _filters(self, project: str) -> str:
        """The second wall: even a table that is read past the views shows rows of the project alone, or none."""
        database = self._database.address.database
        own = f"project_id = unhex(\\'{project.encode().hex()}\\')"
        with_project = {view.table.split()[0] for view in VIEWS.values()}
        parts = [f"'{database}.{name}': '{own if name in with_project else '0'}'" for name in self._known().tables]
        return "{" + ", ".join(parts) + "}"


def to_json(value: Any) -> Any:
    """A value of the engine as JSON has it: bytes as hex, no number as null, times as RFC 3339 in UTC."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case bytes():
            return value.hex()
        case datetime():
            return value.isoformat().removesuffix("+00:00") + "Z"
        case date():
            return value.isoformat()
        case Decimal():
            return float(value)
        case dict():
            return {str(key): to_json(one) for key, one in value.items()}
        case list() | tuple():
            return [to_json(one) for one in value]
        case _:
            return str(value)
