"""The evaluators of all projects: versions are added and stay; a mark says which are on, and what people removed."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, Protocol

import pyarrow as pa

from spanwise_collector.query.values import EPOCH
from spanwise_collector.sql_evals.scoring import Kind, Outcome
from spanwise_collector.store.database import Reader

DEFINITIONS: Final = "sql_evaluators"
MARKS: Final = "sql_evaluator_marks"
TRIES: Final = 20
"""So often another version number is taken where someone else took one at the same moment."""
_MILLIS: Final = pa.timestamp("ms", "UTC")
Switch = Literal["on", "off", "removed"]
Health = Literal["", "ok", "failing", "failed"]


class Store(Reader, Protocol):
    """What evaluators need of the database; `Database` fulfils it."""

    def query_arrow(
        self,
        sql: str,
        parameters: Mapping[str, object] = ...,
        *,
        settings: Mapping[str, object] = ...,
        timeout_s: float = ...,
    ) -> pa.Table:
        """See `Database.query_arrow`."""
        ...

    def insert(self, table: str, rows: pa.RecordBatch, *, token: str, one_shard: bool = ...) -> None:
        """See `Database.insert`."""
        ...

    def command(self, sql: str, parameters: Mapping[str, object] = ...) -> None:
        """See `Database.command`."""
        ...


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of an evaluator.

    Attributes:
        project: whose spans it scores.
        name: of the evaluator and of its scores.
        version: from 1.
        expression: gives the score.
        filter: which spans it is for; "" for all.
        description: for people.
        kind: what it gives.
        by: who made it.
        created: when, UTC.
    """

    project: str
    name: str
    version: int
    expression: str
    filter: str
    description: str
    kind: Kind
    by: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the collector is with an evaluator.

    Attributes:
        state: "" before it was run; `failing`: it is tried again; `failed`: it is off until someone turns it on.
        reason: what hinders it.
        version: of the evaluator that this is about.
        since_ms: rows of the ledger up to here were worked on, milliseconds since the epoch.
        tries: in vain, since it last worked.
        next_ms: not tried again before.
        outcome: of all rounds of this version.
        ts: when this was written, UTC.
    """

    state: Health = ""
    reason: str = ""
    version: int = 0
    since_ms: int = 0
    tries: int = 0
    next_ms: int = 0
    outcome: Outcome = field(default_factory=Outcome)
    ts: datetime = EPOCH


@dataclass(frozen=True, slots=True)
class Owned:
    """An evaluator as it stands.

    Attributes:
        definition: its newest version.
        switch: what people want.
        switched: since when, UTC.
        progress: how far the collector is.
    """

    definition: Definition
    switch: Switch
    switched: datetime
    progress: Progress

    @property
    def is_live(self) -> bool:
        """It scores new spans."""
        return self.switch == "on" and not self.has_failed

    @property
    def has_failed(self) -> bool:
        """The collector turned it off, and nobody turned it on since, nor made another version."""
        progress = self.progress
        return (
            progress.state == "failed" and progress.version == self.definition.version and progress.ts >= self.switched
        )


class Definitions:
    """Reads and writes evaluators.

    Args:
        store: the database.
        now: the time of day, UTC.
        new_id: a text that nobody else has.
    """

    def __init__(self, store: Store, *, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._store = store
        self._now = now
        self._new_id = new_id

    def all(self, project: str = "") -> list[Owned]:
        """Evaluators that nobody removed, by project and name; of one project, or of all where it is empty.

        Raises:
            StoreError: as the store says.
        """
        return [one for one in self._owned(project, "") if one.switch != "removed"]

    def get(self, project: str, name: str) -> Owned | None:
        """One; None where there is none, or it was removed.

        Raises:
            StoreError: as the store says.
        """
        return next((one for one in self._owned(project, name) if one.switch != "removed"), None)

    def versions(self, project: str, name: str) -> list[Definition]:
        """All versions of one, the newest first, also when it was removed.

        Raises:
            StoreError: as the store says.
        """
        rows = self._store.query(
            f"SELECT {_DEFINITION} FROM {DEFINITIONS} FINAL WHERE project_id = {{project:String}} "
            "AND name = {name:String} ORDER BY version DESC",
            {"project": project, "name": name},
        ).rows
        return [_definition(row) for row in rows]

    def add(
        self, project: str, name: str, *, expression: str, condition: str, description: str, kind: Kind, by: str
    ) -> Definition:
        """Add a version and turn the evaluator on. What is the same as the newest version adds none.

        Raises:
            StoreError: as the store says, or others took every number that was tried.
        """
        known = self.versions(project, name)
        same = known[0] if known else None
        if same is None or (same.expression, same.filter, same.description) != (expression, condition, description):
            same = self._added(project, name, len(known), expression, condition, description, kind, by)
        self.switch(project, name, "on", by)
        return same

    def _added(
        self, project: str, name: str, last: int, expression: str, condition: str, description: str, kind: Kind, by: str
    ) -> Definition:
        own = self._new_id()
        for version in range(last + 1, last + 1 + TRIES):
            row = {
                "project_id": project,
                "name": name,
                "version": version,
                "expression": expression,
                "filter": condition,
                "description": description,
                "kind": kind,
                "by": by,
                "id": own,
                "ts": self._now(),
            }
            batch = pa.RecordBatch.from_pylist([row], schema=_DEFINITION_ROW)
            # Of two that take a number one lands, and reading back tells which.
            self._store.insert(DEFINITIONS, batch, token=f"sql-evaluator:{project}:{name}:{version}")
            landed = self._store.query(
                f"SELECT id FROM {DEFINITIONS} WHERE project_id = {{project:String}} AND name = {{name:String}} "
                "AND version = {version:UInt32}",
                {"project": project, "name": name, "version": version},
            ).rows
            if landed and landed[0][0] == own:
                return Definition(project, name, version, expression, condition, description, kind, by, self._now())
        raise RuntimeError(f"Others changed {name} {TRIES} times at this moment; try again.")

    def switch(self, project: str, name: str, switch: Switch, by: str) -> None:
        """Turn one on or off, or remove it; its versions and scores stay.

        Raises:
            StoreError: as the store says.
        """
        write_mark(self._store, MARKS, project, name, "person", switch, "", json.dumps({"by": by}), self._now())

    def report(self, project: str, name: str, progress: Progress) -> None:
        """Write down how far the collector is.

        Raises:
            StoreError: as the store says.
        """
        body = {
            "version": progress.version,
            "since_ms": progress.since_ms,
            "tries": progress.tries,
            "next_ms": progress.next_ms,
            "outcome": asdict(progress.outcome),
        }
        write_mark(
            self._store,
            MARKS,
            project,
            name,
            "collector",
            progress.state,
            progress.reason,
            json.dumps(body),
            self._now(),
        )

    def _owned(self, project: str, name: str) -> list[Owned]:
        conditions = [
            *(["project_id = {project:String}"] if project else []),
            *(["name = {name:String}"] if name else []),
        ]
        where = " AND ".join(conditions) or "1"
        parameters = {"project": project, "name": name}
        marks: dict[tuple[str, str], dict[str, tuple[Any, ...]]] = {}
        for owner, of, writer, *rest in self._store.query(
            f"SELECT project_id, name, toString(writer), state, reason, body, toUnixTimestamp64Milli(ts) "
            f"FROM {MARKS} FINAL WHERE {where}",
            parameters,
        ).rows:
            marks.setdefault((owner, of), {})[writer] = tuple(rest)
        rows = self._store.query(
            f"SELECT {_DEFINITION} FROM {DEFINITIONS} FINAL WHERE {where} "
            "ORDER BY project_id, name, version DESC LIMIT 1 BY project_id, name",
            parameters,
        ).rows
        return [_with_marks(_definition(row), marks.get((row[0], row[1]), {})) for row in rows]


def write_mark(
    store: Store,
    table: str,
    project: str,
    name: str,
    writer: Literal["person", "collector"],
    state: str,
    reason: str,
    body: str,
    now: datetime,
) -> None:
    """Add a row of marks above the one there is."""
    (last,) = store.query(
        f"SELECT max(row_version) FROM {table} WHERE project_id = {{project:String}} AND name = {{name:String}} "
        "AND writer = {writer:String}",
        {"project": project, "name": name, "writer": writer},
    ).rows[0]
    # Above all others also where clocks differ.
    version = max(int(last) + 1, (now - EPOCH) // timedelta(milliseconds=1))
    row = {
        "project_id": project,
        "name": name,
        "writer": writer,
        "state": state,
        "reason": reason,
        "body": body,
        "ts": now,
        "row_version": version,
    }
    batch = pa.RecordBatch.from_pylist([row], schema=_MARK_ROW)
    store.insert(table, batch, token=f"{table}:{project}:{name}:{writer}:{version}")


def _definition(row: Sequence[Any]) -> Definition:
    project, name, version, expression, condition, description, kind, by, created = row
    return Definition(project, name, int(version), expression, condition, description, kind, by, _time(created))


def _with_marks(definition: Definition, marks: Mapping[str, tuple[Any, ...]]) -> Owned:
    switch, _, _, switched = marks.get("person", ("on", "", "", definition.created.timestamp() * 1000))
    progress = Progress()
    if "collector" in marks:
        state, reason, text, ts = marks["collector"]
        body = json.loads(text)
        progress = Progress(
            state,
            reason,
            body["version"],
            body["since_ms"],
            body["tries"],
            body["next_ms"],
            Outcome(**body["outcome"]),
            _time(ts),
        )
    return Owned(definition, switch, _time(switched), progress)


def _time(milliseconds: float) -> datetime:
    return (EPOCH + timedelta(milliseconds=int(milliseconds))).astimezone(UTC)


_DEFINITION: Final = (
    "project_id, name, version, expression, filter, description, kind, by, toUnixTimestamp64Milli(ts) AS created"
)
_DEFINITION_ROW: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("name", pa.string()),
        ("version", pa.uint32()),
        ("expression", pa.string()),
        ("filter", pa.string()),
        ("description", pa.string()),
        ("kind", pa.string()),
        ("by", pa.string()),
        ("id", pa.string()),
        ("ts", _MILLIS),
    ]
)
_MARK_ROW: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("name", pa.string()),
        ("writer", pa.string()),
        ("state", pa.string()),
        ("reason", pa.string()),
        ("body", pa.string()),
        ("ts", _MILLIS),
        ("row_version", pa.uint64()),
    ]
)
