"""SQL of users on the real engine: what is answered, what is refused, and that no wall has a hole."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spanwise_collector.sql_access.checking import RefusedSqlError
from spanwise_collector.sql_access.running import SqlLimits, SqlRunner, TooManyQueriesError
from spanwise_collector.store.database import Database
from spanwise_collector.store.errors import QueryLimitError, StoreError
from tests.support.databases import EmptyDatabases
from tests.support.two_projects import CANARY, OTHER, VICTIM, World, two_projects

TABLES: Final = ("spans", "span_io", "traces", "scores", "failures", "metrics_1m")


@pytest.fixture(scope="module")
def store(
    empty_databases: EmptyDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, Database]]:
    """Two projects with everything in them."""
    with empty_databases.lend() as database, two_projects(database, tmp_path_factory.mktemp("world")) as world:
        yield world, database


@pytest.fixture(scope="module")
def runner(store: tuple[World, Database]) -> SqlRunner:
    """Runs SQL with the limits of the collector."""
    return SqlRunner(store[1], SqlLimits())


@pytest.mark.parametrize("table", TABLES)
def test_each_table_shows_a_project_its_own_rows_alone(runner: SqlRunner, table: str) -> None:
    """The victim sees its canary, the other project sees rows without it."""
    own = runner.run(VICTIM, f"SELECT * FROM {table}")
    other = runner.run(OTHER, f"SELECT * FROM {table}")

    assert own.rows
    assert other.rows
    assert (CANARY in repr(own.rows), CANARY in repr(other.rows)) == (True, False)
    assert not {"project_id", "koff"} & {name for name, _ in own.columns}


def test_every_form_of_select_is_answered(runner: SqlRunner) -> None:
    """WITH, joins, subqueries, unions, windows, lambdas, arrays, aggregates with combinators, and the order is kept."""
    found = runner.run(
        VICTIM,
        """
        WITH calls AS (SELECT trace_id, name, duration_us FROM spans WHERE kind = 'llm') -- a comment
        SELECT c.name, count() AS n, quantileIf(0.5)(c.duration_us, c.duration_us > 0) AS median,
          arrayMap(x -> x * 2, [1, 2]) AS doubled, row_number() OVER (ORDER BY c.name) AS place,
          CASE WHEN n > 1 THEN 'many' ELSE 'one' END AS word, sum(t.n_spans) AS spans
        FROM calls AS c INNER JOIN traces AS t USING (trace_id)
        WHERE c.trace_id IN (SELECT trace_id FROM traces) AND c.name LIKE '%' GROUP BY c.name ORDER BY c.name DESC;
        """,
    )
    ordered = runner.run(VICTIM, "SELECT span_id FROM spans ORDER BY span_id DESC")
    both = runner.run(VICTIM, "(SELECT 1 AS a) UNION ALL (SELECT 2)", rows=1)

    assert [name for name, _ in found.columns] == ["name", "n", "median", "doubled", "place", "word", "spans"]
    assert found.rows
    assert ordered.rows == sorted(ordered.rows, reverse=True)
    assert len(ordered.rows) > 1
    assert (len(both.rows), both.is_cut) == (1, True)
    assert runner.run(VICTIM, "SELECT name FROM spans WHERE name = 'nobody'").columns == [
        ("name", "LowCardinality(String)")
    ]


ATTACKS: Final = (
    "DROP TABLE spans",
    "INSERT INTO spans SELECT * FROM spans",
    "SELECT 1; DROP TABLE spans",
    "SELECT 1 FROM spans); DROP TABLE spans --",
    "SELECT 1) UNION ALL (SELECT name FROM system.tables",
    "SELECT 1) SETTINGS readonly = 0 --",
    "SELECT * FROM {db}.spans",
    "SELECT * FROM `{db}`.`spans`",
    'SELECT * FROM "{db}"."spans"',
    "SELECT * FROM {db} . spans",
    "SELECT * FROM /* x */ {db}./* y */spans",
    "SELECT * FROM alert_rules",
    "SELECT * FROM `alert_rules`",
    "SELECT * FROM trace_agg",
    "SELECT * FROM ingest_ledger",
    "SELECT * FROM schema_migrations",
    "SELECT * FROM system.tables",
    "SELECT * FROM system.parts",
    "SELECT * FROM INFORMATION_SCHEMA.TABLES",
    "SELECT * FROM information_schema.tables",
    "SELECT 1 WHERE 'x' IN system.one",
    "SELECT 1 WHERE 'x' IN ingest_rejects",
    "SELECT 1 WHERE 'x' NOT IN {db}.spans",
    "SELECT * FROM spans JOIN alert_rules ON 1",
    "SELECT (SELECT count() FROM alert_rules)",
    "WITH x AS (SELECT * FROM alert_rules) SELECT * FROM x",
    "WITH spans AS (SELECT * FROM {db}.spans) SELECT * FROM spans",
    "SELECT * FROM (SELECT * FROM (SELECT * FROM {db}.span_io))",
    "SELECT * FROM spans UNION ALL SELECT * FROM {db}.spans",
    "SELECT * FROM merge('{db}', 'spans')",
    "SELECT * FROM merge(currentDatabase(), '.*')",
    "SELECT * FROM remote('127.0.0.1', '{db}.spans')",
    "SELECT * FROM cluster('default', '{db}.spans')",
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT * FROM url('http://127.0.0.1:8123/', 'LineAsString')",
    "SELECT * FROM s3('http://127.0.0.1/a/b')",
    "SELECT * FROM mysql('127.0.0.1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM executable('sh', 'TSV', 'x String')",
    "SELECT * FROM input('x String')",
    "SELECT * FROM view(SELECT * FROM {db}.spans)",
    "SELECT * FROM viewIfPermitted(SELECT * FROM {db}.spans ELSE null('x String'))",
    "SELECT * FROM mergeTreeIndex('{db}', 'spans')",
    "SELECT * FROM numbers(10)",
    "SELECT * FROM generateRandom('x String')",
    "SELECT file('/etc/passwd')",
    "SELECT FILE('/etc/passwd')",
    "SELECT `file`('/etc/passwd')",
    "SELECT arrayMap(x -> file(x), ['/etc/passwd'])",
    "SELECT * APPLY(file) FROM spans",
    "SELECT COLUMNS('name') APPLY(x -> file(x)) FROM spans",
    "SELECT dictGet('a', 'b', 1)",
    "SELECT joinGet('{db}.spans', 'name', 1)",
    "SELECT hasColumnInTable('{db}', 'spans', 'name')",
    "SELECT getSetting('max_threads')",
    "SELECT getServerSetting('max_connections')",
    "SELECT currentDatabase()",
    "SELECT DATABASE()",
    "SELECT currentUser()",
    "SELECT hostName()",
    "SELECT serverUUID()",
    "SELECT version()",
    "SELECT filesystemAvailable()",
    "SELECT addressToLine(0)",
    "SELECT sleepEachRow(3) FROM spans",
    "SELECT aiGenerate('x')",
    "SELECT * FROM spans SETTINGS readonly = 0",
    "SELECT * FROM spans SETTINGS additional_table_filters = {{}}",
    "SELECT * FROM (SELECT * FROM spans SETTINGS max_execution_time = 0)",
    "SELECT * FROM spans INTO OUTFILE '/tmp/x'",
    "SELECT * FROM spans FORMAT Null",
    "SELECT {{spanwise_project:String}}",
    "SELECT * FROM {{x:Identifier}}",
    "gen_ai.choice",
    "SELECT nothing FROM spans",
    "SELECT throwIf(1)",
    "EXPLAIN SELECT 1",
    "DESCRIBE TABLE spans",
    "SHOW TABLES",
    "SHOW CREATE TABLE spans",
    "EXISTS TABLE spans",
    "USE system",
    "SET readonly = 0",
    "SYSTEM FLUSH LOGS",
    "KILL QUERY WHERE 1",
    "BACKUP DATABASE {db} TO Memory('x')",
    "CREATE FUNCTION f AS x -> x",
    "CREATE VIEW v AS SELECT * FROM spans",
    "ATTACH TABLE x",
    "GRANT ALL ON *.* TO default",
    "SELECT `a\nTableIdentifier spans` FROM spans",
    "SELECT 1 FROM spans SAMPLE 0.1",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM alert_rules) SELECT * FROM r",
    "",
    "   ",
    ";",
    "\0",
    "SELECT 1 FROM \uff53\uff50ans",
)


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_is_not_one_select_over_the_tables_is_refused(
    runner: SqlRunner, store: tuple[World, Database], attack: str
) -> None:
    """With a reason, nothing of the other project in it, and nothing done."""
    database = store[1]
    before = database.query("SELECT (SELECT count() FROM spans), (SELECT count() FROM system.tables)").rows

    with pytest.raises(RefusedSqlError) as raised:
        runner.run(OTHER, attack.format(db=database.address.database))

    assert CANARY not in str(raised.value)
    assert "root:" not in str(raised.value)
    assert database.query("SELECT (SELECT count() FROM spans), (SELECT count() FROM system.tables)").rows == before


def test_a_database_that_was_made_since_cannot_be_read_either(runner: SqlRunner, store: tuple[World, Database]) -> None:
    """Such as the copies of a replay: neither as a table nor on the right of IN."""
    database = store[1]
    name = f"{database.address.database}_shadow"
    runner.run(OTHER, "SELECT 1")
    database.command(f"CREATE DATABASE {name}")
    database.command(f"CREATE VIEW {name}.one AS SELECT '{CANARY}' AS x")
    try:
        for sql in (f"SELECT * FROM {name}.one", f"SELECT '{CANARY}' IN {name}.one", f"SELECT 'x' NOT IN `{name}`.one"):
            with pytest.raises(RefusedSqlError, match="cannot be read"):
                runner.run(OTHER, sql)
    finally:
        database.command(f"DROP DATABASE {name}")


def test_the_walls_behind_the_check_hold_by_themselves(runner: SqlRunner, store: tuple[World, Database]) -> None:
    """Were the check to let a name through, the engine's filters would still show nothing of another project."""
    database = store[1]
    settings = runner._settings(OTHER, 100)
    name = database.address.database

    for table in ("spans", "span_io", "scores", "failures"):
        rows = database.query(f"SELECT * FROM {name}.{table}", settings=settings).rows
        assert rows
        assert CANARY not in repr(rows)
    assert database.query(f"SELECT * FROM {name}.alert_rules", settings=settings).rows == []
    assert database.query(f"SELECT count() FROM {name}.ingest_ledger", settings=settings).rows == [(0,)]
    # Never sent by the runner: the engine keeps `readonly` on a connection that tried to insert, so it is thrown away.
    other = Database.open(f"chdb://{database.address.path}?database={name}", readers=1)
    for sql in ("SELECT 1 SETTINGS additional_table_filters = {}", "INSERT INTO spans SELECT * FROM spans"):
        with pytest.raises(StoreError):
            other.query(sql, settings=settings)
    other.close()


