"""Reading the numbered SQL files: pure functions from text to statements.

A file is a list of statements, each ended by a semicolon at the end of a line. Every statement can be run twice
without harm (`IF NOT EXISTS`), because two collectors may start at the same moment and ClickHouse has no lock across
statements. With a cluster name the same text becomes replicated tables on every shard, named `<table>_local`, and
Distributed tables over them; the comment `-- shard by <expression>` above a CREATE TABLE says which rows belong
together.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Final

_FILE_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_END: Final = re.compile(r";[ \t]*(?:\n|$)")
_COMMENT: Final = re.compile(r"^[ \t]*--.*\n?", re.MULTILINE)
_SHARD_BY: Final = re.compile(r"^--\s*shard by\s+(.+?)\s*$", re.MULTILINE)
_REPEATABLE: Final = re.compile(
    r"(CREATE (TABLE|MATERIALIZED VIEW) IF NOT EXISTS|ALTER TABLE \w+ ADD \w+ IF NOT EXISTS|ALTER TABLE \w+ DROP \w+ "
    r"IF EXISTS"
    r"|ALTER TABLE \w+ (MODIFY|MATERIALIZE)|DROP TABLE IF EXISTS)\b"
)
_CREATE_TABLE: Final = re.compile(r"CREATE TABLE IF NOT EXISTS (\w+)\b")
_CREATE_VIEW: Final = re.compile(r"CREATE MATERIALIZED VIEW IF NOT EXISTS (\w+) TO (\w+)\b")
_ALTER: Final = re.compile(
    r"ALTER TABLE (\w+)(?= (?:ADD|MODIFY|DROP|MATERIALIZE) (COLUMN|INDEX|PROJECTION|TTL|SETTING|QUERY)\b)"
)
_ENGINE: Final = re.compile(r"ENGINE = (\w*MergeTree)(?:\(([^()]*)\))?")
_FROM: Final = re.compile(r"\bFROM (\w+)\b")


class MigrationError(RuntimeError):
    """The schema files and the database do not fit; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement.

    Attributes:
        sql: without comments and semicolon.
        shard_by: sharding expression for a Distributed table; empty where the statement creates no table.
    """

    sql: str
    shard_by: str = ""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file.

    Attributes:
        number: from 1, without gaps.
        name: the words in the file name.
        checksum: SHA-256 of the text, hex.
        statements: in order.
    """

    number: int
    name: str
    checksum: str
    statements: tuple[Statement, ...]


def packaged() -> tuple[Migration, ...]:
    """The migrations that come with this version, in order."""
    folder = resources.files("spanwise_schemas") / "migrations"
    return read(
        (entry.name, entry.read_text(encoding="utf-8")) for entry in folder.iterdir() if entry.name.endswith(".sql")
    )


def read(files: Iterable[tuple[str, str]]) -> tuple[Migration, ...]:
    """Migrations from (file name, text) pairs, in order.

    Raises:
        MigrationError: a name that has no number, a gap or a repeat in the numbers, a statement that cannot be run
        twice.
    """
    found = []
    for file_name, text in files:
        match = _FILE_NAME.fullmatch(file_name)
        if match is None:
            raise MigrationError(f"{file_name}: a migration is named like 0002_add_labels.sql")
        checksum = hashlib.sha256(text.encode()).hexdigest()
        found.append(Migration(int(match.group(1)), match.group(2), checksum, split(text, file_name)))
    found.sort(key=lambda migration: migration.number)
    numbers = [migration.number for migration in found]
    if numbers != list(range(1, len(found) + 1)):
        raise MigrationError(f"migrations are numbered 1, 2, 3, … without gaps or repeats; found {numbers}")
    return tuple(found)


def split(text: str, file_name: str = "") -> tuple[Statement, ...]:
    """The statements of one file.

    Raises:
        MigrationError: a statement that cannot be run twice, or a table without a sharding expression.
    """
    statements = []
    for chunk in _END.split(text):
        sql = _COMMENT.sub("", chunk).strip()
        if not sql:
            continue
        if _REPEATABLE.match(sql) is None:
            raise MigrationError(f"{file_name}: this statement cannot be run twice, write IF [NOT] EXISTS: {sql[:80]}")
        shard_by = _SHARD_BY.search(chunk)
        if _CREATE_TABLE.match(sql) and shard_by is None:
            raise MigrationError(f"{file_name}: write `-- shard by <expression>` above: {sql[:80]}")
        statements.append(Statement(sql, shard_by.group(1) if shard_by else ""))
    return tuple(statements)


def for_cluster(statement: Statement, cluster: str) -> list[str]:
    """What one statement becomes on a cluster.

    Args:
        statement: from a migration.
        cluster: the cluster's name, as in `system.clusters`.

    Returns:
        A replicated `<table>_local` and a Distributed `<table>` for a table; the view between the local tables for a
        materialized view (each shard fills its own); an ALTER of the local table, and for columns of the Distributed
        one too.

    Raises:
        MigrationError: the cluster name is not a plain identifier, or the statement has a form that is not known here.
    """
    if re.fullmatch(r"\w+", cluster) is None:
        raise MigrationError(
            f"SPANWISE_CLICKHOUSE_CLUSTER: {cluster!r} is not a cluster name (letters, digits, underscore)"
        )
    on = f"ON CLUSTER {cluster}"
    sql = statement.sql
    if table := _CREATE_TABLE.match(sql):
        name = table.group(1)
        local = _CREATE_TABLE.sub(f"CREATE TABLE IF NOT EXISTS {name}_local {on}", sql, count=1)
        local = _ENGINE.sub(_replicated, local, count=1)
        local = local.replace("non_replicated_deduplication_window", "replicated_deduplication_window")
        distributed = (
            f"CREATE TABLE IF NOT EXISTS {name} {on} AS {name}_local "
            f"ENGINE = Distributed({cluster}, currentDatabase(), {name}_local, {statement.shard_by})"
        )
        return [local, distributed]
    if view := _CREATE_VIEW.match(sql):
        head = f"CREATE MATERIALIZED VIEW IF NOT EXISTS {view.group(1)} {on} TO {view.group(2)}_local"
        return [_FROM.sub(r"FROM \1_local AS \1", head + sql[view.end() :])]
    if alter := _ALTER.match(sql):
        rest = sql[alter.end() :]
        names = [f"{alter.group(1)}_local"]
        if alter.group(2) == "COLUMN":  # indexes, life time and settings belong to the local table alone
            names.append(alter.group(1))
        return [f"ALTER TABLE {name} {on}{rest}" for name in names]
    raise MigrationError(f"no rule for a cluster: {sql[:80]}")


def _replicated(engine: re.Match[str]) -> str:
    arguments = ["'/clickhouse/tables/{uuid}/{shard}'", "'{replica}'"]
    if engine.group(2):
        arguments.append(engine.group(2))
    return f"ENGINE = Replicated{engine.group(1)}({', '.join(arguments)})"
