"""What was asked to be erased, how far it is, and the memory that ingest obeys."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal, Protocol

import pyarrow as pa

from spanwise_collector.store.change import literal
from spanwise_collector.store.database import Reader

TABLE: Final = "erasures"
MARKS: Final = "erasure_marks"
TRACES: Final = "erased_traces"
TIMEOUT_S: Final = 120.0
LISTED: Final = 200
Kind = Literal["user", "session", "trace"]
State = Literal["asked", "running", "done"]
_MILLIS: Final = pa.timestamp("ms", "UTC")
_MICROS: Final = pa.timestamp("us", "UTC")
_COLUMNS: Final = (
    "project_id, erasure_id, toString(kind) AS kind, digest, toUnixTimestamp64Micro(before) AS before_us, state, body, "
    "by, asked_at, ts, version"
)
_SCHEMA: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("erasure_id", pa.string()),
        ("kind", pa.string()),
        ("digest", pa.string()),
        ("before", _MICROS),
        ("state", pa.string()),
        ("body", pa.string()),
        ("by", pa.string()),
        ("asked_at", _MILLIS),
        ("ts", _MILLIS),
        ("version", pa.uint64()),
    ]
)
_MARK: Final = pa.schema(
    [
        ("number", pa.uint64()),
        ("owner", pa.string()),
        ("project_id", pa.string()),
        ("erasure_id", pa.string()),
        ("kind", pa.string()),
        ("digest", pa.string()),
        ("before", _MICROS),
        ("ts", _MILLIS),
    ]
)


class Store(Reader, Protocol):
    """What erasing needs of the database; `Database` fulfils it."""

    @property
    def cluster(self) -> str:
        """Name of the ClickHouse cluster, or empty."""
        ...

    def insert(self, table: str, rows: pa.RecordBatch, *, token: str, one_shard: bool = ...) -> None:
        """See `Database.insert`."""
        ...

    def command(self, sql: str, parameters: dict[str, object] = ...) -> None:
        """See `Database.command`."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """What came of an erasure so far.

    Attributes:
        counts: rows that were found, by table.
        days: of spans that are to be removed, `2026-11-22`; roll-ups of these days are made anew.
        traces: how many.
        rolled_up: rows of roll-ups that were made anew, by roll-up.
        kept: combinations in roll-ups whose shares could not be taken out, since other spans of them have expired.
        passes: how often it went through.
        failure: why the last attempt did not end; empty when it did.
    """

    counts: dict[str, int] = field(default_factory=dict)
    days: tuple[str, ...] = ()
    traces: int = 0
    rolled_up: dict[str, int] = field(default_factory=dict)
    kept: int = 0
    passes: int = 0
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure.

    Attributes:
        id: made at random.
        project: whose.
        kind: of what.
        digest: what is remembered of a user or session; of a trace its id, hex.
        before_us: spans that start before are meant, microseconds since the epoch.
        state: how far it is.
        by: who asked for it.
        asked_at: when, UTC.
        changed_at: of the state, UTC.
        version: rises with each change.
        progress: what came of it.
    """

    id: str
    project: str
    kind: Kind
    digest: str
    before_us: int
    state: State
    by: str
    asked_at: datetime
    changed_at: datetime
    version: int = 0
    progress: Progress = field(default_factory=Progress)


