"""From the tree of an expression to SQL over the columns of `columns.py`.

The SQL is written anew from the tree, and none of it is taken over from what the user wrote: names of functions and
columns come from our lists, texts have every sign of meaning escaped, variables are renamed. So nothing in an
expression can leave the place where it is put.
"""

import difflib
from dataclasses import dataclass, field
from typing import Final

from spanwise_collector.sql_evals.columns import COLUMNS, PREFIX
from spanwise_collector.sql_evals.functions import FUNCTIONS, INSTEAD, MANY, SPELLINGS, TYPES, Function
from spanwise_collector.sql_evals.lexer import ExpressionError, quoted_text
from spanwise_collector.sql_evals.syntax import Call, Constant, Lambda, Name, Node, parse

MAX_SQL: Final = 100_000
"""Characters of the SQL: some functions are written with an argument twice, which multiplies when they are nested."""
GUIDE: Final = "docs/sql_evaluators.md lists what there is."


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression as SQL.

    Attributes:
        sql: over columns of a subquery, whose names begin with `columns.PREFIX`.
        columns: names of those that it reads, sorted.
        is_yes_or_no: it gives true or false by its form; the type of a comparison alone would not tell.
    """

    sql: str
    columns: tuple[str, ...]
    is_yes_or_no: bool

    @property
    def bodies(self) -> frozenset[str]:
        """Which bodies it needs: `input`, `output`, `other`."""
        return frozenset(COLUMNS[name].body for name in self.columns) - {""}


def compile_expression(source: str) -> Compiled:
    """An expression of a user as SQL.

    Raises:
        ExpressionError: it is none, or uses what is not admitted.
    """
    tree = parse(source)
    writer = _Writer()
    sql = writer.write(tree)
    return Compiled(sql, tuple(sorted(writer.columns)), _is_yes_or_no(tree))


@dataclass(slots=True)
class _Writer:
    columns: set[str] = field(default_factory=set)
    _variable: str = ""

    def write(self, node: Node) -> str:
        match node:
            case Constant():
                return _constant(node)
            case Name():
                return self._name(node)
            case Lambda():
                raise ExpressionError("`->` belongs into arrayMap, arrayFilter and the like.", node.position)
            case Call():
                return self._call(node)

    def _name(self, node: Name) -> str:
        if node.text == self._variable:
            return "v_element"
        if node.text not in COLUMNS:
            near = difflib.get_close_matches(node.text.lower(), COLUMNS, 2, 0.6)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise ExpressionError(f"There is no column {node.text!r} here.{hint} {GUIDE}", node.position)
        self.columns.add(node.text)
        return PREFIX + node.text

    def _call(self, node: Call) -> str:
        function = SPELLINGS.get(node.function.lower()) if node.function != "tuple" else None
        if node.function == "tuple" or function is None:
            raise ExpressionError(_unknown(node.function), node.position)
        self._check(function, node)
        if function.name in ("in", "notIn"):
            value, members = node.arguments
            assert isinstance(members, Call)
            listed = ", ".join(_constant(one) for one in members.arguments if isinstance(one, Constant))
            return f"{function.name}({self.write(value)}, tuple({listed}))"
        written = [self._argument(one) for one in node.arguments]
        first = node.arguments[0] if node.arguments else None
        is_map = isinstance(first, Name) and first.text in COLUMNS and COLUMNS[first.text].is_map
        if function.write is None or (function.name == "arrayElement" and is_map):
            sql = f"{function.name}({', '.join(written)})"
        else:
            sql = function.write(written)
        if len(sql) > MAX_SQL:
            raise ExpressionError("It becomes too long; nest less.", node.position)
        return sql

    def _argument(self, node: Node) -> str:
        if not isinstance(node, Lambda):
            return self.write(node)
        if self._variable:
            raise ExpressionError(
                "A `->` inside another would be done for every pair of elements; that is not admitted.", node.position
            )
        if node.variable in COLUMNS:
            raise ExpressionError(f"{node.variable} is a column; call the variable otherwise.", node.position)
        self._variable = node.variable
        body = self.write(node.body)
        self._variable = ""
        return f"v_element -> ({body})"

    def _check(self, function: Function, node: Call) -> None:
        given = len(node.arguments)
        if not function.least <= given <= function.most:
            at_most = "any number" if function.most == MANY else str(function.most)
            wanted = str(function.least) if function.least == function.most else f"{function.least} to {at_most}"
            raise ExpressionError(f"{function.name} takes {wanted} arguments, not {given}.", node.position)
        if function.name in ("in", "notIn") and not _is_list(node.arguments[1]):
            raise ExpressionError("IN takes a list of texts or numbers, like IN ('a', 'b').", node.position)
        if self._variable and function.makes_array:
            raise ExpressionError(
                f"{function.name} inside `->` would be done for each element; that is not admitted.", node.position
            )
        for place in function.constant:
            if place < given and not _is_written_out(node.arguments[place]):
                raise ExpressionError(
                    f"Argument {place + 1} of {function.name} must be written out, not computed.", node.position
                )
        for place, argument in enumerate(node.arguments):
            if isinstance(argument, Lambda) and (place or given != 2 or not function.takes_lambda):
                raise ExpressionError(f"{function.name} takes no `->` there.", argument.position)
        if function.takes_lambda and given == 2 and not isinstance(node.arguments[0], Lambda):
            raise ExpressionError(f"{function.name} takes `element -> …` first, then an array.", node.position)
        if function.name == "CAST" and not _is_type(node.arguments[1]):
            raise ExpressionError(f"CAST makes {', '.join(TYPES.values())}.", node.arguments[1].position)


def _constant(node: Constant) -> str:
    match node.kind:
        case "text":
            return quoted_text(node.text)
        case "type":
            return quoted_text(TYPES[node.text.lower()])
        case _:
            return node.text


def _is_type(node: Node) -> bool:
    return isinstance(node, Constant) and node.kind in ("type", "text") and node.text.lower() in TYPES


def _is_list(node: Node) -> bool:
    return isinstance(node, Call) and node.function == "tuple"


def _is_written_out(node: Node) -> bool:
    """A constant, or an array of constants."""
    if isinstance(node, Call):
        return node.function == "array" and all(isinstance(one, Constant) for one in node.arguments)
    return isinstance(node, Constant) and node.kind in ("text", "number")


def _is_yes_or_no(node: Node) -> bool:
    if isinstance(node, Constant):
        return node.kind == "bool"
    if not isinstance(node, Call):
        return False
    function = SPELLINGS.get(node.function.lower())
    return function is not None and function.is_yes_or_no


def _unknown(name: str) -> str:
    instead = INSTEAD.get(name.lower())
    if instead is None:
        near = difflib.get_close_matches(name, FUNCTIONS, 2, 0.75)
        instead = " or ".join(near)
    hint = f" Write {instead}." if instead else ""
    return (
        f"The function {name} is not admitted.{hint} Only functions that read nothing but one span, give the same for "
        f"the same span and end soon may be used; {GUIDE}"
    )
