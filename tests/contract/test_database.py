"""What every ClickHouse behind `Database` must do: the same suite on the embedded engine and over HTTP.

Over HTTP it runs through tests/support/http_front.py, which is a front over the embedded engine and not a server.
"""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from spanwise_collector.store.database import Database, ReadLimits
from spanwise_collector.store.errors import (
    PERMANENT_CODES,
    QUERY_LIMIT_CODES,
    TRANSIENT_CODES,
    PermanentStoreError,
    QueryLimitError,
    StoreError,
    TransientStoreError,
)
from tests.support.databases import drop, fresh_dsn
from tests.support.http_front import Fault, Front, running_front


@pytest.fixture(scope="module")
def front(chdb_directory: Path) -> Iterator[Front]:
    """A ClickHouse-HTTP front over this process's engine."""
    with running_front(chdb_directory, password="secret") as front:
        yield front


Open = Callable[..., Database]


@pytest.fixture(params=["embedded", "http"])
def store(request: pytest.FixtureRequest, chdb_directory: Path) -> Iterator[Database]:
    """An empty database, opened both ways."""
    embedded = fresh_dsn(chdb_directory)
    name = embedded.rpartition("=")[2]
    dsn = embedded
    if request.param == "http":
        front: Front = request.getfixturevalue("front")
        dsn = front.url.replace("://", "://default:secret@") + f"/{name}"
    database = Database.open(dsn, readers=2, limits=ReadLimits(memory_bytes=200_000_000, result_rows=100_000))
    try:
        yield database
        drop(database)
    finally:
        database.close()


def make_tables(database: Database) -> None:
    """A table of texts, and a roll-up that counts them by a materialized view."""
    database.command(
        "CREATE TABLE texts (id UInt64, day Date, body String, kind Enum8('a' = 0, 'b' = 1) DEFAULT 'b', "
        "CONSTRAINT short CHECK length(body) < 10000) ENGINE = MergeTree PARTITION BY day ORDER BY id "
        "SETTINGS non_replicated_deduplication_window = 1000"
    )
    database.command(
        "CREATE TABLE counts (day Date, n SimpleAggregateFunction(sum, UInt64)) ENGINE = AggregatingMergeTree ORDER "
        "BY day "
        "SETTINGS non_replicated_deduplication_window = 1000"
    )
    database.command("CREATE MATERIALIZED VIEW counts_mv TO counts AS SELECT day, count() AS n FROM texts GROUP BY day")


def texts(count: int, *, size: int = 10, seed: int = 1, days: int = 1) -> pa.RecordBatch:
    """Rows of random, incompressible text."""
    rng = random.Random(seed)
    return pa.record_batch(
        {
            "id": pa.array(range(count), pa.uint64()),
            "day": pa.array([20_000 + i % days for i in range(count)], pa.date32()),
            "body": pa.array([rng.randbytes(size // 2).hex() for _ in range(count)]),
        }
    )


def stored(database: Database) -> tuple[int, int]:
    """Rows in the table and in its roll-up."""
    rows = database.query("SELECT (SELECT count() FROM texts), (SELECT sum(n) FROM counts)").rows
    return (int(rows[0][0]), int(rows[0][1]))


def test_a_query_returns_columns_and_rows(store: Database) -> None:
    """Names and values come back in order, with Python types."""
    result = store.query(
        "SELECT {n:UInt8} AS n, {s:String} AS s, [1, 2] AS a, toFixedString('ab', 2) AS f", {"n": 7, "s": "x"}
    )
    assert (result.columns, result.rows) == (("n", "s", "a", "f"), [(7, "x", [1, 2], b"ab")])
    assert result.dicts() == [{"n": 7, "s": "x", "a": [1, 2], "f": b"ab"}]


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec="utf-8"), max_size=40), more=st.lists(st.text(st.characters(codec="utf-8"))))
def test_parameters_reach_the_engine_unchanged(store: Database, text: str, more: list[str]) -> None:
    """No text, whatever its quotes, backslashes or NULs, is changed or read as SQL."""
    result = store.query("SELECT {t:String}, {m:Array(String)}", {"t": text, "m": more})
    assert result.rows == [(text, more)]


def test_a_long_parameter_goes_through(store: Database) -> None:
    """A text too long for a URL reaches the engine all the same."""
    text = "ä'\\" * 50_000
    assert store.query("SELECT {t:String} = {u:String}", {"t": text, "u": text}).rows == [(1,)]


