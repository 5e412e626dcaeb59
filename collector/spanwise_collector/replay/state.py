"""Where a replay stands, kept in its shadow database, so that a new process goes on from there."""

from collections.abc import Callable
from typing import Final, Protocol

import pyarrow as pa

from spanwise_collector.store.database import Reader

TABLE: Final = "replay_state"
_CREATE: Final = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (name String, value String, version UInt64) "
    "ENGINE = ReplacingMergeTree(version) ORDER BY name SETTINGS non_replicated_deduplication_window = 10000"
)


class Store(Reader, Protocol):
    """What the state needs of the shadow database; `Database` fulfils it."""

    def insert(self, table: str, rows: pa.RecordBatch, *, token: str) -> None:
        """See `Database.insert`."""
        ...

    def command(self, sql: str) -> None:
        """See `Database.command`."""
        ...


class State:
    """Texts by name.

    Args:
        store: the shadow database.
        version: a number that rises from call to call, over restarts too.
    """

    def __init__(self, store: Store, version: Callable[[], int]) -> None:
        self._store = store
        self._version = version
        store.command(_CREATE)

    def read(self) -> dict[str, str]:
        """Everything."""
        rows = self._store.query(f"SELECT name, argMax(value, version) FROM {TABLE} GROUP BY name").rows
        return {str(name): str(value) for name, value in rows}

    def write(self, **values: str) -> None:
        """Set values, all at once."""
        version = self._version()
        rows = pa.RecordBatch.from_pydict(
            {
                "name": list(values),
                "value": list(values.values()),
                "version": pa.array([version] * len(values), pa.uint64()),
            }
        )
        self._store.insert(TABLE, rows, token=f"state:{version}")
