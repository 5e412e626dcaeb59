"""Datasets in ClickHouse. A version appears as a whole or not at all, and of two writers one has its number."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import pyarrow as pa

from spanwise_collector.datasets.model import DatasetError, Difference, Item, difference
from spanwise_collector.query.values import EPOCH, micros
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_datasets import (
    Dataset,
    DatasetChanged,
    DatasetDetail,
    DatasetPage,
    DatasetVersion,
    ItemPage,
)

MOST_DATASETS: Final = 1000
ATTEMPTS: Final = 5
"""So often a change is made anew on what another writer has just published."""
ROWS_AT_ONCE: Final = 5000
_MILLIS: Final = pa.timestamp("ms", "UTC")
_DATASETS: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("name", pa.string()),
        ("description", pa.string()),
        ("by", pa.string()),
        ("created_at", _MILLIS),
        ("version", pa.uint64()),
    ]
)
_VERSIONS: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("dataset", pa.string()),
        ("number", pa.uint32()),
        ("change", pa.string()),
        ("note", pa.string()),
        ("by", pa.string()),
        ("n_items", pa.uint64()),
        ("n_added", pa.uint64()),
        ("n_changed", pa.uint64()),
        ("n_removed", pa.uint64()),
        ("ts", _MILLIS),
    ]
)
_ITEMS: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("dataset", pa.string()),
        ("change", pa.string()),
        ("item_id", pa.string()),
        ("position", pa.uint64()),
        ("is_removed", pa.bool_()),
        ("input", pa.string()),
        ("expected", pa.string()),
        ("rejected", pa.string()),
        ("metadata", pa.string()),
        ("item_group", pa.string()),
        ("trace_id", pa.binary(16)),
        ("span_id", pa.binary(8)),
        ("ts", _MILLIS),
    ]
)
# The first row of a number holds: a second can only come from a writer that slept through 10,000 others.
_PUBLISHED: Final = (
    "(SELECT number, argMin(change, ts) AS change FROM dataset_versions WHERE project_id = {project:String} "
    "AND dataset = {dataset:String} AND number <= {number:UInt32} GROUP BY number)"
)
_COLUMNS: Final = "item_id, input, expected, rejected, metadata, item_group, trace_id, span_id, position"
_STATE: Final = (
    f"SELECT {_COLUMNS} FROM (SELECT {_COLUMNS}, is_removed, number FROM dataset_items AS i INNER JOIN {_PUBLISHED} "
    "AS v USING (change) WHERE i.project_id = {project:String} AND i.dataset = {dataset:String} "
    "ORDER BY item_id, number DESC LIMIT 1 BY item_id) WHERE NOT is_removed"
)


class Store(Reader, Protocol):
    """What datasets and experiments need of the database; `Database` fulfils it."""

    def insert(self, table: str, rows: pa.RecordBatch, *, token: str, one_shard: bool = ...) -> None:
        """See `Database.insert`."""
        ...


class UnknownDatasetError(LookupError):
    """There is no such dataset or version; the message says what is there."""


class Datasets:
    """Datasets of all projects.

    Args:
        store: the database.
        now: the time of day, UTC.
        new_id: a text that was never used before.
        timeout_s: of each query.
    """

    def __init__(
        self, store: Store, *, now: Callable[[], datetime], new_id: Callable[[], str], timeout_s: float = 30.0
    ) -> None:
        self._store = store
        self._now = now
        self._new_id = new_id
        self._timeout_s = timeout_s

    def listed(self, project: str) -> DatasetPage:
        """All datasets of a project, those changed last first.

        Raises:
            StoreError: as the store says.
        """
        rows = self._query(
            "SELECT d.name, d.description, d.by, toUnixTimestamp64Milli(d.created_at), v.newest, v.size, "
            "greatest(v.at, toUnixTimestamp64Milli(d.created_at)) AS updated "
            "FROM (SELECT * FROM datasets FINAL WHERE project_id = {project:String}) AS d LEFT JOIN "
            "(SELECT dataset, max(number) AS newest, "
            "argMax(n_items, (number, -toUnixTimestamp64Milli(ts))) AS size, "
            "toUnixTimestamp64Milli(argMax(ts, (number, -toUnixTimestamp64Milli(ts)))) AS at "
            "FROM dataset_versions WHERE project_id = {project:String} GROUP BY dataset) AS v "
            f"ON d.name = v.dataset ORDER BY updated DESC, d.name LIMIT {MOST_DATASETS}",
            {"project": project},
        )
        return DatasetPage(items=[_dataset(project, row) for row in rows])

    def make(self, project: str, name: str, *, description: str = "", by: str = "") -> Dataset:
        """Make a dataset, or give the one of this name another description.

        Raises:
            StoreError: as the store says.
        """
        now = self._now()
        known = self._query(
            "SELECT toUnixTimestamp64Milli(created_at), by, description FROM datasets FINAL "
            "WHERE project_id = {project:String} AND name = {dataset:String}",
            {"project": project, "dataset": name},
        )
        row = {
            "project_id": project,
            "name": name,
            "description": description or (known[0][2] if known else ""),
            "by": known[0][1] if known else by,
            "created_at": _time(known[0][0]) if known else now,
            "version": micros(now),
        }
        batch = pa.RecordBatch.from_pylist([row], schema=_DATASETS)
        self._store.insert("datasets", batch, token=f"dataset:{project}:{name}:{row['version']}")
        return self.detail(project, name).dataset

    def detail(self, project: str, name: str) -> DatasetDetail:
        """A dataset with its versions, the newest first.

        Raises:
            UnknownDatasetError: the project has none of this name.
            StoreError: as the store says.
        """
        found = next((one for one in self.listed(project).items if one.name == name), None)
        if found is None:
            raise UnknownDatasetError(
                f"There is no dataset {name!r} in the project {project!r}; `spanwise datasets list` shows all."
            )
        rows = self._query(
            "SELECT number, argMin((n_items, n_added, n_changed, n_removed, note, by, toUnixTimestamp64Milli(ts)), ts) "
            "FROM dataset_versions WHERE project_id = {project:String} AND dataset = {dataset:String} "
            "GROUP BY number ORDER BY number DESC",
            {"project": project, "dataset": name},
        )
        versions = [
            DatasetVersion(
                number=number,
                items=items,
                added=added,
                changed=changed,
                removed=removed,
                note=note,
                by=by,
                created_at=_time(ts),
            )
            for number, (items, added, changed, removed, note, by, ts) in rows
        ]
        return DatasetDetail(dataset=found, versions=versions)

    def items(self, project: str, name: str, *, version: int | None = None) -> tuple[int, list[Item]]:
        """A version's number and its items in their order.

        Args:
            project: whose.
            name: of the dataset.
            version: its number; None for the newest.

        Raises:
            UnknownDatasetError: there is no such dataset or version.
            StoreError: as the store says.
        """
        number = self._number(project, name, version)
        if not number:
            return 0, []
        rows = self._query(f"{_STATE} ORDER BY position, item_id", self._state(project, name, number))
        return number, [Item(*row) for row in rows]

    def page(
        self, project: str, name: str, *, version: int | None = None, text: str = "", offset: int = 0, limit: int = 50
    ) -> ItemPage:
        """Items of a version from a place on; with `text` only those in which it occurs.

        Raises:
            UnknownDatasetError: there is no such dataset or version.
            StoreError: as the store says.
        """
        number = self._number(project, name, version)
        if not number:
            return ItemPage(dataset=name, version=0, total=0, items=[])
        parameters = self._state(project, name, number) | {"text": text, "offset": offset, "limit": limit}
        where = (
            " AND (positionCaseInsensitiveUTF8(input, {text:String}) > 0 "
            "OR positionCaseInsensitiveUTF8(expected, {text:String}) > 0)"
            if text
            else ""
        )
        total = int(self._query(f"SELECT count() FROM ({_STATE}{where})", parameters)[0][0])
        rows = self._query(
            f"{_STATE}{where} ORDER BY position, item_id LIMIT {{limit:UInt32}} OFFSET {{offset:UInt64}}", parameters
        )
        after = offset + len(rows)
        return ItemPage(
            dataset=name,
            version=number,
            total=total,
            items=[Item(*row).shown() for row in rows],
            next_offset=after if after < total else None,
        )

    def change(
        self,
        project: str,
        name: str,
        put: Iterable[Item],
        remove: Sequence[str] = (),
        *,
        replace_all: bool = False,
        note: str = "",
        by: str = "",
    ) -> DatasetChanged:
        """Make a version of it; none where nothing changes.

        Args:
            project: whose.
            name: of the dataset, which must exist.
            put: items to add or to replace.
            remove: ids of items to remove.
            replace_all: remove everything that is not put.
            note: for others.
            by: who.

        Raises:
            UnknownDatasetError: there is no such dataset.
            DatasetError: there would be too many items, or others go on changing it.
            StoreError: as the store says.
        """
        wanted = list(put)
        for _ in range(ATTEMPTS):
            number, items = self.items(project, name)
            before = {item.item_id: item for item in items}
            gone = list(before) if replace_all else remove
            found = difference(before, wanted, gone)
            if not found.put and not found.removed:
                return _changed(name, number, found)
            if self._publish(project, name, number + 1, found, note=note, by=by):
                return _changed(name, number + 1, found)
        raise DatasetError(f"the dataset {name!r} is being changed by others; try again")

    def _publish(self, project: str, name: str, number: int, found: Difference, *, note: str, by: str) -> bool:
        """Write the items, then the version; whether the number is ours."""
        now, change = self._now(), self._new_id()
        rows = [_row(project, name, change, item, now, is_removed=False) for item in found.put]
        rows += [_row(project, name, change, item, now, is_removed=True) for item in found.removed]
        for start in range(0, len(rows), ROWS_AT_ONCE):
            batch = pa.RecordBatch.from_pylist(rows[start : start + ROWS_AT_ONCE], schema=_ITEMS)
            self._store.insert("dataset_items", batch, token=f"dataset-items:{change}:{start}")
        version = {
            "project_id": project,
            "dataset": name,
            "number": number,
            "change": change,
            "note": note,
            "by": by,
            "n_items": found.items,
            "n_added": found.added,
            "n_changed": found.changed,
            "n_removed": len(found.removed),
            "ts": now,
        }
        batch = pa.RecordBatch.from_pylist([version], schema=_VERSIONS)
        token = f"dataset-version:{project}\0{name}\0{number}"
        self._store.insert("dataset_versions", batch, token=token, one_shard=True)
        winner = self._query(
            f"SELECT change FROM {_PUBLISHED} WHERE number = {{number:UInt32}}", self._state(project, name, number)
        )
        return winner == [(change,)]

    def _number(self, project: str, name: str, version: int | None) -> int:
        newest = self.detail(project, name).dataset.version
        if version is None:
            return newest
        if not 1 <= version <= newest:
            raise UnknownDatasetError(f"The dataset {name!r} has no version {version}; its newest is {newest}.")
        return version

    def _state(self, project: str, name: str, number: int) -> dict[str, object]:
        return {"project": project, "dataset": name, "number": number}

    def _query(self, sql: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        return self._store.query(sql, parameters, timeout_s=self._timeout_s).rows


def _changed(name: str, number: int, found: Difference) -> DatasetChanged:
    return DatasetChanged(
        dataset=name,
        version=number,
        items=found.items,
        added=found.added,
        changed=found.changed,
        unchanged=found.unchanged,
        removed=len(found.removed),
        repeated=found.repeated,
    )


def _dataset(project: str, row: tuple[Any, ...]) -> Dataset:
    name, description, by, created, number, items, updated = row
    return Dataset(
        name=name,
        project=project,
        description=description,
        version=number,
        items=items,
        created_at=_time(created),
        updated_at=_time(updated),
        by=by,
    )


def _row(project: str, name: str, change: str, item: Item, now: datetime, *, is_removed: bool) -> dict[str, object]:
    return {
        "project_id": project,
        "dataset": name,
        "change": change,
        "item_id": item.item_id,
        "position": item.position,
        "is_removed": is_removed,
        "input": item.input,
        "expected": item.expected,
        "rejected": item.rejected,
        "metadata": item.metadata,
        "item_group": item.group,
        "trace_id": item.trace_id,
        "span_id": item.span_id,
        "ts": now,
    }


def _time(milliseconds: int) -> datetime:
    return (EPOCH + timedelta(milliseconds=int(milliseconds))).astimezone(UTC)
