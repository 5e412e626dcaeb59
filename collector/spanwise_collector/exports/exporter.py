"""Writing what is due: each part of each export once, under a name of its own, so that writing it again replaces it."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from spanwise_collector.datasets.export import export as file_of
from spanwise_collector.datasets.store import Datasets, UnknownDatasetError
from spanwise_collector.exports.places import Place
from spanwise_collector.exports.plan import Export, ExportsFileError, due_days, part_of
from spanwise_collector.exports.runs import Runs
from spanwise_collector.query.values import EPOCH
from spanwise_collector.store.database import Reader
from spanwise_collector.store.errors import StoreError

log = logging.getLogger(__name__)

RETRY_AFTER: Final = timedelta(minutes=10)
TIMEOUT_S: Final = 600
_KINDS: Final[Mapping[str, str]] = {"jsonl": "JSONEachRow", "csv": "CSVWithNames", "parquet": "Parquet"}
_OF_THE_DAY: Final = (
    "project_id = {project:String} AND ts >= fromUnixTimestamp64Micro({from:Int64}, 'UTC') "
    "AND ts < fromUnixTimestamp64Micro({to:Int64}, 'UTC')"
)
_SCORES: Final = (
    "lower(hex(score_id)) AS score_id, toString(target) AS target, lower(hex(trace_id)) AS trace_id, "
    "lower(hex(span_id)) AS span_id, session_id, toString(name) AS name, value, toString(label) AS label, explanation, "
    "toString(source) AS source, toString(evaluator) AS evaluator, toString(evaluator_version) AS evaluator_version, "
    "inclusion_p, toString(stratum) AS stratum, ts"
)


class Store(Reader, Protocol):
    """What the exporter needs of the database; `Database` fulfils it."""

    def command(self, sql: str, parameters: Mapping[str, object] = ...) -> None:
        """See `Database.command`."""
        ...

    def write_file(self, function: str, data: bytes) -> None:
        """See `Database.write_file`."""
        ...


@dataclass(frozen=True, slots=True)
class _Due:
    """A part that is to be written, and how; `write` returns its rows."""

    part: str
    write: Callable[[str], int]


class Exporter:
    """Writes what is due.

    Args:
        store: the database.
        datasets: of all projects.
        runs: what was written.
        place: where files go.
        wanted: what the file says now.
        now: the time of day, UTC.
    """

    def __init__(
        self,
        store: Store,
        datasets: Datasets,
        runs: Runs,
        place: Place,
        wanted: Callable[[], tuple[Export, ...]],
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._datasets = datasets
        self._runs = runs
        self._place = place
        self._wanted = wanted
        self._now = now

    def step(self) -> Mapping[str, int]:
        """One round over all exports.

        Raises:
            TransientStoreError: the store is away; the next round goes on.
        """
        counts = {"written": 0, "failed": 0}
        try:
            wanted = self._wanted()
        except ExportsFileError as error:
            log.error("SPANWISE_EXPORTS_FILE: %s", error)
            return {**counts, "failed": 1}
        for export in wanted:
            runs = self._runs.of(export.project, export.name)
            for due in self._due(export, {part for part, run in runs.items() if run.state == "done"}):
                tried = runs.get(due.part)
                if tried is not None and self._now() - tried.at < RETRY_AFTER:
                    continue
                is_written = self._written(export, due)
                counts["written" if is_written else "failed"] += 1
                if is_written and export.what == "dataset":
                    self._supersede(export, [part for part, run in runs.items() if run.state == "failed"], due.part)
        return counts

    def _supersede(self, export: Export, failed: Iterable[str], by: str) -> None:
        """Older versions that could not be written are not tried again, and are no failures any more."""
        for part in failed:
            if part != by:
                place = self._place.shown(export.path(part))
                self._runs.keep(export.project, export.name, part, place, state="superseded", reason=f"{by} is written")

    def _written(self, export: Export, due: _Due) -> bool:
        path = export.path(due.part)
        place = self._place.shown(path)
        try:
            rows = due.write(path)
        except (StoreError, UnknownDatasetError) as error:
            # A place that is away says so by the engine's transient errors, and is no reason to stop with the others.
            log.error("export %s of %s: %s was not written: %s", export.name, export.project, place, error)
            reason = str(error) or type(error).__name__
            self._runs.keep(export.project, export.name, due.part, place, state="failed", reason=reason)
            return False
        self._runs.keep(export.project, export.name, due.part, place, rows=rows)
        log.info("export %s of %s: %d rows in %s", export.name, export.project, rows, place)
        return True

    def _due(self, export: Export, done: set[str]) -> Iterator[_Due]:
        if export.what == "scores":
            for day in due_days(export, done, self._now()):
                yield _Due(part_of(day), lambda path, day=day: self._scores(export, day, path))  # type: ignore[misc]
            return
        newest = self._newest(export)
        # Of an empty dataset nothing is due; of one that does not exist the attempt, called v0, tells so.
        if newest != 0 and f"v{newest or 0}" not in done:
            yield _Due(f"v{newest or 0}", lambda path: self._version(export, path, newest))

    def _newest(self, export: Export) -> int | None:
        """Number of a dataset's newest version, 0 before the first; None where there is no such dataset."""
        try:
            return self._datasets.detail(export.project, export.dataset).dataset.version
        except UnknownDatasetError:
            return None

    def _version(self, export: Export, path: str, number: int | None) -> int:
        _, items = self._datasets.items(export.project, export.dataset, version=number)
        made = file_of([item.shown() for item in items], export.format)
        self._store.write_file(self._place.function(path, "RawBLOB", "body String"), made.data)
        return made.written

    def _scores(self, export: Export, day: datetime, path: str) -> int:
        begin = (day - EPOCH) // timedelta(microseconds=1)
        parameters = {"project": export.project, "from": begin, "to": begin + 86_400_000_000}
        self._store.command(
            f"INSERT INTO FUNCTION {self._place.function(path, _KINDS[export.format])} "
            f"SELECT {_SCORES} FROM scores FINAL WHERE {_OF_THE_DAY} ORDER BY ts, score_id "
            # The name is the part's: what is there is an earlier try.
            "SETTINGS engine_file_truncate_on_insert = 1, s3_truncate_on_insert = 1, "
            f"max_execution_time = {TIMEOUT_S}",
            parameters,
        )
        counted = self._store.query(f"SELECT count() FROM scores FINAL WHERE {_OF_THE_DAY}", parameters).rows
        return int(counted[0][0])