_ATOMS = st.sampled_from(
    [
        "1",
        "'x'",
        "name",
        "trace_id",
        "project_id",
        "s.name",
        "count()",
        "any(input_preview)",
        "toString(attrs)",
        "*",
        "NULL",
    ]
)
_FROM = st.sampled_from(
    [
        *TABLES,
        "trace_agg",
        "alert_rules",
        "system.tables",
        "spans AS s",
        "{db}.spans",
        "{db}.span_io AS s",
        "merge('{db}','s')",
    ]
)


@st.composite
def _queries(draw: st.DrawFn, depth: int = 2) -> str:
    """SELECTs of all sorts, most of which make no sense."""
    columns = ", ".join(draw(st.lists(_ATOMS, min_size=1, max_size=3)))
    source = draw(_FROM) if not depth or draw(st.booleans()) else f"({draw(_queries(depth=depth - 1))}) AS s"
    join = f" LEFT JOIN {draw(_FROM)} ON 1 = 1" if draw(st.booleans()) else ""
    where = f" WHERE {draw(_ATOMS)} IN ({draw(_queries(depth=0))})" if depth and draw(st.booleans()) else ""
    head = f"WITH spans AS ({draw(_queries(depth=0))}) " if depth and draw(st.booleans()) else ""
    tail = draw(
        st.sampled_from(["", " LIMIT 5", " GROUP BY ALL", f" UNION ALL SELECT * FROM {draw(_FROM)}", " FORMAT JSON"])
    )
    return f"{head}SELECT {columns} FROM {source}{join}{where}{tail}"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=_queries())
