"""The jobs that score history, as they are stored: what people want of them, and how far the collector is."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import pyarrow as pa

from spanwise_collector.query.values import EPOCH
from spanwise_collector.sql_evals.definitions import Definition, Store
from spanwise_collector.sql_evals.scoring import Outcome

TABLE: Final = "sql_backfills"
KEPT: Final = 50
"""So many of a project are shown."""
JobState = Literal["waiting", "running", "done", "failed", "cancelled"]
_ENDED: Final = ("done", "failed", "cancelled")


class BusyError(RuntimeError):
    """History is being scored by this evaluator already."""


@dataclass(frozen=True, slots=True)
class Job:
    """Scoring of history by one version of an evaluator.

    Attributes:
        project: whose spans.
        id: of the job.
        name: of the evaluator.
        version: of it.
        by: who started it.
        start_us: spans that start here or later, microseconds since the epoch.
        end_us: and before.
        created: when it was started, UTC.
        state: as it stands.
        reason: why it failed, or what hinders it.
        done_us: spans that start before were scored.
        planned: spans in the range, when they were counted.
        done: spans that were looked at.
        tries: of the present slice, in vain.
        seconds: how long it was worked on.
        outcome: what became of them.
    """

    project: str
    id: str
    name: str
    version: int
    by: str
    start_us: int
    end_us: int
    created: datetime
    state: JobState = "waiting"
    reason: str = ""
    done_us: int = 0
    planned: int = 0
    done: int = 0
    tries: int = 0
    seconds: float = 0.0
    outcome: Outcome = field(default_factory=Outcome)

    @property
    def is_over(self) -> bool:
        """Nothing more happens to it."""
        return self.state in _ENDED

    @property
    def progress(self) -> float:
        """Share that is done, 0 to 1."""
        if self.state == "done":
            return 1.0
        return min(1.0, self.done / self.planned) if self.planned else 0.0


class Jobs:
    """Reads and writes jobs.

    Args:
        store: the database.
        now: the time of day, UTC.
        new_id: a text that nobody else has.
    """

    def __init__(self, store: Store, *, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._store = store
        self._now = now
        self._new_id = new_id

    def start(self, definition: Definition, start_us: int, end_us: int, by: str) -> Job:
        """Want history scored; the collector that has the role begins within seconds.

        Raises:
            BusyError: one of this version is under way.
            StoreError: as the store says.
        """
        of = (definition.name, definition.version)
        if any((one.name, one.version) == of and not one.is_over for one in self.of(definition.project)):
            raise BusyError(
                f"History is being scored by {definition.name} version {definition.version}; wait for it, or cancel it."
            )
        job = Job(
            definition.project, self._new_id(), definition.name, definition.version, by, start_us, end_us, self._now()
        )
        body = {"by": by, "from": start_us, "to": end_us}
        self._write(job, "person", "wanted", "", body)
        return job

    def cancel(self, project: str, job_id: str) -> Job | None:
        """Stop one after the slice that is under way; what was scored stays. None where there is none.

        Raises:
            StoreError: as the store says.
        """
        job = self.get(project, job_id)
        if job is None or job.is_over:
            return job
        self._write(job, "person", "cancelled", "", {"by": job.by, "from": job.start_us, "to": job.end_us})
        return self.get(project, job_id)

    def of(self, project: str) -> list[Job]:
        """The jobs of a project, newest first.

        Raises:
            StoreError: as the store says.
        """
        return self._read("project_id = {project:String}", {"project": project})

    def get(self, project: str, job_id: str) -> Job | None:
        """One; None where the project has none of this id.

        Raises:
            StoreError: as the store says.
        """
        found = self._read(
            "project_id = {project:String} AND job_id = {job:String}", {"project": project, "job": job_id}
        )
        return found[0] if found else None

    def open(self) -> list[Job]:
        """All that are not over, of all projects, the oldest first.

        Raises:
            StoreError: as the store says.
        """
        return [one for one in reversed(self._read("1", {}, limit=10_000)) if not one.is_over]

    def report(self, job: Job) -> None:
        """Write down how far the collector is with one.

        Raises:
            StoreError: as the store says.
        """
        body = {
            "done_us": job.done_us,
            "planned": job.planned,
            "done": job.done,
            "tries": job.tries,
            "seconds": job.seconds,
            "outcome": asdict(job.outcome),
        }
        self._write(job, "collector", job.state, job.reason, body)

    def _write(self, job: Job, writer: str, state: str, reason: str, body: Mapping[str, object]) -> None:
        key = {"project": job.project, "job": job.id, "writer": writer}
        (last,) = self._store.query(
            f"SELECT max(row_version) FROM {TABLE} WHERE project_id = {{project:String}} AND job_id = {{job:String}} "
            "AND writer = {writer:String}",
            key,
        ).rows[0]
        now = self._now()
        # Above all others also where clocks differ.
        version = max(int(last) + 1, (now - EPOCH) // timedelta(milliseconds=1))
        row = {
            "project_id": job.project,
            "job_id": job.id,
            "writer": writer,
            "name": job.name,
            "evaluator_version": job.version,
            "state": state,
            "reason": reason,
            "body": json.dumps(body),
            # The life of a row begins with its job, so that both rows of one end together.
            "ts": job.created,
            "row_version": version,
        }
        batch = pa.RecordBatch.from_pylist([row], schema=_ROW)
        self._store.insert(TABLE, batch, token=f"{TABLE}:{job.project}:{job.id}:{writer}:{version}")

    def _read(self, where: str, parameters: Mapping[str, object], limit: int = KEPT) -> list[Job]:
        rows = self._store.query(
            "SELECT project_id, job_id, any(name), any(evaluator_version), toUnixTimestamp64Milli(min(ts)) AS created, "
            "maxIf((state, body), writer = 'person'), maxIf((state, reason, body), writer = 'collector') "
            f"FROM {TABLE} FINAL WHERE {where} GROUP BY project_id, job_id ORDER BY created DESC, job_id "
            f"LIMIT {limit}",
            parameters,
        ).rows
        return [_job(row) for row in rows]


def _job(row: tuple[Any, ...]) -> Job:
    project, job_id, name, version, created, (wanted, told), (state, reason, text) = row
    asked = json.loads(told)
    job = Job(
        project,
        job_id,
        name,
        int(version),
        asked["by"],
        asked["from"],
        asked["to"],
        (EPOCH + timedelta(milliseconds=int(created))).astimezone(UTC),
    )
    if text:
        found = json.loads(text)
        outcome = Outcome(**found.pop("outcome"))
        job = replace(job, state=state, reason=reason, outcome=outcome, **found)
    if wanted == "cancelled" and not job.is_over:
        job = replace(job, state="cancelled")
    return job


_ROW: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("job_id", pa.string()),
        ("writer", pa.string()),
        ("name", pa.string()),
        ("evaluator_version", pa.uint32()),
        ("state", pa.string()),
        ("reason", pa.string()),
        ("body", pa.string()),
        ("ts", pa.timestamp("ms", "UTC")),
        ("row_version", pa.uint64()),
    ]
)
