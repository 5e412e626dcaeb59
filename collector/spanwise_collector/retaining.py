"""Retention by project as a part of the process."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from spanwise_collector.alerts.claims import Lease
from spanwise_collector.periodic import Periodic
from spanwise_collector.retention.policy import load
from spanwise_collector.retention.remover import COUNTS, Remover
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Database

LEASE: Final = "retention"
LEASE_S: Final = 3_600.0
ROUND_S: Final = 3_600.0


def make_retention(
    settings: Settings, database: Database, *, owner: str, now: Callable[[], datetime]
) -> Periodic | None:
    """What removes what projects keep for a shorter time; not started. None where there is no file.

    Args:
        settings: of the collector.
        database: the store.
        owner: of this process alone.
        now: the time of day, UTC.

    Raises:
        RetentionFileError: the file cannot be used.
    """
    path = settings.retention_file
    if path is None or not settings.role & {"ingest", "api"}:
        return None
    load(path)
    lease = Lease(database, LEASE, owner, LEASE_S, now)
    return Periodic(
        "retention",
        Remover(database, lambda: load(path), now).step,
        counts=COUNTS,
        is_leader=lease.is_leader,
        interval_s=ROUND_S,
        at_once=True,
        at_stop=lease.release,
    )