def test_no_query_shows_a_row_of_another_project(runner: SqlRunner, store: tuple[World, Database], query: str) -> None:
    """Answered or refused: the canary of the other project is in neither."""
    try:
        said = repr(runner.run(OTHER, query.replace("{db}", store[1].address.database)).rows)
    except (RefusedSqlError, StoreError) as error:
        said = str(error)
    assert CANARY not in said


_MANY: Final = (
    "SELECT sum(sipHash64(a, b)) FROM (SELECT arrayJoin(range(100000)) AS a) AS x, "
    "(SELECT arrayJoin(range(1000000)) AS b) AS y"
)
_LONG: Final = "SELECT length(arrayStringConcat(arrayMap(x -> repeat('x', 1000), range(100000))))"


@pytest.mark.parametrize(
    ("limits", "query"),
    [
        (SqlLimits(seconds=0.2), _MANY),
        (SqlLimits(memory_bytes=20_000_000), _LONG),
        (SqlLimits(rows_read=1), "SELECT * FROM spans"),
    ],
    ids=["time", "memory", "rows read"],
)
def test_what_takes_too_much_is_stopped(store: tuple[World, Database], limits: SqlLimits, query: str) -> None:
    """By each of the limits, with the name of the limit in the message, and the store goes on."""
    with pytest.raises(QueryLimitError):
        SqlRunner(store[1], limits).run(VICTIM, query)

    assert store[1].query("SELECT 1").rows == [(1,)]