def test_the_same_token_again_stores_nothing_more_anywhere(store: Database) -> None:
    """Table and roll-up know a repeated insert by its token; another token with the same rows is another insert."""
    make_tables(store)
    rows = texts(1000)
    store.insert("texts", rows, token="t:0:0-9:texts")
    store.insert("texts", rows, token="t:0:0-9:texts")
    assert stored(store) == (1000, 1000)
    store.insert("texts", rows, token="t:0:10-19:texts")
    assert stored(store) == (2000, 2000)


def test_a_batch_is_one_block_whatever_its_size(store: Database) -> None:
    """50,000 rows of 110 MB arrive as one part, and are recognised when they come again."""
    make_tables(store)
    rows = texts(50_000, size=2200)
    assert rows.nbytes > 100_000_000
    for _ in range(2):
        store.insert("texts", rows, token="big")
    parts = store.query(
        "SELECT count(), sum(rows) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'texts'"
    )
    assert (parts.rows, stored(store)) == ([(1, 50_000)], (50_000, 50_000))


def test_a_batch_may_span_hundreds_of_days(store: Database) -> None:
    """Late data in more partitions than ClickHouse allows by default is stored, exactly once."""
    make_tables(store)
    for _ in range(2):
        store.insert("texts", texts(600, days=300), token="late")
    assert stored(store) == (600, 600)


def test_absent_columns_take_their_defaults_and_no_rows_are_no_insert(store: Database) -> None:
    """`kind` is not in the batch and takes its default; an empty batch does nothing."""
    make_tables(store)
    store.insert("texts", texts(1), token="one")
    store.insert("texts", texts(0), token="none")
    assert store.query("SELECT kind, count() FROM texts GROUP BY kind").rows == [("b", 1)]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (pa.record_batch({"id": [1], "body": ["x" * 10_001]}), 469),
        (pa.record_batch({"id": [1], "kind": ["nonsense"]}), 691),
    ],
)
def test_rows_that_do_not_fit_are_a_permanent_error(store: Database, rows: pa.RecordBatch, code: int) -> None:
    """A violated constraint, an unknown enum value: these rows would be refused again."""
    make_tables(store)
    with pytest.raises(PermanentStoreError) as raised:
        store.insert("texts", rows, token="bad")
    assert (raised.value.code, stored(store)) == (code, (0, 0))


def test_a_missing_table_or_column_is_an_error_for_a_person(store: Database) -> None:
    """Neither waiting nor leaving rows out helps when the schema is wrong."""
    make_tables(store)
    for table, rows in (("nowhere", texts(1)), ("texts", pa.record_batch({"nothing": [1]}))):
        with pytest.raises(StoreError) as raised:
            store.insert(table, rows, token="t")
        assert type(raised.value) is StoreError
    with pytest.raises(StoreError, match="UNKNOWN_TABLE") as raised:
        store.query("SELECT * FROM nowhere")
    assert (type(raised.value), raised.value.code) == (StoreError, 60)


@pytest.mark.parametrize(
    ("sql", "timeout_s", "codes"),
    [
        ("SELECT sum(cityHash64(number)) FROM numbers(1000000000000)", 0.3, {159}),
        ("SELECT groupArray(number) FROM numbers(1000000000)", 30, {241}),
        ("SELECT number FROM numbers(100001)", 30, {396}),
    ],
)
def test_a_query_over_its_limits_is_stopped(store: Database, sql: str, timeout_s: float, codes: set[int]) -> None:
    """Time, memory and rows of a query are bounded; the error says that the question was too big."""
    with pytest.raises(QueryLimitError) as raised:
        store.query(sql, timeout_s=timeout_s)
    assert raised.value.code in codes


def test_readers_cannot_write(store: Database) -> None:
    """A query that would change something is refused, and cannot lift that either."""
    make_tables(store)
    for sql in ("DROP TABLE texts", "INSERT INTO texts (id) VALUES (1)", "SELECT 1 SETTINGS readonly = 0"):
        with pytest.raises(StoreError, match="READONLY"):
            store.query(sql)
    assert stored(store) == (0, 0)


def test_readers_do_not_wait_for_the_writer(store: Database) -> None:
    """Queries are answered while an insert runs, from several threads at once."""
    make_tables(store)
    with ThreadPoolExecutor(4) as pool:
        inserting = pool.submit(lambda: store.insert("texts", texts(50_000, size=1000), token="long"))
        answers = list(pool.map(lambda n: store.query("SELECT {n:UInt32}", {"n": n}).rows, range(50)))
        inserting.result(60)
    assert (answers, stored(store)) == ([[(n,)] for n in range(50)], (50_000, 50_000))


