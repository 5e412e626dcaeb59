"""Whether SQL of a user is one SELECT over the views: by the engine's own parser, before anything of it is run.

The engine formats the text (`formatQuerySingleLine`, with the text as a parameter), which fails for anything but one
statement and leaves no comments; then it prints the syntax tree (`EXPLAIN AST`), which is read here line by line. Only
nodes that are known are let through: what the engine learns to read later is refused until somebody has looked at it.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from spanwise_collector.sql_access.functions import is_allowed
from spanwise_collector.sql_access.views import VIEWS
from spanwise_collector.store.database import Reader
from spanwise_collector.store.errors import StoreError, TransientStoreError

MAX_LENGTH: Final = 20_000
_NODES: Final = frozenset(
    [
        "SelectWithUnionQuery",
        "SelectIntersectExceptQuery",
        "SelectQuery",
        "ExpressionList",
        "Identifier",
        "Function",
        "Literal",
        "Asterisk",
        "QualifiedAsterisk",
        "TablesInSelectQuery",
        "TablesInSelectQueryElement",
        "TableExpression",
        "TableJoin",
        "TableIdentifier",
        "Subquery",
        "WithElement",
        "ArrayJoin",
        "OrderByElement",
        "WindowDefinition",
        "WindowListElement",
        "ColumnsListMatcher",
        "ColumnsRegexpMatcher",
        "QualifiedColumnsListMatcher",
        "QualifiedColumnsRegexpMatcher",
        "ColumnsTransformerList",
        "ColumnsExceptTransformer",
        "ColumnsReplaceTransformer",
        "ColumnsReplaceTransformer::Replacement",
        "InterpolateElement",
        "DataType",
    ]
)
_REMEDIES: Final = {
    "Set": "SETTINGS cannot be given: limits are the collector's (SPANWISE_SQL_...).",
    "ColumnsApplyTransformer": "APPLY is not known here: write the columns out.",
    "SampleRatio": "SAMPLE is not known here: write a condition instead, such as cityHash64(trace_id) % 10 = 0.",
    "QueryParameter": "Parameters in braces are not known here: write the value.",
}
_OUTSIDE: Final = frozenset({"Set", "Identifier", "SelectWithUnionQuery"})
"""What may follow the brackets around a user's query."""
_LINE: Final = re.compile(r"^( *)([\w:]+)(?: (.*))?$")


class RefusedSqlError(ValueError):
    """The SQL cannot be run; the message says why and what to write instead."""


@dataclass(frozen=True, slots=True)
class Names:
    """What there is in the store.

    Attributes:
        databases: their names.
        tables: of the database in use.
        functions: that may be called, in lower case.
    """

    databases: Collection[str]
    tables: Collection[str]
    functions: frozenset[str]


def checked(reader: Reader, text: str, names: Names) -> str:
    """The SQL as the engine writes it, when it may be run.

    Args:
        reader: the store, asked to parse.
        text: of the user.
        names: what there is.

    Raises:
        RefusedSqlError: it may not.
        TransientStoreError: the store does not answer.
    """
    if len(text) > MAX_LENGTH:
        raise RefusedSqlError(f"The SQL has {len(text):,} characters; {MAX_LENGTH:,} is the limit.")
    formatted = str(_parsed(reader, "SELECT formatQuerySingleLine({sql:String})", {"sql": text.strip().rstrip(";")})[0])
    if not re.match(r"(SELECT|WITH|\()", formatted):
        raise RefusedSqlError("Only SELECT can be run here.")
    # In brackets: what the client adds (settings, a format) stands outside of them, and is told from the user's.
    _check(_inside([str(line) for line in _parsed(reader, f"EXPLAIN AST SELECT * FROM ({formatted})", {})]), names)
    return formatted


def _parsed(reader: Reader, sql: str, parameters: dict[str, object]) -> list[object]:
    try:
        return [row[0] for row in reader.query(sql, parameters, settings={"readonly": 1}, timeout_s=10).rows]
    except TransientStoreError:
        raise
    except StoreError as error:
        raise RefusedSqlError(f"This cannot be read: {short(str(error))}") from error


def short(text: str) -> str:
    """An error of the engine without the SQL around the user's."""
    return re.sub(r"(: )?In scope .*", "", text)[:500]


def _inside(tree: Iterable[str]) -> list[str]:
    """The lines of a tree that lie below its first subquery."""
    lines = iter("\n".join(tree).splitlines())
    depth = next((len(line) - len(line.lstrip()) for line in lines if line.lstrip().startswith("Subquery")), 0)
    return list(takewhile(lambda line: not _depth_at_most(line, depth), lines))


def _depth_at_most(line: str, depth: int) -> bool:
    """Whether a node of the tree stands no deeper; a part of a name that was broken into lines is no node."""
    match = _LINE.match(line)
    return match is not None and len(match.group(1)) <= depth and match.group(2) in _OUTSIDE


def _check(lines: Iterable[str], names: Names) -> None:
    of_table: int | None = None
    for line in lines:
        match = _LINE.match(line)
        if match is None:
            raise RefusedSqlError("Names with line breaks or signs are not known here.")
        depth, node = len(match.group(1)), match.group(2)
        name = re.sub(r" \((alias|children) .*", "", match.group(3) or "")
        if of_table is not None and depth <= of_table:
            of_table = None
        _check_node(node, name, names, is_table=of_table is not None and depth == of_table + 1)
        if node == "TableExpression":
            of_table = depth


def _check_node(node: str, name: str, names: Names, *, is_table: bool) -> None:
    if node not in _NODES:
        raise RefusedSqlError(_REMEDIES.get(node, f"{node} is not known here."))
    if node == "TableIdentifier":
        _check_table(name, names)
    elif node == "Identifier":
        _check_identifier(name, names)
    elif node == "Function" and is_table:
        raise RefusedSqlError(f"Table functions such as {name}() cannot be read: {_tables()}.")
    elif node == "Function" and not is_allowed(name, names.functions):
        raise RefusedSqlError(f"The function {name} is not known here, or reads more than its arguments.")


def _check_table(name: str, names: Names) -> None:
    if "." in name or (name in names.tables and name not in VIEWS):
        raise RefusedSqlError(f"The table {name} cannot be read: {_tables()}.")


def _check_identifier(name: str, names: Names) -> None:
    """`x IN name` reads a table, too."""
    first = name.partition(".")[0]
    if (first != name and first.lower() in {one.lower() for one in names.databases}) or (
        name in names.tables and name not in VIEWS
    ):
        raise RefusedSqlError(f"{name} cannot be read: {_tables()}.")


def _tables() -> str:
    return f"the tables are {', '.join(VIEWS)}"
