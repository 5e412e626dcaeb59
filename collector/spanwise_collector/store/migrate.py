"""Bringing a database to the schema of this version: forward only, each file once, recorded with its checksum."""

from collections.abc import Sequence
from typing import Final, Protocol

from spanwise_collector.store.database import Reader
from spanwise_collector.store.migrations import Migration, MigrationError, Statement, for_cluster, packaged

_RECORDS: Final = Statement(
    "CREATE TABLE IF NOT EXISTS schema_migrations (number UInt32, name String, checksum String, "
    "applied_at DateTime64(3,'UTC') DEFAULT now64(3)) ENGINE = ReplacingMergeTree(applied_at) ORDER BY number",
    shard_by="number",
)


class Migratable(Reader, Protocol):
    """What migrating needs of the store."""

    @property
    def cluster(self) -> str:
        """Name of the ClickHouse cluster, or empty."""
        ...

    def command(self, sql: str, parameters: dict[str, object] = ...) -> None:
        """Run one statement."""
        ...


def migrate(database: Migratable, migrations: Sequence[Migration] | None = None) -> list[int]:
    """Apply what is missing.

    Safe to call from several collectors at once: every statement can be run twice.

    Args:
        database: the store.
        migrations: those of this version when None.

    Returns:
        The numbers applied now; empty when the schema was up to date.

    Raises:
        MigrationError: a file that was applied has changed since, or the database is newer than this version.
        StoreError: a statement failed; what was applied stays, and calling again goes on from there.
    """
    wanted = packaged() if migrations is None else tuple(migrations)
    _run(database, _RECORDS)
    applied = _applied(database)
    _check(wanted, applied)
    done = []
    for migration in wanted:
        if migration.number in applied:
            continue
        for statement in migration.statements:
            _run(database, statement)
        database.command(
            "INSERT INTO schema_migrations (number, name, checksum) SELECT {number:UInt32}, {name:String}, "
            "{checksum:String}",
            {"number": migration.number, "name": migration.name, "checksum": migration.checksum},
        )
        done.append(migration.number)
    return done


def _applied(database: Reader) -> dict[int, str]:
    rows = database.query("SELECT number, argMax(checksum, applied_at) FROM schema_migrations GROUP BY number").rows
    return {int(number): str(checksum) for number, checksum in rows}


def _check(wanted: Sequence[Migration], applied: dict[int, str]) -> None:
    newer = sorted(set(applied) - {migration.number for migration in wanted})
    if newer:
        raise MigrationError(
            f"The database has migration {newer[-1]:04d}, which this version does not know. It was made by a newer "
            f"version of "
            "Spanwise: install that one. Going back is not supported."
        )
    for migration in wanted:
        checksum = applied.get(migration.number)
        if checksum is not None and checksum != migration.checksum:
            raise MigrationError(
                f"Migration {migration.number:04d}_{migration.name}.sql was changed after it was applied to this "
                f"database. "
                "Restore the file from the release that applied it and put the change into a new file."
            )


def _run(database: Migratable, statement: Statement) -> None:
    for sql in for_cluster(statement, database.cluster) if database.cluster else [statement.sql]:
        database.command(sql)
