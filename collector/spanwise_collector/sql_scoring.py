"""SQL evaluators as a part of the process: what the API and the role `evals` share, and what that role does."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from prometheus_client.registry import Collector

from spanwise_collector.alerts.assembly import holder_name
from spanwise_collector.alerts.claims import Lease
from spanwise_collector.api.sql_evaluating import SqlEvaluating
from spanwise_collector.periodic import Periodic
from spanwise_collector.settings import Settings
from spanwise_collector.sql_evals.backfill import Backfiller
from spanwise_collector.sql_evals.definitions import Definitions
from spanwise_collector.sql_evals.jobs import Jobs
from spanwise_collector.sql_evals.live import LiveRounds
from spanwise_collector.sql_evals.runner import sql_evals_runner
from spanwise_collector.sql_evals.scoring import MEMORY_BYTES
from spanwise_collector.store.database import Database, ReadLimits

LEASE: Final = "sql_evals"
LEASE_S: Final = 120.0
"""More than a slice may take. What is done after it was lost is harmless: the ids of scores follow from their spans."""


class SqlScoring:
    """Scoring by SQL evaluators.

    Attributes:
        for_api: what the endpoints work with.

    Args:
        for_api: likewise.
        runner: scores; None where this process does not.
        store: of the runner.
    """

    def __init__(self, for_api: SqlEvaluating, runner: Periodic | None, store: Database | None) -> None:
        self.for_api = for_api
        self._runner = runner
        self._store = store

    @property
    def meters(self) -> list[Collector]:
        """What is counted."""
        return [self._runner] if self._runner is not None else []

    def start(self) -> None:
        """Begin; returns at once."""
        if self._runner is not None:
            self._runner.start()

    def stop(self) -> None:
        """End after the round that is under way; may be called without a start."""
        if self._runner is not None:
            self._runner.stop()
        if self._store is not None:
            self._store.close()


def make_sql_scoring(
    settings: Settings,
    database: Database,
    *,
    owner: str,
    now: Callable[[], datetime],
    new_id: Callable[[], str],
    clock: Callable[[], float],
) -> SqlScoring:
    """The parts as the settings say; not started.

    Args:
        settings: of the collector.
        database: the store, for the API.
        owner: of this process alone.
        now: the time of day, UTC.
        new_id: 16 hex digits that were never used before.
        clock: monotonic seconds.

    Raises:
        StoreError: the store cannot be opened once more, for scoring.
    """
    lease = Lease(database, LEASE, owner, LEASE_S, now)
    for_api = SqlEvaluating(
        Definitions(database, now=now, new_id=new_id),
        Jobs(database, now=now, new_id=new_id),
        worker=lambda: holder_name(lease),
    )
    if "evals" not in settings.role or not settings.sql_evals_seconds:
        return SqlScoring(for_api, None, None)
    # Connections of its own: its statements hold up neither ingest nor the API.
    store = Database.open(
        settings.clickhouse,
        readers=1,
        cluster=settings.clickhouse_cluster,
        limits=ReadLimits(memory_bytes=MEMORY_BYTES),
    )
    definitions, jobs = Definitions(store, now=now, new_id=new_id), Jobs(store, now=now, new_id=new_id)
    runner = sql_evals_runner(
        LiveRounds(store, definitions, now=now),
        Backfiller(store, definitions, jobs, clock=clock),
        is_leader=lease.is_leader,
        interval_s=settings.sql_evals_seconds,
        at_stop=lease.release,
    )
    return SqlScoring(for_api, runner, store)
