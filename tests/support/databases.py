"""Fresh databases for tests, inside the one directory of the embedded engine that a process can have open."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from spanwise_collector.store.database import Database, quoted
from spanwise_collector.store.migrate import migrate


def fresh_dsn(directory: Path) -> str:
    """Address of a database that does not exist yet, in the engine's directory."""
    return f"chdb://{directory}?database=t_{uuid.uuid4().hex}"


def drop(database: Database) -> None:
    """Remove the database with all its tables."""
    database.command(f"DROP DATABASE IF EXISTS {quoted(database.address.database)} SYNC")


def keep_old_rows(database: Database) -> None:
    """Let rows with fixed dates in the past live as long as the test: no table that exists now drops old rows."""
    database.command("SYSTEM STOP TTL MERGES")


@dataclass(slots=True)
class EmptyDatabases:
    """Databases with the current schema, used again once they are emptied: to make one takes over a second.

    Attributes:
        directory: of the engine.
    """

    directory: Path
    _free: list[str] = field(default_factory=list)
    _schema: list[tuple[object, ...]] = field(default_factory=list)

    @contextmanager
    def lend(self, *, readers: int = 2) -> Iterator[Database]:
        """An empty database with the current schema. What a test has made of another schema is dropped afterwards."""
        dsn = self._free.pop() if self._free else fresh_dsn(self.directory)
        database = Database.open(dsn, readers=readers)
        try:
            if migrate(database):
                keep_old_rows(database)
                self._schema = self._schema or _schema_of(database)
            yield database
            if _schema_of(database) == self._schema:
                _empty(database)
                self._free.append(dsn)
            else:
                drop(database)
        finally:
            database.close()


def _schema_of(database: Database) -> list[tuple[object, ...]]:
    name = database.address.database
    tables = database.query(
        "SELECT name, replaceAll(create_table_query, currentDatabase(), '') FROM system.tables "
        "WHERE database = currentDatabase() ORDER BY name"
    ).rows
    migrations = database.query("SELECT number, name, checksum FROM schema_migrations FINAL ORDER BY number").rows
    assert tables, f"{name} is gone"
    return [*tables, *migrations]


def _empty(database: Database) -> None:
    """Remove every row, and with the parts the engine's memory of the tokens under which they were inserted."""
    rows = database.query(
        "SELECT DISTINCT table FROM system.parts WHERE database = currentDatabase() AND table != 'schema_migrations'"
    ).rows
    for (table,) in rows:
        database.command(f"TRUNCATE TABLE {quoted(table)} SYNC")
