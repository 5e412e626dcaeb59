"""The queues of all projects, and how far each is filled."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pyarrow as pa

from spanwise_collector.alerts.claims import Store
from spanwise_collector.query.values import micros, time_of
from spanwise_schemas.api_annotations import Queue

QUEUES: Final = "annotation_queues"
FILLS: Final = "annotation_fills"
_MILLIS: Final = pa.timestamp("ms", "UTC")
_QUEUE: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("queue_id", pa.string()),
        ("body", pa.string()),
        ("by", pa.string()),
        ("ts", _MILLIS),
        ("version", pa.uint64()),
        ("is_deleted", pa.uint8()),
    ]
)
_FILL: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("queue_id", pa.string()),
        ("filled_to", pa.timestamp("us", "UTC")),
        ("note", pa.string()),
        ("ts", _MILLIS),
        ("version", pa.uint64()),
    ]
)


@dataclass(frozen=True, slots=True)
class StoredQueue:
    """A queue as it is stored.

    Attributes:
        project: its project.
        queue_id: 16 hex digits.
        queue: what is reviewed, and how it is chosen.
        by: who changed it last.
        time: when, UTC.
        filled_to: everything before this was looked at; None where it was never filled.
        note: what went wrong when it was filled last.
    """

    project: str
    queue_id: str
    queue: Queue
    by: str
    time: datetime
    filled_to: datetime | None
    note: str


class Queues:
    """Queues in the store.

    Args:
        store: the database.
        now: the time of day, UTC.
        new_id: 16 hex digits that were never used before.
    """

    def __init__(self, store: Store, *, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._store = store
        self._now = now
        self._new_id = new_id

    def add(self, project: str, queue: Queue, by: str) -> StoredQueue:
        """Store a new queue.

        Raises:
            StoreError: as the store says.
        """
        return self._write(project, self._new_id(), queue, by)

    def replace(self, known: StoredQueue, queue: Queue, by: str) -> StoredQueue:
        """Change a queue; what is in it stays.

        Raises:
            StoreError: as the store says.
        """
        return self._write(known.project, known.queue_id, queue, by)

    def delete(self, known: StoredQueue, by: str = "") -> None:
        """Delete a queue. The scores that were given stay.

        Raises:
            StoreError: as the store says.
        """
        self._write(known.project, known.queue_id, known.queue, by, is_deleted=True)

    def of(self, project: str) -> list[StoredQueue]:
        """The queues of a project, by name.

        Raises:
            StoreError: as the store says.
        """
        return self._read("project_id = {project:String}", {"project": project})

    def get(self, project: str, queue_id: str) -> StoredQueue | None:
        """One queue; None where the project has none of this id.

        Raises:
            StoreError: as the store says.
        """
        found = self._read(
            "project_id = {project:String} AND queue_id = {queue:String}", {"project": project, "queue": queue_id}
        )
        return found[0] if found else None

    def all(self) -> list[StoredQueue]:
        """The queues of all projects.

        Raises:
            StoreError: as the store says.
        """
        return self._read("1", {})

    def filled(self, known: StoredQueue, filled_to: datetime, note: str) -> None:
        """Remember up to when a queue is filled.

        Raises:
            StoreError: as the store says.
        """
        now = self._now()
        row = {
            "project_id": known.project,
            "queue_id": known.queue_id,
            "filled_to": filled_to,
            "note": note,
            "ts": now,
            "version": micros(now),
        }
        token = f"annotation-fill:{known.queue_id}:{micros(filled_to)}:{row['version']}"
        self._store.insert(FILLS, pa.RecordBatch.from_pylist([row], schema=_FILL), token=token)

    def _write(self, project: str, queue_id: str, queue: Queue, by: str, *, is_deleted: bool = False) -> StoredQueue:
        now = self._now()
        row = {
            "project_id": project,
            "queue_id": queue_id,
            "body": queue.model_dump_json(),
            "by": by,
            "ts": now,
            "version": micros(now),
            "is_deleted": int(is_deleted),
        }
        token = f"annotation-queue:{queue_id}:{row['version']}:{int(is_deleted)}"
        self._store.insert(QUEUES, pa.RecordBatch.from_pylist([row], schema=_QUEUE), token=token)
        return StoredQueue(project, queue_id, queue, by, now, None, "")

    def _read(self, condition: str, parameters: dict[str, object]) -> list[StoredQueue]:
        rows = self._store.query(
            "SELECT q.project_id, q.queue_id, q.body, q.by, toUnixTimestamp64Micro(toDateTime64(q.ts, 6)), "
            "toUnixTimestamp64Micro(f.filled_to), f.note "
            f"FROM (SELECT * FROM {QUEUES} FINAL WHERE {condition} AND is_deleted = 0) AS q "
            f"LEFT JOIN (SELECT * FROM {FILLS} FINAL WHERE {condition}) AS f "
            "ON q.project_id = f.project_id AND q.queue_id = f.queue_id LIMIT 10000",
            parameters,
        ).rows
        found = [
            StoredQueue(
                project,
                queue_id,
                Queue.model_validate_json(body),
                by,
                time_of(ts),
                time_of(filled_to) if filled_to else None,
                note,
            )
            for project, queue_id, body, by, ts, filled_to, note in rows
        ]
        return sorted(found, key=lambda one: (one.project, one.queue.name, one.queue_id))
