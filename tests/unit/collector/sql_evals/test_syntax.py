"""Reading expressions: as the engine reads them, and nothing that has no place in one."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spanwise_collector.sql_evals.lexer import ExpressionError, quoted_text, tokens, unquoted
from spanwise_collector.sql_evals.syntax import MAX_DEPTH, MAX_LENGTH, Call, Constant, Lambda, Name, Node, parse
from spanwise_collector.store.database import Database
from spanwise_collector.store.errors import StoreError

ONE_DATABASE = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


OPERATORS = (
    *("+", "-", "*", "/", "%", "=", "==", "!=", "<>", "<", ">", "<=", ">=", "||"),
    *("AND", "OR", "and", "LIKE", "ILIKE", "NOT LIKE"),
)


def rendered(node: Node) -> str:
    """The tree with every function written as a call, so that no precedence is left to the reader."""
    match node:
        case Name():
            return node.text
        case Constant():
            return quoted_text(node.text) if node.kind in ("text", "type") else node.text
        case Lambda():
            return f"{node.variable} -> ({rendered(node.body)})"
        case Call(function="array"):
            return f"[{', '.join(map(rendered, node.arguments))}]"
        case Call(function="tuple"):
            return f"({', '.join(map(rendered, node.arguments))})"
        case Call():
            return f"{node.function}({', '.join(map(rendered, node.arguments))})"


def tree_of(database: Database, source: str) -> list[tuple[object, ...]]:
    """How the engine reads an expression."""
    return list(database.query(f"EXPLAIN AST SELECT {source}").rows)


def joined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions of expressions."""
    binary = st.sampled_from(OPERATORS)
    return st.one_of(
        st.tuples(parts, binary, parts).map(" ".join),
        parts.map(lambda inner: f"({inner})"),
        parts.map(lambda inner: f"- {inner}"),
        parts.map(lambda inner: f"NOT {inner}"),
        parts.map(lambda inner: f"{inner} IS NULL"),
        parts.map(lambda inner: f"{inner} IS NOT NULL"),
        parts.map(lambda inner: f"{inner}[1]"),
        # Of a constant that is cast the engine keeps the text, brackets included.
        parts.map(lambda inner: f"g({inner})::Int64"),
        parts.map(lambda inner: f"{inner} NOT IN ('a', 'b')"),
        parts.map(lambda inner: f"{inner} IN (1, -2)"),
        st.tuples(parts, parts, parts).map(lambda of: f"{of[0]} BETWEEN {of[1]} AND {of[2]}"),
        st.tuples(parts, parts, parts).map(lambda of: f"{of[0]} ? {of[1]} : {of[2]}"),
        st.tuples(parts, parts, parts).map(lambda of: f"CASE WHEN {of[0]} THEN {of[1]} ELSE {of[2]} END"),
        st.tuples(parts, parts, parts).map(lambda of: f"CASE {of[0]} WHEN {of[1]} THEN {of[2]} END"),
        st.tuples(parts, parts).map(lambda of: f"arrayMap(x -> {of[0]}, [{of[1]}])"),
        st.tuples(parts, parts).map(lambda of: f"f({of[0]}, {of[1]})"),
    )


EXPRESSIONS = st.recursive(
    st.sampled_from(["a", "b", "x", "1", "2.5", "1e3", "'t'", "true", "NULL", "-3", "'it''s'"]), joined, max_leaves=8
)


@ONE_DATABASE
@given(source=EXPRESSIONS)
def test_it_is_read_as_the_engine_reads_it(database: Database, source: str) -> None:
    """What is admitted has the tree that ClickHouse gives it: the same functions of the same arguments."""
    try:
        tree = parse(source)
    except ExpressionError:
        return
    try:
        found = tree_of(database, source)
    except StoreError:
        if "?" not in source:
            raise
        return  # it does not read each row of questions without brackets; what we hand it has brackets
    assert found == tree_of(database, rendered(tree))


