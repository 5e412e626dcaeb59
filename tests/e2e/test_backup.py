"""Backups as docs/operations.md tells: what was stored comes back, and ingest goes on behind it, without a repeat."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from spanwise_collector.store.database import Database, quoted
from spanwise_collector.store.migrate import migrate
from tests.support.crash import drained, sender
from tests.support.databases import drop
from tests.support.ingest_process import Plan
from tests.support.logs import fresh_topic
from tests.support.replaying import call, now, world


def test_a_copy_of_the_stopped_embedded_engine_goes_on(kafka_bootstrap: str, tmp_path: Path) -> None:
    """The directory is copied while no collector runs; with the copy everything is stored once."""
    topic = fresh_topic()
    spans = sender(kafka_bootstrap, topic)
    spans.send(10)
    plan = Plan(bootstrap=kafka_bootstrap, dsn=f"chdb://{tmp_path / 'used'}", topic=topic, drain=True)
    drained(plan)

    shutil.copytree(tmp_path / "used", tmp_path / "restored", symlinks=True)
    shutil.rmtree(tmp_path / "used")
    spans.send(5)
    found = drained(replace(plan, dsn=f"chdb://{tmp_path / 'restored'}"))

    assert found == spans.expected()


def test_a_backup_by_clickhouse_is_restored_into_an_empty_database(kafka_bootstrap: str, database_dsn: str) -> None:
    """`BACKUP DATABASE` and `RESTORE DATABASE`: every table has its rows, views go on, and ingest reads on."""
    database = Database.open(database_dsn, readers=2)
    migrate(database)
    name = quoted(database.address.database)
    try:
        with world(kafka_bootstrap, database) as made:
            made.send(*(one for number in range(5) for one in call(number, at=now() - timedelta(minutes=5))))
            before = made.stored()
            made.runner.stop(drain=True, timeout_s=30)
            # Without this the bills that were moved since the last merge would be back in their old places.
            database.command("ALTER TABLE spans APPLY PATCHES SETTINGS mutations_sync = 2")
            database.command(f"BACKUP DATABASE {name} TO Memory('kept')")
            database.command(f"DROP DATABASE {name} SYNC")

            database.command(f"RESTORE DATABASE {name} FROM Memory('kept')")

            assert migrate(database) == []
            assert made.stored() == before
            made.restart(forgetting=False)
            made.send(call(9, at=now())[0])
        assert database.query("SELECT count(), (SELECT sum(n) FROM metrics_1d) FROM spans").rows == [(11, 11)]
    finally:
        drop(database)
        database.close()