def test_only_so_many_run_at_once(store: tuple[World, Database]) -> None:
    """One more is refused at once, not queued behind the others."""
    runner = SqlRunner(store[1], SqlLimits(at_once=1))
    with runner._slot(), pytest.raises(TooManyQueriesError, match="SPANWISE_SQL_AT_ONCE"):
        runner.run(VICTIM, "SELECT 1")

    assert runner.run(VICTIM, "SELECT 1").rows == [[1]]
    with pytest.raises(TooManyQueriesError, match="switched off"):
        SqlRunner(store[1], SqlLimits(at_once=0)).run(VICTIM, "SELECT 1")


def test_a_running_query_does_not_stop_the_writer(store: tuple[World, Database]) -> None:
    """While a question runs into its time limit, rows go in."""
    database = store[1]
    ended: list[str] = []

    def ask() -> None:
        with suppress(QueryLimitError):
            SqlRunner(database, SqlLimits(seconds=1.0)).run(VICTIM, _MANY)
        ended.append("asked")

    thread = threading.Thread(target=ask)
    thread.start()
    database.command("INSERT INTO claims (name, term) VALUES ('sql', 1)")
    ended.append("written")
    thread.join(60)

    assert ended == ["written", "asked"]


def test_nothing_that_was_asked_stays_on_a_connection(store: tuple[World, Database]) -> None:
    """After all of the above every reader answers as before, with settings of its own."""
    database = store[1]

    answers = [database.query("SELECT 1", settings={"max_threads": 1}).rows for _ in range(2 * database.free_readers)]

    assert answers == [[(1,)]] * len(answers)
    assert database.free_readers == 2


def test_the_columns_are_told(runner: SqlRunner) -> None:
    """Of every table, with their types."""
    found = runner.columns()

    assert tuple(found) == TABLES
    assert ("trace_id", "String") in found["spans"]
    assert all(columns for columns in found.values())