@ONE_DATABASE
@given(inside=st.text(st.sampled_from("ab'\\x41nNt0rdzé\n\"`{}%-/*;é"), max_size=12))
def test_texts_mean_what_they_mean_to_the_engine(database: Database, inside: str) -> None:
    """Escapes, doubled quotes, backslashes before ordinary characters; and what is written anew is the same text."""
    source = f"'{inside}'"
    try:
        found = tokens(source)
    except ExpressionError:
        return
    if [token.kind for token in found] != ["text", "end"]:
        return
    row = database.query(f"SELECT hex({source}), hex({quoted_text(found[0].text)})").rows[0]

    assert row == (found[0].text.encode().hex().upper(),) * 2


@given(text=st.text())
def test_a_text_written_anew_has_nothing_that_could_end_it(text: str) -> None:
    r"""Between its quotes are letters, digits, spaces, a few signs, and \xHH."""
    written = quoted_text(text)

    assert unquoted(written) == text
    assert not set(written[1:-1]) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _.,\\")


@pytest.mark.parametrize(
    ("source", "position", "message"),
    [
        ("", 1, "Something is missing, and the expression ends."),
        ("a b", 3, "'b' is not expected here."),
        ("(a", 3, ") is expected here, and the expression ends."),
        ("a -- b", 3, "Comments have no place in an expression; write `description` instead."),
        ("a /* b */", 3, "Comments have no place in an expression; write `description` instead."),
        ("a; b", 2, "';' has no place in an expression."),
        ('"a"', 1, "'\"' has no place in an expression."),
        ("`a`", 1, "'`' has no place in an expression."),
        ("{a:String}", 1, "'{' has no place in an expression."),
        ("a.b", 2, "'.' has no place in an expression."),
        ("$$a$$", 1, "'$' has no place in an expression."),
        ("@@max_threads", 1, "'@' has no place in an expression."),
        ("0x1f", 1, "'0x' is no number; write decimal digits."),
        ("'abc", 1, "The quote ' is opened here and never closed."),
        (r"'\xff'", 1, "This text is not UTF-8."),
        ("(SELECT 1)", 2, "Queries have no place in an expression; it sees one span at a time."),
        ("a IN (SELECT 1)", 7, "Queries have no place in an expression; it sees one span at a time."),
        ("a IN (b)", 6, "IN takes a list of texts or numbers, like IN ('a', 'b')."),
        ("count(*)", 7, "`*` has no place here; name the columns."),
        ("a AS b", 3, "'AS' is not expected here."),
        ("f(a)(b)", 5, "'(' is not expected here."),
        ("(x, y) -> x", 3, ") is expected here, not ','."),
        ("a = NOT b", 5, "Put NOT and what follows it into round brackets."),
        ("CASE END", 6, "'END' is not expected here."),
        ("a\u00a0+ b", 2, "'\\xa0' has no place in an expression."),
        ("a\0", 2, "'\\x00' has no place in an expression."),
    ],
)
def test_what_is_no_expression_is_refused_where_it_begins(source: str, position: int, message: str) -> None:
    """The position counts characters from 1."""
    with pytest.raises(ExpressionError) as caught:
        parse(source)

    assert (caught.value.position, str(caught.value.args[0])[: len(message)]) == (position, message)


def test_expressions_have_a_size() -> None:
    """As long and as deep as that, and no more: neither Python's stack nor the engine's parser is tried."""
    parse("1" + "+1" * ((MAX_LENGTH - 1) // 2))
    parse("(" * (MAX_DEPTH - 1) + "1" + ")" * (MAX_DEPTH - 1))
    with pytest.raises(ExpressionError, match="4,000 are allowed"):
        parse("1" * (MAX_LENGTH + 1))
    with pytest.raises(ExpressionError, match="lie inside each other"):
        parse("(" * MAX_DEPTH + "1" + ")" * MAX_DEPTH)
