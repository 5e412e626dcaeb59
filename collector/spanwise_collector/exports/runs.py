"""Which parts are written: rows of the table `exports`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import pyarrow as pa

from spanwise_collector.alerts.claims import Store
from spanwise_collector.query.values import EPOCH, time_of
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_exports import ExportRun, ExportState

TABLE: Final = "exports"
_MILLIS: Final = pa.timestamp("ms", "UTC")
_SCHEMA: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("name", pa.string()),
        ("part", pa.string()),
        ("place", pa.string()),
        ("n_rows", pa.uint64()),
        ("state", pa.string()),
        ("reason", pa.string()),
        ("ts", _MILLIS),
        ("version", pa.uint64()),
    ]
)
MAX_REASON: Final = 1_000


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a part.

    Attributes:
        part: of the export.
        state: whether it is written.
        at: when.
    """

    part: str
    state: ExportState
    at: datetime


class Runs:
    """What was written, and what could not be.

    Args:
        store: the database.
        now: the time of day, UTC.
    """

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    def of(self, project: str, name: str) -> dict[str, Run]:
        """The runs of an export, by part.

        Raises:
            StoreError: as the store says.
        """
        return {one.part: Run(one.part, one.state, one.time) for one in listed(self._store, project, name)}

    def keep(
        self,
        project: str,
        name: str,
        part: str,
        place: str,
        *,
        rows: int = 0,
        state: ExportState = "done",
        reason: str = "",
    ) -> None:
        """A part was written; or not, for a reason.

        Raises:
            StoreError: as the store says.
        """
        now = self._now()
        version = (now - EPOCH) // timedelta(microseconds=1)
        row = {
            "project_id": project,
            "name": name,
            "part": part,
            "place": place,
            "n_rows": rows,
            "state": state,
            "reason": reason[:MAX_REASON],
            "ts": now,
            "version": version,
        }
        self._store.insert(
            TABLE,
            pa.RecordBatch.from_pylist([row], schema=_SCHEMA),
            token=f"export:{project}:{name}:{part}:{version}",
        )


def listed(reader: Reader, project: str, name: str = "", *, limit: int = 1_000) -> list[ExportRun]:
    """Runs of a project, the newest first; of one export, where it is named.

    Raises:
        StoreError: as the store says.
    """
    rows = reader.query(
        f"SELECT name, part, place, n_rows, state, reason, toUnixTimestamp64Milli(ts) AS at FROM {TABLE} FINAL "
        "WHERE project_id = {project:String} AND ({name:String} = '' OR name = {name:String}) "
        "ORDER BY at DESC, name, part LIMIT {limit:UInt32}",
        {"project": project, "name": name, "limit": limit},
    ).rows
    return [
        ExportRun(name=of, part=part, place=place, rows=n, state=state, reason=reason, time=time_of(int(at) * 1000))
        for of, part, place, n, state, reason, at in rows
    ]
