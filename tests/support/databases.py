"""Fresh databases for tests, inside the one directory of the embedded engine that a process can have open."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spanwise_collector.store.database import Database, quoted
from spanwise_collector.store.dsn import parse_dsn
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


@contextmanager
def fresh_database(dsn: str, *, readers: int = 2) -> Iterator[Database]:
    """A database with the current schema; dropped and closed at the end."""
    assert parse_dsn(dsn).database != "default", "a test must not drop the default database"
    database = Database.open(dsn, readers=readers)
    try:
        migrate(database)
        keep_old_rows(database)
        yield database
        drop(database)
    finally:
        database.close()
