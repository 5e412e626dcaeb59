"""Digests that were made: stored once a day, read again by the page."""

from datetime import UTC, date, datetime
from typing import Final, Protocol

import pyarrow as pa

from spanwise_collector.query.values import micros
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_drift import DriftReport

TABLE: Final = "drift_findings"
WHOLE: Final = ""
"""Name of the row that holds a whole report; the others hold one finding each, for queries by hand."""
_SCHEMA: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("day", pa.date32()),
        ("finding", pa.string()),
        ("e_value", pa.float64()),
        ("reported", pa.bool_()),
        ("body", pa.string()),
        ("version", pa.uint64()),
    ]
)


class Store(Reader, Protocol):
    """What reports need of the database; `Database` fulfils it."""

    def insert(self, table: str, rows: pa.RecordBatch, *, token: str) -> None:
        """See `Database.insert`."""
        ...


def store_report(store: Store, report: DriftReport, now: datetime) -> None:
    """Keep a digest; a later one of the same day takes its place.

    Raises:
        StoreError: as the store says.
    """
    common = {"project_id": report.project, "day": report.day, "version": micros(now.astimezone(UTC))}
    rows = [common | {"finding": WHOLE, "e_value": 0.0, "reported": False, "body": report.model_dump_json()}]
    rows += [
        common | {"finding": one.finding_id, "e_value": one.e_value, "reported": True, "body": one.model_dump_json()}
        for one in report.findings
    ]
    batch = pa.RecordBatch.from_pylist(rows, schema=_SCHEMA)
    store.insert(TABLE, batch, token=f"digest:{report.project}:{report.day}:{common['version']}")


def stored_report(store: Reader, project: str, day: date, *, timeout_s: float = 30.0) -> DriftReport | None:
    """The newest digest of a day, or None where none was made.

    Raises:
        StoreError: as the store says.
    """
    rows = store.query(
        f"SELECT body FROM {TABLE} WHERE project_id = {{project:String}} AND day = {{day:Date}} AND finding = '' "
        "ORDER BY version DESC LIMIT 1",
        {"project": project, "day": day},
        timeout_s=timeout_s,
    ).rows
    return DriftReport.model_validate_json(rows[0][0]) if rows else None
