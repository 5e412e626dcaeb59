"""Scoring spans in the engine: what is stored, what is not, and that it is stored once."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from spanwise_collector.query.window import Window
from spanwise_collector.sql_evals.checking import RefusedError, check
from spanwise_collector.sql_evals.columns import COLUMNS, MAX_TEXT_BYTES
from spanwise_collector.sql_evals.definitions import Definition
from spanwise_collector.sql_evals.examples import EXAMPLES
from spanwise_collector.sql_evals.functions import FUNCTIONS
from spanwise_collector.sql_evals.running import score_slice
from spanwise_collector.sql_evals.scoring import Outcome, Part, Scorer, count, score_id
from spanwise_collector.store.database import Database
from spanwise_collector.store.errors import StoreError
from tests.support.rows import T0, Span, insert, llm, span_id, trace_id
from tests.support.sql_evals import scores, stored_rows

WINDOW = Window.of(T0 - timedelta(days=1), T0 + timedelta(days=1), T0)
PART = Part("default", WINDOW.start, WINDOW.end)


def scorer(database: Database, expression: str, condition: str = "") -> Scorer:
    """Checked."""
    return check(database, WINDOW, "default", expression, condition).scorer


def scored(
    database: Database, expression: str, condition: str = "", name: str = "e", version: int = 1, what: str = "once"
) -> Outcome:
    """Score all spans for good."""
    made = scorer(database, expression, condition)
    definition = Definition("default", name, version, expression, condition, "", made.kind, "", T0)
    return score_slice(database, definition, made, PART, what)


def by_span(database: Database, columns: str = "value", name: str = "e") -> dict[int, object]:
    """Stored scores by the number of their span."""
    rows = scores(database, f"reinterpretAsUInt64(reverse(CAST(span_id, 'String'))), {columns}", f"name = '{name}'")
    return {int(str(span)): rest[0] if len(rest) == 1 else tuple(rest) for span, *rest in rows}


def test_a_score_has_its_span_its_evaluator_and_the_id_that_follows_from_them(database: Database) -> None:
    """The engine computes the id that Python computes; the time is the end of the span."""
    insert(database, [llm(trace=1, span=2, at_ms=250, took_ms=750, project="default", output="one two three")])

    outcome = scored(database, "length(splitByWhitespace(output))", name="répéter")

    assert outcome == Outcome(spans=1, scored=1, mean=3.0)
    assert scores(
        database,
        "project_id, lower(hex(score_id)), toString(target), hex(trace_id), hex(span_id), session_id, name, value, "
        "label, toString(source), evaluator, evaluator_version, toUnixTimestamp64Micro(ts), "
        "inclusion_p, stratum, version",
    ) == [
        (
            "default",
            score_id("default", trace_id(1), span_id(2), "répéter", 1).hex(),
            "span",
            trace_id(1).hex().upper(),
            span_id(2).hex().upper(),
            "",
            "répéter",
            3.0,
            "",
            "code",
            "sql:répéter",
            "1",
            int(T0.timestamp()) * 1_000_000 + 1_000_000,
            1.0,
            "",
            (int(T0.timestamp()) * 1000 + 250) << 22,
        )
    ]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    project=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8),
    name=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8),
    version=st.integers(1, 2**31),
)
def test_ids_are_the_same_in_both_languages(database: Database, project: str, name: str, version: int) -> None:
    """For any project, name and version."""
    insert(database, [Span(trace=7, span=9, project=project)])
    made = scorer(database, "duration_ms")
    definition = Definition(project, name, version, "duration_ms", "", "", "numeric", "", T0)
    score_slice(database, definition, made, replace(PART, project=project), "w")

    wanted = score_id(project, trace_id(7), span_id(9), name, version).hex()
    assert scores(database, "lower(hex(score_id))", f"score_id = unhex('{wanted}')") == [(wanted,)]


def test_numbers_yes_and_no_and_words(database: Database) -> None:
    """A comparison is yes or no with its label; a text is a label, cut to 100 characters."""
    insert(database, [llm(trace=1, span=1, output="long" * 50), llm(trace=1, span=2, at_ms=1, output="no")])

    scored(database, "lengthUTF8(output)", name="number")
    scored(database, "lengthUTF8(output) > 100", name="comparison")
    scored(database, "CAST(lengthUTF8(output) > 100 AS Bool)", name="boolean")
    scored(database, "if(lengthUTF8(output) > 100, output, 'short')", name="word")

    assert by_span(database, "value, label", "number") == {1: (200.0, ""), 2: (2.0, "")}
    assert by_span(database, "value, label", "comparison") == {1: (1.0, "true"), 2: (0.0, "false")}
    assert by_span(database, "value, label", "boolean") == {1: (1.0, "true"), 2: (0.0, "false")}
    assert by_span(database, "value, label", "word") == {1: (None, "long" * 25), 2: (None, "short")}


def test_what_has_no_answer_gets_no_score_and_is_counted(database: Database) -> None:
    """NULL, divisions by zero, garbage that is no number, fields that are missing: none is made up, none stops."""
    insert(
        database,
        [
            llm(trace=1, span=1, at_ms=1, output="12"),
            llm(trace=1, span=2, at_ms=2, output="garbage"),
            llm(trace=1, span=3, at_ms=3, output="0"),
            llm(trace=1, span=4, at_ms=4, output='{"score": 5}'),
        ],
    )
    counted = {
        expression: scored(database, expression, name=f"e{number}")
        for number, expression in enumerate(
            [
                "toFloat64OrNull(output)",
                "100 / toFloat64OrNull(output)",
                "toInt64OrNull(output) % toInt64OrNull(output)",
                "intDiv(100, toInt64OrNull(output))",
                "JSONExtractFloat(output, 'score')",
                "JSONExtractBool(output, 'score')",
                "arrayMax(arrayMap(w -> length(w), extractAll(output, '[a-z]+')))",
                "arrayElement(extractAll(output, '[a-z]+'), 1)",
                "CAST(output AS Int64)",
                "if(output = '0', NULL, output = '12')",
                "log(toFloat64OrNull(output) - 1)",
                "cost_usd / (output_tokens - 20)",
            ]
        )
    }

    assert counted == {
        "toFloat64OrNull(output)": Outcome(4, 2, 2, 0, 0, 6.0),
        "100 / toFloat64OrNull(output)": Outcome(4, 1, 2, 1, 0, 100 / 12),
        "toInt64OrNull(output) % toInt64OrNull(output)": Outcome(4, 1, 3, 0, 0, 0.0),
        "intDiv(100, toInt64OrNull(output))": Outcome(4, 1, 3, 0, 0, 8.0),
        "JSONExtractFloat(output, 'score')": Outcome(4, 1, 3, 0, 0, 5.0),
        "JSONExtractBool(output, 'score')": Outcome(4, 1, 3, 0, 0, 1.0),
        "arrayMax(arrayMap(w -> length(w), extractAll(output, '[a-z]+')))": Outcome(4, 2, 2, 0, 0, 6.0),
        "arrayElement(extractAll(output, '[a-z]+'), 1)": Outcome(4, 2, 2, 0, 0, None),
        "CAST(output AS Int64)": Outcome(4, 2, 2, 0, 0, 6.0),
        "if(output = '0', NULL, output = '12')": Outcome(4, 3, 1, 0, 0, 1 / 3),
        "log(toFloat64OrNull(output) - 1)": Outcome(4, 1, 2, 1, 0, math.log(11)),
        "cost_usd / (output_tokens - 20)": Outcome(4, 0, 0, 4, 0, None),
    }
    assert scores(database, "name, count()", "1 GROUP BY name") == [
        (f"e{number}", outcome.scored)
        for number, outcome in sorted(
            ((number, outcome) for number, outcome in enumerate(counted.values()) if outcome.scored),
            key=lambda one: f"e{one[0]}",
        )
    ]


def test_a_filter_chooses_and_null_chooses_nothing(database: Database) -> None:
    """Spans that it does not admit are not counted."""
    insert(
        database,
        [
            llm(trace=1, span=1, at_ms=1),
            Span(trace=1, span=2, at_ms=2, kind="tool"),
            llm(trace=1, span=3, at_ms=3, cost=None),
        ],
    )

    assert scored(database, "duration_ms", "kind = 'llm' AND cost_usd > 0") == Outcome(1, 1, mean=100.0)
    assert by_span(database) == {1: 100.0}


def test_texts_are_what_was_said(database: Database) -> None:
    """Of messages the last of the input and the first of the output, with all its parts; other bodies as they are."""
    asked = '[{"role":"system","parts":[{"type":"text","content":"Be brief."}]},{"role":"user","content":"Why?"}]'
    said = '[{"role":"assistant","parts":[{"type":"text","content":"So."},{"type":"text","content":"It is."}]}]'
    insert(
        database,
        [
            llm(trace=1, span=1, at_ms=1, input=asked, output=said),
            llm(trace=1, span=2, at_ms=2, input="plain é", output='{"a": [1]}'),
            llm(trace=1, span=3, at_ms=3, input="[{broken", output='[{"role":"assistant"}]'),
        ],
    )

    scored(database, "input || '|' || output", name="text")
    scored(database, "input_messages = output_messages", name="same")

    assert by_span(database, "label", "text") == {
        1: "Why?|So.\nIt is.",
        2: 'plain é|{"a": [1]}',
        3: '[{broken|[{"role":"assistant"}]',
    }
    assert by_span(database, "label", "same") == {1: "false", 2: "false", 3: "false"}


def test_of_a_long_text_the_beginning_is_read(database: Database) -> None:
    """65,536 bytes; the length of the whole is a column of its own."""
    insert(database, [llm(trace=1, span=1, output="x" * (MAX_TEXT_BYTES + 10))])

    scored(database, "output_bytes - length(output)")

    assert by_span(database) == {1: 10.0}


def test_texts_that_are_gone_are_not_taken_for_empty_ones(database: Database) -> None:
    """Bodies live shorter than spans, or came as log records: such spans are counted, and get no score from texts."""
    spans = [
        llm(trace=1, span=1, at_ms=1, output="here"),
        llm(trace=2, span=2, at_ms=2, output="gone", bodies_stored=False),
        llm(trace=3, span=3, at_ms=3),
        llm(trace=4, span=4, at_ms=4),
    ]
    insert(database, spans)
    database.command(
        "INSERT INTO span_content (project_id, trace_id, span_id, time, side, body) SELECT project_id, trace_id, "
        "span_id, start_time, 'output', 'as a log record' FROM spans WHERE span_id = unhex('0000000000000004')"
    )

    assert scored(database, "length(output)", name="text") == Outcome(4, 2, 0, 0, 2, 2.0)
    assert by_span(database, name="text") == {1: 4.0, 3: 0.0}
    assert scored(database, "duration_ms", name="none").scored == 4


def test_the_same_slice_again_stores_nothing(database: Database) -> None:
    """Nor does it count as new; another version stands beside the first."""
    insert(database, [llm(trace=1, span=number, at_ms=number) for number in range(1, 4)])

    first = scored(database, "duration_ms")
    again = scored(database, "duration_ms")
    rows = stored_rows(database)
    scored(database, "duration_ms + 1", version=2)

    assert (first, rows) == (again, 3)
    assert scores(database, "evaluator_version, count(), avg(value)", "1 GROUP BY ALL") == [
        ("1", 3, 100.0),
        ("2", 3, 101.0),
    ]


def test_a_span_that_is_sent_again_replaces_its_score(database: Database) -> None:
    """The newest of it holds, also where both are in one slice."""
    insert(database, [llm(trace=1, span=1, output="a b")], token="first")
    scored(database, "length(splitByWhitespace(output))", what="before")
    database.command(
        "INSERT INTO spans SELECT * REPLACE (ingested_at + 5000 AS ingested_at) FROM spans WHERE span_id != unhex('00')"
    )
    database.command(
        "INSERT INTO span_io SELECT * REPLACE ('a b c' AS output, ingested_at + 5000 AS ingested_at) FROM span_io"
    )
    scored(database, "length(splitByWhitespace(output))", what="after")

    assert by_span(database) == {1: 3.0}


def test_of_other_projects_nothing_is_scored(database: Database) -> None:
    """Whatever the filter says."""
    insert(database, [llm(trace=1, span=1), llm(trace=2, span=2, at_ms=1, project="other")])

    assert scored(database, "duration_ms", "true OR 1 = 1").spans == 1
    assert scores(database, "project_id, hex(trace_id)") == [("default", trace_id(1).hex().upper())]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: str(one.name))
def test_the_examples_work(database: Database, example: object) -> None:
    """Each gives a score for a span of its kind."""
    insert(
        database,
        [
            replace(
                llm(trace=1, span=1, input="What is new?", output='{"confidence": 0.4, "text": "Spanwise Cloud is."}'),
            )
        ],
    )
    one = next(each for each in EXAMPLES if each is example)
    condition = "kind = 'llm'" if one.filter == "is_root" else one.filter

    assert scored(database, one.expression, condition).scored == 1


NASTY = (
    "",
    " ",
    "0",
    "-1",
    "1e400",
    "nan",
    "a b\tc\n",
    "é\u0301🙂",
    "\x00\x01",
    "[",
    '{"a":',
    '{"a":{"b":[1,null,"x"]}}',
    "(" * 50,
    "%_\\",
    "٣",
)
TEXTS = st.sampled_from(
    ["input", "output", "name", "kind", "user_id", "attributes['a']", "toString(duration_ms)", "'x'", "''", "'\\\\('"]
)
OPERATORS = ("+", "-", "*", "/", "%", "=", "<", "||", "AND", "OR")
NUMBERS = st.sampled_from(
    ["duration_ms", "input_bytes", "cost_usd", "ttft_ms", "output_tokens", "0", "-1", "1e308", "2.5"]
)


def calls(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Any function of our lists of any arguments, and operators."""

    def one(name: str, given: list[str]) -> str:
        return f"{name}({', '.join(given)})"

    names = st.sampled_from(sorted(set(FUNCTIONS) - {"in", "notIn", "CAST"}))
    literals = st.sampled_from(["'a'", "'[a-z]+'", "' '", "2", "-3", "['a', 'b']"])
    arrays = st.sampled_from(["tags", "splitByWhitespace(output)", "[1, 2]", "[]", "extractAll(input, '.')"])
    lambdas = st.sampled_from(
        ["x -> length(x)", "x -> x = 'a'", "x -> toFloat64OrNull(toString(x))", "x -> position(input, x)"]
    )
    return st.one_of(
        st.builds(one, names, st.lists(st.one_of(parts, literals, arrays), min_size=1, max_size=3)),
        st.builds(
            lambda name, function, array: f"{name}({function}, {array})",
            st.sampled_from(["arrayMap", "arrayFilter", "arrayExists", "arrayAll", "arrayCount", "arraySum"]),
            lambdas,
            arrays,
        ),
        st.builds(lambda a, o, b: f"({a} {o} {b})", parts, st.sampled_from(OPERATORS), parts),
        parts.map(lambda inner: f"({inner})::Float64"),
        parts.map(lambda inner: f"({inner})::String"),
    )


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(expression=st.recursive(st.one_of(TEXTS, NUMBERS), calls, max_leaves=5))
@example(expression="(input = cost_usd)")
@example(expression="(input = ((input)::Float64)::Float64)")
def test_what_is_admitted_does_not_fail_on_any_span(database: Database, expression: str) -> None:
    """What the check without spans admits is evaluated on the strangest of them, and their counts add up."""
    if database.query("SELECT count() FROM spans").rows == [(0,)]:
        insert(
            database,
            [
                llm(
                    trace=1,
                    span=number + 1,
                    at_ms=number,
                    took_ms=number * 1e6,
                    input=text,
                    output=text[::-1],
                    name=text,
                    user=text,
                    tags=(text, "a"),
                    attrs={"a": text},
                    cost=None if number % 2 else number,
                    tokens=(number, 0),
                )
                for number, text in enumerate(NASTY)
            ],
        )
    try:
        made = check(database, WINDOW, "empty", expression).scorer
    except RefusedError:
        return
    try:
        found = count(database, made, PART, timeout_s=10)
    except StoreError as error:
        raise AssertionError(f"{expression}: {error}") from error

    assert found.spans == len(NASTY) == found.scored + found.null + found.not_finite + found.without_text


def test_every_column_has_the_type_that_it_says(database: Database) -> None:
    """The reference tells it, and the probe relies on it."""
    wanted = {name: column.type for name, column in COLUMNS.items()}
    listed = ", ".join(f"{column.sql} AS {name}" for name, column in COLUMNS.items())
    rows = database.query(
        f"DESCRIBE (SELECT {listed} FROM spans AS s LEFT JOIN span_io AS b ON b.span_id = s.span_id)"
    ).rows

    assert {row[0]: row[1] for row in rows} == wanted