def test_when_every_reader_is_busy_the_wait_ends(chdb_directory: Path) -> None:
    """A query waits for a free reader no longer than its own time limit, then says which setting helps."""
    database = Database.open(fresh_dsn(chdb_directory), readers=1)
    try:
        with ThreadPoolExecutor(1) as pool:
            busy = pool.submit(
                lambda: database.query("SELECT sleepEachRow(0.5) FROM numbers(3) SETTINGS max_block_size = 1")
            )
            while database.free_readers:
                assert not busy.done()
            with pytest.raises(TransientStoreError, match="SPANWISE_READERS"):
                database.query("SELECT 1", timeout_s=0.2)
            assert len(busy.result(30).rows) == 3
        drop(database)
    finally:
        database.close()


def test_an_answer_lost_after_the_insert_landed_is_recognised(store_over_http: Database, front: Front) -> None:
    """The connection breaks after the rows are in: the error is transient, and the same insert again adds nothing."""
    make_tables(store_over_http)
    front.faults.set(Fault("lose_answer", match="lost-token", times=-1))
    with pytest.raises(TransientStoreError):
        store_over_http.insert("texts", texts(100), token="lost-token")
    front.faults.set()
    assert stored(store_over_http) == (100, 100)
    store_over_http.insert("texts", texts(100), token="lost-token")
    assert stored(store_over_http) == (100, 100)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("refuse", match="texts", times=-1),
        Fault("error", match="texts", times=-1, code=252),
        Fault("error", match="texts", times=-1, code=241),
        Fault("error", match="texts", times=-1, code=242),
        Fault("error", match="texts", times=-1, code=243),
        Fault("error", match="texts", times=-1, code=202),
    ],
)
def test_a_server_in_trouble_is_a_transient_error(store_over_http: Database, front: Front, fault: Fault) -> None:
    """Connection refused, too many parts, memory, read-only, full disk, too many queries: try the same insert again."""
    make_tables(store_over_http)
    front.faults.set(fault)
    with pytest.raises(TransientStoreError):
        store_over_http.insert("texts", texts(10), token="again")
    front.faults.set()
    store_over_http.insert("texts", texts(10), token="again")
    assert stored(store_over_http) == (10, 10)


@pytest.mark.parametrize("code", [164, 497])
def test_a_user_who_may_not_write_is_for_a_person(store_over_http: Database, front: Front, code: int) -> None:
    """A read-only user, a missing grant: neither waiting nor leaving rows out helps, so no row is rejected for it."""
    make_tables(store_over_http)
    front.faults.set(Fault("error", match="texts", code=code))

    with pytest.raises(StoreError) as raised:
        store_over_http.insert("texts", texts(10), token="again")

    assert (type(raised.value), raised.value.code) == (StoreError, code)


def test_an_insert_that_lands_after_it_was_sent_again_is_recognised(store_over_http: Database, front: Front) -> None:
    """The connection breaks, the same insert is sent again and stored, and then the first one arrives."""
    make_tables(store_over_http)
    front.faults.set(Fault("late", match="late-token", times=-1, seconds=0.5))
    with pytest.raises(TransientStoreError):
        store_over_http.insert("texts", texts(100), token="late-token")
    front.faults.set()

    store_over_http.insert("texts", texts(100), token="late-token")
    time.sleep(1.0)  # the first one's half second, on another thread

    assert stored(store_over_http) == (100, 100)


def test_a_server_that_is_away_is_transient_and_a_wrong_password_is_not(front: Front) -> None:
    """Opening says which of the two it is, and never shows the password."""
    with pytest.raises(TransientStoreError):
        Database.open("http://default:hunter2@127.0.0.1:9/default")
    with pytest.raises(StoreError, match="AUTHENTICATION_FAILED") as raised:
        Database.open(front.url.replace("://", "://default:hunter2@"))
    assert type(raised.value) is StoreError
    assert "hunter2" not in str(raised.value)


@pytest.fixture
def store_over_http(front: Front, chdb_directory: Path) -> Iterator[Database]:
    """An empty database over HTTP, and no faults left behind."""
    name = fresh_dsn(chdb_directory).rpartition("=")[2]
    database = Database.open(front.url.replace("://", "://default:secret@") + f"/{name}", readers=1)
    try:
        yield database
        front.faults.set()
        drop(database)
    finally:
        front.faults.set()
        database.close()


def test_the_error_table_has_the_engines_own_names(store: Database) -> None:
    """Each code that is sorted here means in the engine what its name says."""
    ours = {**TRANSIENT_CODES, **PERMANENT_CODES, **QUERY_LIMIT_CODES}
    names = store.query(
        "SELECT code, errorCodeToName(code) FROM (SELECT arrayJoin({c:Array(UInt32)}) AS code)", {"c": list(ours)}
    )
    assert dict(names.rows) == ours
    assert set(TRANSIENT_CODES) & set(PERMANENT_CODES) == set()
