"""Scheduled exports as a part of the process."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from spanwise_collector.alerts.claims import Lease
from spanwise_collector.datasets.store import Datasets
from spanwise_collector.exports.exporter import TIMEOUT_S, Exporter
from spanwise_collector.exports.places import Bucket, Directory, Place
from spanwise_collector.exports.plan import load
from spanwise_collector.exports.runs import Runs
from spanwise_collector.periodic import Periodic
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Database

LEASE: Final = "exports"
LEASE_S: Final = 2.0 * TIMEOUT_S
"""More than a file may take. Two that write one would write the same."""
COUNTS: Final = {
    "written": "Files that were written.",
    "failed": "Files that could not be written; they are tried again every ten minutes.",
}


class Exporting(Collector):
    """Exports of this process, and its own connections to the store."""

    def __init__(self, runner: Periodic, store: Database) -> None:
        self._runner = runner
        self._store = store

    def start(self) -> None:
        """Begin; returns at once."""
        self._runner.start()

    def stop(self) -> None:
        """End after the file that is being written; may be called without a start."""
        self._runner.stop()
        self._store.close()

    def collect(self) -> Iterator[Metric]:
        """For Prometheus."""
        return self._runner.collect()


def place_of(settings: Settings) -> Place:
    """Where files go, as the settings say."""
    if settings.export_directory is not None:
        return Directory(settings.export_directory)
    return Bucket(settings.export_s3_url, settings.export_s3_key_id, settings.export_s3_secret.get_secret_value())


def make_exporting(
    settings: Settings, *, owner: str, now: Callable[[], datetime], new_id: Callable[[], str]
) -> Exporting | None:
    """The parts as the settings say; not started. None where this process exports nothing.

    Args:
        settings: of the collector.
        owner: of this process alone.
        now: the time of day, UTC.
        new_id: a text that was never used before.

    Raises:
        ExportsFileError: the file cannot be used.
        StoreError: the store cannot be opened once more.
    """
    path = settings.exports_file
    if path is None or "alerts" not in settings.role:
        return None
    load(path)
    # Connections of its own: a large file holds up neither ingest nor the API.
    store = Database.open(settings.clickhouse, readers=1, cluster=settings.clickhouse_cluster)
    exporter = Exporter(
        store,
        Datasets(store, now=now, new_id=new_id),
        Runs(store, now),
        place_of(settings),
        lambda: load(path),
        now=now,
    )
    lease = Lease(store, LEASE, owner, LEASE_S, now)
    runner = Periodic(
        "exports",
        exporter.step,
        counts=COUNTS,
        is_leader=lease.is_leader,
        interval_s=settings.exports_seconds,
        at_once=True,
        at_stop=lease.release,
    )
    return Exporting(runner, store)
