"""Days of tables beside those in use: rows made anew, and beside them the rows in use that came from other records.

A day is made at once or not at all: whoever finds one half made drops it and begins it again. Everything that is summed
from spans comes from the views of the shadow database, as in use.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

from spanwise_collector.replay.plan import Plan
from spanwise_collector.replay.spec import ReplayError
from spanwise_collector.store.change import literal
from spanwise_collector.store.database import Database, Reader, quoted

BY_DAY: Final = ("span_io", "span_content", "trace_agg", "metrics_1m", "metrics_10m", "failures", "signals_5m")
"""Tables with one partition per day that are put in place from the shadow as they are; `spans` goes another way."""
BY_MONTH: Final = ("metrics_1h", "metrics_1d", "signals_1h")
"""Tables with one partition per month: of these the other days are taken over before they are put in place."""
COPIED_BY_MONTH: Final = ("metrics_1h", "signals_1h")
"""Those of them that the others are made of."""
VIEWS: Final = tuple(f"{table}_mv" for table in (*BY_DAY[2:], *BY_MONTH))
SPANS_OUT: Final = "spans_out"
"""Rows of `spans` as they go in use: freshly written, since a part that was merged carries numbers of rows that mean
something else in another table."""
_HOUR_S: Final = 3_600
_COPY: Final = (
    "insert_deduplicate = 0, max_threads = 1, max_insert_threads = 1, max_partitions_per_insert_block = 0, "
    "max_memory_usage = 2000000000, min_insert_block_size_rows = 100000, min_insert_block_size_bytes = 67108864"
)
_KEY: Final = "project_id, trace_id, span_id, start_time"
_CONTENT_KEY: Final = "project_id, trace_id, span_id, time, side, seq"
_TIMEOUT_S: Final = 120.0


class Shadow:
    """The shadow database.

    Args:
        live: the store in use; read only here.
        rebuilt: rows made anew.
        shadow: where days are put together.
        plan: which rows are made anew.
    """

    def __init__(self, live: Database, rebuilt: Database, shadow: Database, plan: Plan) -> None:
        self._db = shadow
        self._live = quoted(live.address.database)
        self._rebuilt = quoted(rebuilt.address.database)
        self._shadow = quoted(shadow.address.database)
        self._plan = plan

    def days(self) -> list[date]:
        """The days on which spans or contents lie that are made anew, or that what is made anew replaces."""
        rows = self._db.query(
            f"SELECT day FROM (SELECT DISTINCT toDate(start_time) AS day FROM {self._live}.spans "
            f"WHERE {self._plan.in_range} "
            f"UNION DISTINCT SELECT DISTINCT toDate(start_time) FROM {self._rebuilt}.spans "
            f"UNION DISTINCT SELECT DISTINCT toDate(time) FROM {self._rebuilt}.span_content) ORDER BY day",
            timeout_s=_TIMEOUT_S,
        ).rows
        return [day for (day,) in rows]

    def check(self, day: date) -> None:
        """Whether the spans of a day are all still there, so that its sums can be made of them.

        Raises:
            ReplayError: some were deleted.
        """
        stored, summed = self._db.query(
            f"SELECT (SELECT count() FROM {self._live}.spans WHERE toDate(start_time) = {{day:Date}}), "
            f"(SELECT sum(n) FROM {self._live}.metrics_1d WHERE toDate(time) = {{day:Date}})",
            {"day": day},
            timeout_s=_TIMEOUT_S,
        ).rows[0]
        if stored < summed:
            raise ReplayError(
                f"Of {summed:,} spans that are counted on {day} only {stored:,} are stored; the others were deleted, "
                "by retention or by hand. Their share of the charts could not be made anew. Take a later --from."
            )

    def build(self, day: date) -> None:
        """Put a day together from its beginning."""
        self._drop(day)
        for table, column in (("spans", "start_time"), ("span_io", "start_time"), ("span_content", "time")):
            source = f"{self._rebuilt}.{table}"
            for within in hours(self._db, source, column, f"toDate({column}) = '{day}'"):
                self._run(f"INSERT INTO {table} SELECT * FROM {source} WHERE {within}")
        self._take_over(day, self._plan.is_early)

    def catch_up(self, days: Sequence[date]) -> None:
        """Take over what was stored on these days since the plan was made; nothing may be stored meanwhile."""
        for day in days:
            self._take_over(day, f"NOT {self._plan.is_early}")

    def _take_over(self, day: date, which: str) -> None:
        """Copy rows in use that came from other records, hour by hour: so few keys are in memory at once."""
        spans, others = f"{self._live}.spans", f"NOT {self._plan.in_range} AND {which}"
        for within in hours(self._db, spans, "start_time", f"toDate(start_time) = '{day}' AND {others}"):
            self._run(f"INSERT INTO spans SELECT * FROM {spans} WHERE {within} AND {others}")
            self._run(
                f"INSERT INTO span_io SELECT * FROM {self._live}.span_io WHERE {within} AND ({_KEY}) IN "
                f"(SELECT {_KEY} FROM {spans} WHERE {within} AND {others})"
            )
        # Rows that came as log records do not say from which; what is made anew replaces what has its key.
        contents = f"{self._live}.span_content"
        for within in hours(self._db, contents, "time", f"toDate(time) = '{day}'"):
            self._run(
                f"INSERT INTO span_content SELECT * FROM {contents} WHERE {within} AND ({_CONTENT_KEY}) NOT IN "
                f"(SELECT {_CONTENT_KEY} FROM {self._shadow}.span_content WHERE {within})"
            )

    def abandon_amendment(self) -> None:
        """Forget a change that was begun: the rows that it was made for are put together anew."""
        self._run(
            "INSERT INTO amendments SELECT * REPLACE ('done' AS state, toUInt8(2) AS step, '' AS change) "
            "FROM amendments ORDER BY number DESC, step DESC LIMIT 1"
        )

    def take_over_ledger(self, *, late: bool) -> None:
        """Say which batches settling has to look at: those made anew, or those stored since the plan was made."""
        self._db.command("TRUNCATE TABLE ingest_ledger")
        if late:
            known = " OR ".join(
                f"(topic = {literal(one.topic)} AND topic_id = {literal(one.topic_id)} AND part = {one.part} "
                f"AND off_to <= {one.last})"
                for one in self._plan.early
            )
            self._run(f"INSERT INTO ingest_ledger SELECT * FROM {self._live}.ingest_ledger WHERE NOT ({known})")
        else:
            self._run(f"INSERT INTO ingest_ledger SELECT * FROM {self._rebuilt}.ingest_ledger")

    def finish(self, days: Sequence[date]) -> None:
        """Write what goes in use: the spans of these days, and whole months of what is kept by month."""
        self._db.command(f"CREATE TABLE IF NOT EXISTS {SPANS_OUT} AS spans")
        self._db.command(f"SYSTEM STOP MERGES {SPANS_OUT}")
        self._db.command(f"TRUNCATE TABLE {SPANS_OUT}")
        for day in days:
            for within in hours(self._db, "spans", "start_time", f"toDate(start_time) = '{day}'"):
                self._run(f"INSERT INTO {SPANS_OUT} SELECT * FROM spans WHERE {within}")
        listed = ", ".join(f"'{day}'" for day in days)
        months = ", ".join(str(month) for month in months_of(days))
        for table in BY_MONTH:
            self._delete(table, f"toDate(time) NOT IN ({listed})")
        for table in COPIED_BY_MONTH:
            self._run(
                f"INSERT INTO {table} SELECT * FROM {self._live}.{table} "
                f"WHERE toYYYYMM(time) IN ({months}) AND toDate(time) NOT IN ({listed})"
            )

    def _drop(self, day: date) -> None:
        for table in ("spans", *BY_DAY):
            self._db.command(f"ALTER TABLE {table} DROP PARTITION '{day}'")
        for table in BY_MONTH:
            self._delete(table, f"toDate(time) = '{day}'")

    def _delete(self, table: str, where: str) -> None:
        if self._db.query(f"SELECT 1 FROM {table} WHERE {where} LIMIT 1").rows:
            self._db.command(f"ALTER TABLE {table} DELETE WHERE {where} SETTINGS mutations_sync = 2")

    def _run(self, sql: str) -> None:
        self._db.command(f"{sql} SETTINGS {_COPY}")


def drop_views(rebuilt: Database) -> None:
    """Take the views off tables of which only the rows themselves are wanted."""
    for view in VIEWS:
        rebuilt.command(f"DROP VIEW IF EXISTS {view}")


def months_of(days: Sequence[date]) -> list[int]:
    """Partitions by month, `YYYYMM`."""
    return sorted({day.year * 100 + day.month for day in days})


def hours(reader: Reader, table: str, column: str, where: str) -> list[str]:
    """Conditions that hold for the rows of one hour each, for the hours of which a table has rows.

    Args:
        reader: the store.
        table: as SQL.
        column: its time.
        where: which rows.
    """
    rows = reader.query(
        f"SELECT DISTINCT toUnixTimestamp(toStartOfHour({column})) AS hour FROM {table} WHERE {where} ORDER BY hour",
        timeout_s=_TIMEOUT_S,
    ).rows
    return [
        f"{column} >= toDateTime64({hour}, 6, 'UTC') AND {column} < toDateTime64({hour + _HOUR_S}, 6, 'UTC')"
        for (hour,) in rows
    ]
