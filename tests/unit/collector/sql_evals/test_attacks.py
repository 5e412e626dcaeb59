"""What someone who means harm may write as an expression: refused, or harmless."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spanwise_collector.query.window import Window
from spanwise_collector.sql_evals.checking import RefusedError, check
from spanwise_collector.sql_evals.columns import COLUMNS
from spanwise_collector.sql_evals.compiler import compile_expression
from spanwise_collector.sql_evals.functions import FUNCTIONS
from spanwise_collector.sql_evals.lexer import ExpressionError
from spanwise_collector.sql_evals.previews import preview
from spanwise_collector.store.database import Database
from tests.support.rows import T0, insert, llm
from tests.support.sql_evals import Parts, scores

WINDOW = Window.of(T0 - timedelta(days=1), T0 + timedelta(days=1), T0)
SECRET = "SECRET-OF-THE-OTHER-PROJECT"
OWN = "answer 42 of our own"


def two_projects(database: Database) -> None:
    """Three spans of ours and three of another project, whose every text is a canary."""
    for project, text, trace in (("ours", OWN, 1), ("theirs", SECRET, 5)):
        insert(
            database,
            [
                llm(
                    trace=trace,
                    span=trace * 10 + number,
                    at_ms=number,
                    project=project,
                    name=text,
                    user=text,
                    tags=(text,),
                    attrs={"key": text},
                    input=text,
                    output=text,
                    system=text,
                )
                for number in range(3)
            ],
        )


def refused(database: Database, expression: str, condition: str = "") -> RefusedError:
    """The refusal of what must be refused."""
    with pytest.raises(RefusedError) as caught:
        check(database, WINDOW, "ours", expression, condition)
    return caught.value


REFUSED_FUNCTIONS = """
sleep(3) | sleepEachRow(1) | file('/etc/passwd') | url('http://x') | s3('http://x') | dictGet('d', 'a', 1)
dictGetOrDefault('d', 'a', 1, 2) | dictHas('d', 1) | joinGet('t', 'a', 1) | getSetting('max_threads')
getServerSetting('x') | getMacro('x') | currentUser() | user() | hostName() | fqdn() | version() | uptime()
currentDatabase() | serverUUID() | buildId() | zookeeperSessionUptime() | connectionId() | queryID()
initialQueryID() | catboostEvaluate('/m', 1) | modelEvaluate('m', 1) | aiGenerate('x') | executable('x')
rand() | rand64() | randomString(9) | generateUUIDv4() | now() | now64() | today() | yesterday() | timezone()
rowNumberInAllBlocks() | blockNumber() | runningDifference(1) | neighbor(name, 1) | throwIf(1) | evalMLMethod(1)
identity(1) | ignore(1) | materialize(1) | addressToLine(1) | demangle('x') | showCertificate()
filesystemAvailable() | tcpPort() | globalVariable('x') | transactionID() | lowCardinalityIndices(name)
hasColumnInTable('a', 'b', 'c') | formatQuery('SELECT 1') | repeat(output, 1000000000) | space(1000000000)
range(1000000000) | arrayResize([1], 1000000000) | arrayWithConstant(1000000000, 1)
leftPad(output, 1000000000) | numbers(10) | count() | sum(duration_ms) | any(name) | groupArray(name)
arrayJoin(tags) | encrypt('aes-256-ecb', 'a', 'b') | reinterpret(name, 'UInt64') | toInt64(output)
toDateTime(output) | parseDateTime(output) | JSONExtract(output, 'Dynamic') | defaultValueOfTypeName('x')
lambda(x, x) | tuple(1, 2) | tupleElement(name, 1) | untuple(name) | editDistance(input, output)
replicate(1, tags) | bar(1, 2, 3) | initializeAggregation('sum', 1) | arrayReduce('sum', [1])
finalizeAggregation(name) | structureToProtobufSchema('x') | hostname() | nonexistent(1) | system(1) | char(65)
cluster('a', 'b') | remote('a', 'b')
"""


@pytest.mark.parametrize(
    "expression", [one.strip() for one in REFUSED_FUNCTIONS.replace("\n", "|").split("|") if one.strip()]
)
def test_functions_that_reach_out_are_refused_by_name(database: Database, expression: str) -> None:
    """Also deep inside; the message names the function and where it stands."""
    name = expression.partition("(")[0]
    told = refused(database, expression)

    assert f"At position 1: The function {name} is not admitted." in str(told)
    assert (told.field, told.position) == ("expression", 1)
    with pytest.raises(ExpressionError, match=f"The function {name} is not admitted"):
        compile_expression(f"if(kind = 'llm', 1, length(toString({expression})))")


def test_the_lists_name_nothing_that_reaches_out() -> None:
    """Of those that are refused none is a function or a spelling of one."""
    names = {one.strip().partition("(")[0].lower() for one in REFUSED_FUNCTIONS.replace("\n", "|").split("|")} - {""}

    assert not names & {name.lower() for name in FUNCTIONS}


@pytest.mark.parametrize(
    "expression",
    [
        "1) OR 1=1 --",
        "1) FROM spans --",
        "1)) FROM (SELECT * FROM spans) --",
        "1 FROM spans",
        "1 UNION ALL SELECT name FROM spans",
        "(SELECT name FROM spans LIMIT 1)",
        "(SELECT count() FROM system.tables)",
        "name IN (SELECT name FROM spans)",
        "name IN spans",
        "name IN system.one",
        "name GLOBAL IN spans",
        "EXISTS(SELECT 1)",
        "1; DROP TABLE spans",
        "1; INSERT INTO spans SELECT * FROM spans",
        "1 SETTINGS max_execution_time = 0",
        "1 FORMAT CSV",
        "1 INTO OUTFILE '/tmp/x'",
        "1 /* a */",
        "1 /*",
        "1 -- a",
        "1 # a",
        "1 #! a",
        "{project:String}",
        "{x:Identifier}",
        "'%(project)s' %",
        "%(project)s",
        "*",
        "s.*",
        "COLUMNS('.*')",
        "* EXCEPT (name)",
        "* REPLACE (1 AS name)",
        "project_id",
        "s.project_id",
        "spans.name",
        "default.spans.name",
        "_part",
        "_table",
        "_database",
        "c_input",
        "b.input",
        "v_element",
        "has_no_text",
        "row_version",
        "trace_id",
        "koff",
        "@@version",
        "`project_id`",
        '"project_id"',
        "name AS project_id",
        "(1 AS x) + x",
        "WITH 1 AS x SELECT x",
        "x -> x",
        "(a, b) -> a",
        "arrayMap((a, b) -> a, tags, tags)",
        "arrayMap(input -> input, tags)",
        "arrayMap(x -> arrayMap(y -> 1, tags), tags)",
        "arrayCount(x -> length(splitByChar(' ', input)) > 1, splitByChar(' ', input))",
        "arrayMap('f', tags)",
        "quantile(0.5)(duration_ms)",
        "sum(duration_ms) OVER ()",
        "sum(duration_ms) FILTER (WHERE 1)",
        "INTERVAL 1 DAY",
        "DATE '2026-01-01'",
        "CAST(name AS Enum('a' = 1))",
        "CAST(name AS AggregateFunction(sum, UInt64))",
        "name::JSON",
        "CAST(name, 'Int64); DROP')",
        "match(output, input)",
        "name LIKE output",
        "extractAll(output, concat('a', 'b'))",
        "splitByChar(output, input)",
        "round(duration_ms, duration_ms)",
        "$$a$$",
        "$tag$ a $tag$",
        "x'41'",
        "b'01'",
        "0b1",
        "1_000",
        "\u2018a\u2019",
        "name\u00a0= 1",
        "name\u200b",
        "\uff4eame",
        "'a\\",
        "'\\xff'",
        "1\\G",
        "1 ?",
        "NULL",
        "tags",
        "attributes",
        "start_time",
        "DISTINCT name",
        "ALL",
        "EXPLAIN SELECT 1",
        "1 LIMIT 1 BY name",
        "1 WHERE 1",
        "1 GROUP BY 1",
        "1, 2",
        "()",
        "(1, 2)",
        "",
        " ",
        "1 = 1 = ",
        "(" * 5_000,
        "1" + " + 1" * 5_000,
        "-" * 3_000 + "1",
    ],
)
def test_everything_else_that_is_more_than_an_expression_is_refused(database: Database, expression: str) -> None:
    """Subqueries, statements, comments, parameters, other columns, aggregates, windows, aliases, odd signs."""
    assert str(refused(database, expression))


def test_a_filter_is_held_to_the_same(database: Database) -> None:
    """And says yes or no."""
    assert (refused(database, "1", "1) OR 1=1 --").field, refused(database, "1", "name").field) == ("filter",) * 2
    assert "a filter says yes or no" in str(refused(database, "1", "name"))


@pytest.mark.parametrize(
    ("expression", "position", "message"),
    [
        (
            "(input + ",
            10,
            "Syntax error: failed at position 10 (end of query): (input + . Unmatched parentheses: '(' at position 1 "
            "is never closed (SYNTAX_ERROR)",
        ),
        ("input + 1", 0, "Illegal types String and UInt8 of arguments of function plus (ILLEGAL_TYPE_OF_ARGUMENT)"),
        ("hasToken(output, 'a b')", 0, "Needle must not contain whitespace or separator characters (BAD_ARGUMENTS)"),
        (
            "start_time > 'soon'",
            0,
            "Cannot read DateTime: unexpected word: while converting 'soon' to DateTime64(6, 'UTC') "
            "(CANNOT_PARSE_DATETIME)",
        ),
        (
            "slep(1)",
            1,
            "At position 1: The function slep is not admitted. Only functions that read nothing but one span, give the "
            "same for the same span and end soon may be used; docs/sql_evaluators.md lists what there is.",
        ),
        (
            "1 + toInt64(input)",
            5,
            "At position 5: The function toInt64 is not admitted. Write toInt64OrNull. Only functions that read "
            "nothing but one span, give the same for the same span and end soon may be used; docs/sql_evaluators.md "
            "lists what there is.",
        ),
        (
            "outputs",
            1,
            "At position 1: There is no column 'outputs' here. Did you mean output or output_bytes? "
            "docs/sql_evaluators.md lists what there is.",
        ),
        ("length(output, 1)", 1, "At position 1: length takes 1 arguments, not 2."),
        (
            "tags",
            0,
            "It gives Array(String). A score is a number, yes or no, or a word: count, compare or choose.",
        ),
    ],
)
def test_refusals_are_in_the_engine_s_words_where_the_engine_refuses(
    database: Database, expression: str, position: int, message: str
) -> None:
    """With the position in what was written; else the message says what to write."""
    told = refused(database, expression)

    assert (told.field, told.position, str(told)) == ("expression", position, message)


def test_what_takes_too_long_is_refused_and_ends(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """An expression whose time is over before the newest spans are done is not stored."""
    two_projects(database)
    monkeypatch.setattr("spanwise_collector.sql_evals.checking.TRY_S", 0.001)
    monkeypatch.setattr("spanwise_collector.sql_evals.checking._type", lambda *_: "UInt64")

    told = str(refused(database, " + ".join(["length(replaceAll(output, 'a', 'bb'))"] * 60)))

    assert told.startswith("It takes too long, or too much memory: 1,000 spans were not done in 0.001 s")


FRAGMENTS = [
    *[
        "(",
        ")",
        ")",
        "))",
        ",",
        "'",
        "''",
        '"',
        "`",
        "\\",
        "\\'",
        ";",
        "--",
        "/*",
        "*/",
        "#",
        "{",
        "}",
        "%",
        "$$",
        "@@",
    ],
    *["*", "?", ":", "::", "->", ".", "=", "!=", "||", "+", "-", "[", "]", "\n", "\0", "\u00a0", "0x1", "1e9", "NULL"],
    *["OR 1=1", "AND", "NOT", "IN", "UNION ALL", "SELECT", "FROM spans", "FROM system.tables", "WHERE 1", "SETTINGS"],
    *["readonly = 0", "FORMAT Null", "INTO OUTFILE '/tmp/x'", "AS project_id", "project_id", "s.project_id", "theirs"],
    *["(SELECT name FROM spans)", "IN (SELECT name FROM spans)", "INSERT INTO scores", "DROP TABLE spans", "spans"],
    *["{project:String}", "%(project)s", "sleep(1)", "file('/etc/passwd')", "url('http://127.0.0.1')", "now()"],
    *["dictGet('d','a',1)", "getSetting('x')", "currentUser()", "joinGet('a','b',1)", "merge('.*')", "remote('a')"],
    *["x -> x", "arrayMap(x -> x,", "tags", "attributes['key']", "lower(", "concat(", "if(", "multiIf(", "CASE WHEN"],
    *["THEN", "ELSE", "END", "name", "input", "output", "kind", "duration_ms", "'llm'", "'a", "1", "length(output)"],
    *[
        "toString(",
        "CAST(",
        "AS String",
        "LIKE '%'",
        "IS NULL",
        "BETWEEN 0 AND 1",
        "is_root",
        "user_id",
        "system_instructions",
    ],
]
ATTEMPTS = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=8).map(" ".join),
    st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=8).map("".join),
    # Something that is admitted, with something dangerous in the middle of it.
    st.tuples(
        st.sampled_from(["concat(name, {})", "if({}, name, output)", "name || {} || user_id", "{}", "({})", "'{}'"]),
        st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=4).map(" ".join),
    ).map(lambda of: of[0].replace("{}", of[1])),
    st.sampled_from(sorted(COLUMNS)).map(lambda name: f"toString({name})"),
)


@pytest.fixture(scope="module")
def seen() -> set[str]:
    """What became of attempts, over all examples."""
    return set()


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(expression=ATTEMPTS, condition=st.one_of(st.just(""), ATTEMPTS))
def test_whatever_is_written_is_refused_or_reads_one_project(
    database: Database, seen: set[str], expression: str, condition: str
) -> None:
    """What is admitted returns, sees at most the three spans of its project, and shows nothing of another's."""
    if database.query("SELECT count() FROM spans").rows == [(0,)]:
        two_projects(database)
    try:
        checked = check(database, WINDOW, "ours", expression, condition)
    except RefusedError as error:
        told = str(error)
        checked = None
    if checked is None:
        assert SECRET not in told
        seen.add("refused")
        return
    found = preview(database, checked.scorer, "ours", WINDOW, timeout_s=10)

    assert checked.tried.spans <= 3
    assert SECRET not in repr(found)
    assert {one.trace_id for one in found.examples} <= {f"{1:032x}"}
    assert database.query("SELECT project_id, count() FROM spans GROUP BY project_id ORDER BY 1").rows == [
        ("ours", 3),
        ("theirs", 3),
    ]
    seen.add("admitted")


def test_both_happened(seen: set[str]) -> None:
    """The property above was not held by refusing everything."""
    assert seen == {"refused", "admitted"}


def test_every_column_shows_its_own_project_only(database: Database) -> None:
    """Scored for good, with each column as the label: the canary of the other project is in no score."""
    two_projects(database)
    parts = Parts(database)
    for name in COLUMNS:
        expression = {"tags": "arrayStringConcat(tags)", "attributes": "attributes['key']", "parameters": "'none'"}.get(
            name, f"toString({name})"
        )
        definition = parts.add(name, expression, project="ours")
        parts.jobs.start(definition, 0, WINDOW.end, "me")
    while parts.backfiller().step()["more"]:
        pass
    rows = scores(database, "DISTINCT project_id, hex(trace_id)")

    assert rows == [("ours", f"{1:032X}")]
    assert scores(database, "count()", f"label LIKE '%{SECRET}%'") == [(0,)]
    assert {name for (name,) in scores(database, "DISTINCT name", f"label = '{OWN}'")} == {
        *("attributes", "input", "input_messages", "name", "output", "output_messages", "system_instructions"),
        *("tags", "user_id"),
    }
