"""The one door to ClickHouse: two writers, a pool of readers, on the embedded engine or a server.

Readers have limits of their own on time, memory and rows, so that no question asked of the API can stop ingest.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, Self, TypeVar

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from spanwise_collector.store.dsn import Address, parse_dsn
from spanwise_collector.store.errors import StoreError, TransientStoreError, from_driver
from spanwise_collector.store.lost_blocks import forget_lost_blocks

CONNECT_TIMEOUT_S: Final = 10
INSERT_TIMEOUT_S: Final = 120
READER_WAIT_S: Final = 10.0
# One for batches, one so that a small row (a pin, say) need not wait for the batch that is being inserted.
WRITERS: Final = 2

# One block per insert: the server mixes the token with the number of blocks, so the same rows cut otherwise
# would be stored twice. 0 means no lower bound for squashing; a batch is below 2^31 rows by far.
ONE_BLOCK: Final[Mapping[str, object]] = {
    "max_insert_block_size": 2**31,
    "min_insert_block_size_rows": 0,
    "min_insert_block_size_bytes": 0,
    "max_insert_threads": 1,
    "input_format_parallel_parsing": 0,
}
# Merges make the text indexes, not inserts: those were a third of the work of storing a span. What is too fresh to be
# merged is searched without an index, which is quick because it is little.
MERGES_INDEX_TEXT: Final[Mapping[str, object]] = {"exclude_materialize_skip_indexes_on_insert": "fts_in,fts_out"}
EXACTLY_ONCE: Final[Mapping[str, object]] = {
    "async_insert": 0,
    "insert_deduplicate": 1,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    # A Distributed table hands the rows on before it answers, so that an answer means stored.
    "distributed_foreground_insert": 1,
    # Late spans may lie in many days; the default limit of 100 would refuse such a batch for ever.
    "max_partitions_per_insert_block": 0,
}

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """Rows of a query, in order."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def dicts(self) -> list[dict[str, Any]]:
        """The rows by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True, slots=True)
class TypedResult(Result):
    """Rows of a query, and what its columns are.

    Attributes:
        types: ClickHouse type of each column.
    """

    types: tuple[str, ...] = ()


class Reader(Protocol):
    """What a query needs of the store."""

    def query(
        self,
        sql: str,
        parameters: Mapping[str, object] = ...,
        *,
        settings: Mapping[str, object] = ...,
        timeout_s: float = ...,
    ) -> Result:
        """Run one SELECT; see `Database.query`."""
        ...


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """What one query may use at most.

    Attributes:
        memory_bytes: for the whole query; the engine stops it above this.
        result_rows: rows in the answer.
    """

    memory_bytes: int = 1 << 30
    result_rows: int = 1_000_000


class Database:
    """A ClickHouse database: thread-safe, a few writers and readers.

    Attributes:
        address: where it is.
        cluster: name of the ClickHouse cluster, or empty.
        span_inserts: who holds it keeps this process from inserting spans, while roll-ups are made anew from them.
    """

    def __init__(
        self, address: Address, cluster: str, writers: Sequence[Client], readers: Sequence[Client], limits: ReadLimits
    ) -> None:
        self.address = address
        self.cluster = cluster
        self._writers = tuple(writers)
        self._free_writers: queue.LifoQueue[Client] = queue.LifoQueue()
        for writer in writers:
            self._free_writers.put(writer)
        self._limits = limits
        self.span_inserts = threading.RLock()
        self._readers = tuple(readers)
        self._free: queue.LifoQueue[Client] = queue.LifoQueue()
        for reader in readers:
            self._free.put(reader)

    @classmethod
    def open(cls, dsn: str, *, readers: int = 4, cluster: str = "", limits: ReadLimits | None = None) -> Self:
        """Connect, and make the database when it does not exist.

        Args:
            dsn: `chdb:///path[?database=name]` or `http(s)://user:password@host:port/database`.
            readers: how many queries may run at once.
            cluster: name of a ClickHouse cluster, for statements ON CLUSTER.
            limits: of each query.

        Raises:
            ValueError: the address cannot be read.
            TransientStoreError: the server does not answer, or another process has the directory open.
            StoreError: it answers and refuses (password, rights).
        """
        address = parse_dsn(dsn)
        if address.interface == "chdb" and (lost := forget_lost_blocks(Path(address.path))):
            log.warning("%d inserts into %s were cut short by a kill; they are made again.", lost, address.path)
        opened: list[Client] = []
        try:
            while len(opened) < WRITERS + readers:
                opened.append(_connect(address))
            _make_database(opened[0], address.database, cluster)
            for client in opened:
                client.database = address.database
        except BaseException:
            for client in opened:
                client.close()
            raise
        return cls(address, cluster, opened[:WRITERS], opened[WRITERS:], limits or ReadLimits())

    def insert(self, table: str, rows: pa.RecordBatch, *, token: str, one_shard: bool = False) -> None:
        """Insert rows as one block under a token; the same token again is recognised and stores nothing.

        Args:
            table: its name.
            rows: columns by name; columns that are absent take their defaults.
            token: says which rows these are; see docs/decisions/0003-exactly-once.md.
            one_shard: on a cluster all rows go to the first shard, where the same token meets them again, for tables
                that are sharded at random.

        Raises:
            TransientStoreError: try again with the same rows and token.
            PermanentStoreError: these rows will be refused again.
            StoreError: a person has to look.
        """
        if rows.num_rows == 0:
            return
        compression = None if self.address.interface == "chdb" else "lz4"
        body = _arrow_stream(rows, compression)
        settings = {**ONE_BLOCK, **MERGES_INDEX_TEXT, **EXACTLY_ONCE, "insert_deduplication_token": token}
        if one_shard and self.cluster:
            settings["insert_shard_id"] = 1
        names = list(rows.schema.names)

        with self.span_inserts if table == "spans" else nullcontext(), self._writer() as client:
            _translate(
                lambda: client.raw_insert(table, names, body, settings=dict(settings), fmt="ArrowStream"), reading=False
            )

    def query(
        self,
        sql: str,
        parameters: Mapping[str, object] = {},
        *,
        settings: Mapping[str, object] = {},
        timeout_s: float = 30.0,
    ) -> Result:
        """Run one SELECT on a free reader.

        Args:
            sql: with `{name:Type}` where parameters go; the server puts them in, so no value can become SQL.
            parameters: by name.
            settings: of ClickHouse, for this query.
            timeout_s: limit on the execution; waiting for a free reader is limited by it as well.

        Raises:
            QueryLimitError: it took more than its limits.
            TransientStoreError: the server is away, or every reader stayed busy.
            StoreError: anything else.
        """
        return self.query_typed(sql, parameters, settings=settings, timeout_s=timeout_s)

    def query_typed(
        self,
        sql: str,
        parameters: Mapping[str, object] = {},
        *,
        settings: Mapping[str, object] = {},
        timeout_s: float = 30.0,
    ) -> TypedResult:
        """Like `query`, with the types of the columns."""
        answer = self._read(
            lambda client, limits: client.query(sql, parameters=dict(parameters), settings=_merged(limits, settings)),
            timeout_s,
        )
        types = tuple(str(one.name) for one in answer.column_types)
        return TypedResult(tuple(answer.column_names), [tuple(row) for row in answer.result_rows], types)

    def query_arrow(
        self,
        sql: str,
        parameters: Mapping[str, object] = {},
        *,
        settings: Mapping[str, object] = {},
        timeout_s: float = 30.0,
    ) -> pa.Table:
        """Run one SELECT on a free reader, for many rows: as columns, within the same limits; see `query`.

        Raises:
            QueryLimitError: it took more than its limits.
            TransientStoreError: the server is away, or every reader stayed busy.
            StoreError: anything else.
        """
        return self._read(
            lambda client, limits: client.query_arrow(
                sql, parameters=dict(parameters), settings={**limits, **settings}, use_strings=True
            ),
            timeout_s,
        )

    def _read(self, call: Callable[[Client, Mapping[str, object]], T], timeout_s: float) -> T:
        limits: dict[str, object] = {
            "max_execution_time": max(0.001, round(timeout_s, 3)),
            "max_memory_usage": self._limits.memory_bytes,
            "max_result_rows": self._limits.result_rows,
            "result_overflow_mode": "throw",
            "readonly": 2,
        }
        with self._reader(min(timeout_s, READER_WAIT_S)) as client:
            return _translate(lambda: call(client, limits), reading=True)

    def command(self, sql: str, parameters: Mapping[str, object] = {}) -> None:
        """Run one statement that returns nothing (DDL, INSERT … SELECT) on a writer.

        Raises:
            StoreError: or the class whose remedy fits.
        """
        with self._writer() as client:
            _translate(lambda: client.command(sql, parameters=dict(parameters)), reading=False)

    def write_file(self, function: str, data: bytes) -> None:
        """Have the engine write bytes as they are; what was there before is replaced.

        Args:
            function: a table function of the format RawBLOB with one column `body`, such as `file` or `s3`.
            data: of the file.

        Raises:
            StoreError: or the class whose remedy fits.
        """
        rows = pa.RecordBatch.from_pydict({"body": pa.array([data], pa.binary())})
        body = _arrow_stream(rows, None)
        settings = {"engine_file_truncate_on_insert": 1, "s3_truncate_on_insert": 1}
        with self._writer() as client:
            _translate(
                lambda: client.raw_insert(f"FUNCTION {function}", ["body"], body, settings=settings, fmt="ArrowStream"),
                reading=False,
            )

    def close(self) -> None:
        """Close all connections; queries that are running are waited for."""
        for client in (*self._writers, *self._readers):
            client.close()

    @property
    def free_readers(self) -> int:
        """How many queries could start now without waiting."""
        return self._free.qsize()

    @contextmanager
    def no_readers(self, timeout_s: float) -> Iterator[None]:
        """During the block no query of this object runs: those that run are waited for, new ones wait.

        Args:
            timeout_s: how long to wait.

        Raises:
            TransientStoreError: some were still running.
        """
        taken: list[Client] = []
        deadline = time.monotonic() + timeout_s
        try:
            while len(taken) < len(self._readers):
                try:
                    taken.append(self._free.get(timeout=max(0.0, deadline - time.monotonic())))
                except queue.Empty:
                    raise TransientStoreError(f"Some queries were still running after {timeout_s:g} s.") from None
            yield
        finally:
            for client in taken:
                self._free.put(client)

    @contextmanager
    def _writer(self) -> Iterator[Client]:
        try:
            client = self._free_writers.get(timeout=INSERT_TIMEOUT_S)
        except queue.Empty:
            raise TransientStoreError(f"All writers stayed busy for {INSERT_TIMEOUT_S} s.") from None
        try:
            yield client
        finally:
            self._free_writers.put(client)

    @contextmanager
    def _reader(self, wait_s: float) -> Iterator[Client]:
        try:
            client = self._free.get(timeout=wait_s)
        except queue.Empty:
            raise TransientStoreError(
                f"All {len(self._readers)} readers stayed busy for {wait_s:g} s; try again, or raise SPANWISE_READERS."
            ) from None
        try:
            yield client
        finally:
            self._free.put(client)


def _merged(limits: Mapping[str, object], settings: Mapping[str, object]) -> dict[str, object]:
    """Settings of a query; `readonly` last, since the engine lets none be changed behind it."""
    merged = {**limits, **settings}
    readonly = merged.pop("readonly")
    return {**merged, "readonly": readonly}


def _translate(call: Callable[[], T], *, reading: bool) -> T:
    try:
        return call()
    except (ClickHouseError, OSError) as error:
        raise from_driver(error, reading=reading) from error


def _connect(address: Address) -> Client:
    if address.interface == "chdb":
        return _connect_embedded(address.path)
    return _translate(
        lambda: clickhouse_connect.get_client(
            interface=address.interface,
            host=address.host,
            port=address.port,
            username=address.username,
            password=address.password,
            # Sessions would forbid what a lost answer needs: the same insert again while the first still runs.
            autogenerate_session_id=False,
            connect_timeout=CONNECT_TIMEOUT_S,
            send_receive_timeout=INSERT_TIMEOUT_S,
            show_clickhouse_errors="scrub",
        ),
        reading=False,
    )


def _connect_embedded(path: str) -> Client:
    try:
        return clickhouse_connect.get_client(interface="chdb", path=path, show_clickhouse_errors="scrub")
    except ImportError:
        raise StoreError(
            "The embedded engine is not installed: pip install 'spanwise[embedded]', "
            "or set SPANWISE_CLICKHOUSE to a ClickHouse server."
        ) from None
    except ClickHouseError as error:
        holder = _holder(Path(path) / "status")
        if holder is None:
            raise StoreError(f"The embedded engine cannot open {path}: {' '.join(str(error).split())}") from error
        raise TransientStoreError(
            f"{path} is open in another process ({holder}); only one may open it. Stop that one, or ask its HTTP API, "
            "or set SPANWISE_CLICKHOUSE to another directory."
        ) from error


def _holder(status: Path) -> str | None:
    """Who holds the lock on the engine's status file, as it wrote itself ("PID: 123"), or None when nobody does."""
    import fcntl  # not on Windows, where the embedded engine does not exist either

    try:
        with status.open("r", encoding="utf-8", errors="replace") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.readline().strip() or "unknown"
            return None
    except OSError:
        return None


def _make_database(client: Client, name: str, cluster: str) -> None:
    def make() -> None:
        if client.query("SELECT count() FROM system.databases WHERE name = {n:String}", {"n": name}).result_rows == [
            (0,)
        ]:
            on_cluster = f" ON CLUSTER {quoted(cluster)}" if cluster else ""
            client.command(f"CREATE DATABASE IF NOT EXISTS {quoted(name)}{on_cluster}")

    _translate(make, reading=False)


def quoted(identifier: str) -> str:
    """An identifier as ClickHouse reads it whatever is in it."""
    return "`" + identifier.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _arrow_stream(rows: pa.RecordBatch, compression: str | None) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_batch(rows)
    return bytes(sink.getvalue().to_pybytes())
