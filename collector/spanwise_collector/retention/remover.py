"""Removes what is older than its project keeps it. Each step may be done again."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from spanwise_collector.erase.book import Store
from spanwise_collector.retention.policy import TABLES, Policy, Rule, rules
from spanwise_collector.store.change import literal

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 120.0
COUNTS: Final = {"rows": "Rows that were removed since their project keeps them for a shorter time."}


class Remover:
    """Goes through the tables.

    Args:
        store: the database.
        policies: reads what the file says now.
        now: the time of day, UTC.
    """

    def __init__(self, store: Store, policies: Callable[[], Sequence[Policy]], now: Callable[[], datetime]) -> None:
        self._store = store
        self._policies = policies
        self._now = now

    def step(self) -> Mapping[str, int]:
        """One round; what it did, by name of the count."""
        removed = 0
        touched: set[str] = set()
        for rule in rules(self._policies()):
            for table, column in TABLES[rule.what].items():
                where = f"{rule.where} AND {column} < {self._before(rule)}"
                rows = self._count(table, where)
                if rows:
                    self._remove(table, where)
                    touched.add(table)
                    removed += rows
                    log.info("removed %d rows of %s that are older than %d days", rows, table, rule.days)
        for table in sorted(touched):
            self._store.command(f"ALTER TABLE {self._local(table)} APPLY DELETED MASK SETTINGS mutations_sync = 2")
        return {"rows": removed}

    def _before(self, rule: Rule) -> str:
        """The first day that stays: whole days go, so that a day's spans and roll-ups never differ by a part of it."""
        first = (self._now() - timedelta(days=rule.days)).date()
        return f"toDateTime64({literal(first.isoformat())}, 6, 'UTC')"

    def _count(self, table: str, where: str) -> int:
        return int(self._store.query(f"SELECT count() FROM {table} WHERE {where}", timeout_s=TIMEOUT_S).rows[0][0])

    def _remove(self, table: str, where: str) -> None:
        if table == "spans":
            # So that the audit does not miss them.
            self._store.command(
                "INSERT INTO removed_offsets SELECT ktopic, kpart, koff, 'retention', count(), now64(3) FROM spans "
                f"WHERE {where} GROUP BY ktopic, kpart, koff SETTINGS insert_deduplicate = 0"
            )
        self._store.command(f"DELETE FROM {self._local(table)} WHERE {where} SETTINGS lightweight_deletes_sync = 2")

    def _local(self, table: str) -> str:
        return f"{table}_local ON CLUSTER {self._store.cluster}" if self._store.cluster else table