class ErasureBook:
    """Keeps erasures in the store.

    Args:
        store: the database.
        owner: of this process alone.
        now: the time of day, UTC.
    """

    def __init__(self, store: Store, owner: str, now: Callable[[], datetime]) -> None:
        self._store = store
        self._owner = owner
        self._now = now

    def all(self, project: str | None = None, *, only_open: bool = False) -> list[Erasure]:
        """Erasures, the newest first; at most `LISTED` that are done."""
        rows = self._store.query(
            f"SELECT {_COLUMNS} FROM {TABLE} FINAL "
            "WHERE ({all:UInt8} OR project_id = {project:String}) AND ({open:UInt8} = 0 OR state != 'done') "
            f"ORDER BY asked_at DESC, erasure_id LIMIT {LISTED}",
            {"all": int(project is None), "project": project or "", "open": int(only_open)},
        ).dicts()
        return [_read(row) for row in rows]

    def get(self, project: str, erasure_id: str) -> Erasure | None:
        """One by its id; None where there is none."""
        rows = self._store.query(
            f"SELECT {_COLUMNS} FROM {TABLE} FINAL "
            "WHERE project_id = {project:String} AND erasure_id = {id:String}",
            {"project": project, "id": erasure_id},
        ).dicts()
        return _read(rows[0]) if rows else None

    def save(self, erasure: Erasure, **changes: Any) -> Erasure:
        """Store it with other values; what it is now."""
        later = replace(erasure, **changes, changed_at=self._now(), version=erasure.version + 1)
        row = {
            "project_id": later.project,
            "erasure_id": later.id,
            "kind": later.kind,
            "digest": later.digest,
            "before": later.before_us,
            "state": later.state,
            "body": json.dumps(_body(later.progress)),
            "by": later.by,
            "asked_at": later.asked_at,
            "ts": later.changed_at,
            "version": later.version,
        }
        batch = pa.RecordBatch.from_pylist([row], schema=_SCHEMA)
        self._store.insert(TABLE, batch, token=f"erasure:{later.id}:{later.version}:{self._owner}")
        return later

    def is_marked(self, erasure: Erasure) -> bool:
        """Whether ingest is told of the user or session already."""
        found = self._store.query(
            f"SELECT count() FROM {MARKS} WHERE erasure_id = {{id:String}} AND kind != 'traces'", {"id": erasure.id}
        )
        return bool(found.rows[0][0])

    def mark_people(self, erasure: Erasure) -> None:
        """Tell ingest of the user or session."""
        number = self._next()
        while not self._took(number, erasure, erasure.kind, erasure.digest):
            number += 1

    def mark_traces(self, erasure: Erasure, condition: str) -> int:
        """Tell ingest of more traces; how many they were.

        Args:
            erasure: that they belong to.
            condition: SQL that gives trace ids.
        """
        new = (
            f"SELECT DISTINCT trace_id FROM ({condition}) WHERE trace_id NOT IN (SELECT trace_id FROM {TRACES} "
            f"WHERE project_id = {literal(erasure.project)} AND erasure_id = {literal(erasure.id)})"
        )
        count = int(self._store.query(f"SELECT count() FROM ({new})", timeout_s=TIMEOUT_S).rows[0][0])
        if not count:
            return 0
        number = self._next()
        while True:
            # Before the mark, so that whoever sees the mark has them all; after it they would not be looked for.
            self._store.command(
                f"INSERT INTO {TRACES} (project_id, trace_id, number, erasure_id) SELECT {literal(erasure.project)}, "
                f"trace_id, {number}, {literal(erasure.id)} FROM ({new}) SETTINGS insert_deduplicate = 0"
            )
            if self._took(number, erasure, "traces", ""):
                return count
            # Somebody else has this number, and whoever has read it may have missed some: all of them once more.
            number += 1
            new = (
                f"SELECT DISTINCT trace_id FROM {TRACES} WHERE project_id = {literal(erasure.project)} "
                f"AND erasure_id = {literal(erasure.id)} AND number = {number - 1}"
            )

    def marks(self) -> list[tuple[int, int, str, str]]:
        """Of every mark its number, its time in milliseconds, and its erasure by project and id; numbers rise."""
        rows = self._store.query(
            f"SELECT number, toUnixTimestamp64Milli(ts), project_id, erasure_id FROM {MARKS} "
            "ORDER BY number LIMIT 1 BY number"
        ).rows
        return [(int(number), int(ts), project, erasure) for number, ts, project, erasure in rows]

    def batches(self, since_ms: int, below: int) -> dict[tuple[str, int, int], tuple[int, int]]:
        """Batches that landed after a time by a version below one: (topic id, partition, first offset) to both.

        Returns:
            The version that each was built by, and when it landed in milliseconds.
        """
        rows = self._store.query(
            "SELECT topic_id, part, off_from, erasures, toUnixTimestamp64Milli(ts) FROM ingest_ledger "
            "WHERE ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND erasures < {below:UInt64}",
            {"since": since_ms, "below": below},
        ).rows
        return {(topic, int(part), int(first)): (int(by), int(ts)) for topic, part, first, by, ts in rows}

    def count_of_drops(self) -> int:
        """Rows about what ingest kept out; where they are as many as before, nothing is to be looked for."""
        return int(self._store.query("SELECT count() FROM erasure_drops").rows[0][0])

    def with_unknown_traces(self) -> list[tuple[str, str]]:
        """Erasures, by project and id, of which ingest kept out traces that they do not know yet."""
        rows = self._store.query(
            "SELECT DISTINCT m.project_id, m.erasure_id FROM erasure_drops AS d "
            f"INNER JOIN (SELECT number, project_id, erasure_id FROM {MARKS} LIMIT 1 BY number) AS m "
            "ON m.number = d.number WHERE d.trace_id != toFixedString('', 16) AND (m.erasure_id, d.trace_id) NOT IN "
            f"(SELECT erasure_id, trace_id FROM {TRACES})",
            timeout_s=TIMEOUT_S,
        ).rows
        return [(project, erasure) for project, erasure in rows]

    def kept_out(self, project: str) -> dict[str, int]:
        """Items that ingest has left out, by erasure."""
        rows = self._store.query(
            "SELECT m.erasure_id, sum(d.n_items) FROM erasure_drops AS d "
            f"INNER JOIN (SELECT number, project_id, erasure_id FROM {MARKS} LIMIT 1 BY number) AS m "
            "ON m.number = d.number WHERE m.project_id = {project:String} GROUP BY m.erasure_id",
            {"project": project},
        ).rows
        return {erasure: int(items) for erasure, items in rows}

    def _next(self) -> int:
        return int(self._store.query(f"SELECT max(number) FROM {MARKS}").rows[0][0]) + 1

    def _took(self, number: int, erasure: Erasure, kind: str, digest: str) -> bool:
        """Write a mark under a number; whether it is ours, of all who try."""
        row = {
            "number": number,
            "owner": self._owner,
            "project_id": erasure.project,
            "erasure_id": erasure.id,
            "kind": kind,
            "digest": digest,
            "before": erasure.before_us,
            "ts": self._now(),
        }
        batch = pa.RecordBatch.from_pylist([row], schema=_MARK)
        self._store.insert(MARKS, batch, token=f"erasure-mark:{number}", one_shard=True)
        stored = self._store.query(
            f"SELECT owner, erasure_id, toString(kind) FROM {MARKS} WHERE number = {{number:UInt64}} "
            "ORDER BY ts LIMIT 1",
            {"number": number},
        ).rows
        return [tuple(one) for one in stored] == [(self._owner, erasure.id, kind)]


def _read(row: dict[str, Any]) -> Erasure:
    body = json.loads(row["body"])
    return Erasure(
        id=row["erasure_id"],
        project=row["project_id"],
        kind=row["kind"],
        digest=row["digest"],
        before_us=int(row["before_us"]),
        state=row["state"],
        by=row["by"],
        asked_at=row["asked_at"].replace(tzinfo=UTC),
        changed_at=row["ts"].replace(tzinfo=UTC),
        version=int(row["version"]),
        progress=Progress(**body | {"days": tuple(body["days"])}),
    )


def _body(progress: Progress) -> dict[str, Any]:
    return {name: getattr(progress, name) for name in Progress.__slots__}
