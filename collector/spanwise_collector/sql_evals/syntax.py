"""From the words of an expression to a tree, with ClickHouse's precedence. What the tree cannot say cannot be run."""

from dataclasses import dataclass
from typing import Final, Literal

from spanwise_collector.sql_evals.lexer import ExpressionError, Token, tokens

MAX_LENGTH: Final = 4_000
"""Characters of an expression."""
MAX_DEPTH: Final = 60
"""Brackets and operators inside each other: far below what Python's stack and the engine's parser bear."""


@dataclass(frozen=True, slots=True)
class Name:
    """A column, or the variable of a lambda."""

    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Constant:
    """A number as it was written, a text, true or false, NULL, or the name of a type."""

    kind: Literal["number", "text", "bool", "null", "type"]
    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function of its arguments; operators are functions, too."""

    function: str
    arguments: tuple["Node", ...]
    position: int


@dataclass(frozen=True, slots=True)
class Lambda:
    """`variable -> body`."""

    variable: str
    body: "Node"
    position: int


Node = Name | Constant | Call | Lambda

_INFIX: Final = {
    "OR": ("or", 3),
    "AND": ("and", 4),
    "IS": ("", 6),
    "BETWEEN": ("", 7),
    "=": ("equals", 9),
    "==": ("equals", 9),
    "!=": ("notEquals", 9),
    "<>": ("notEquals", 9),
    "<": ("less", 9),
    ">": ("greater", 9),
    "<=": ("lessOrEquals", 9),
    ">=": ("greaterOrEquals", 9),
    "LIKE": ("like", 9),
    "ILIKE": ("ilike", 9),
    "IN": ("in", 9),
    "||": ("concat", 10),
    "+": ("plus", 11),
    "-": ("minus", 11),
    "*": ("multiply", 12),
    "/": ("divide", 12),
    "%": ("modulo", 12),
    "[": ("arrayElement", 14),
    "::": ("CAST", 14),
}
_MERGED: Final = frozenset({"or", "and", "concat"})
"""These take any number of arguments, and the engine reads a chain of them as one call."""
_NEGATED: Final = {"LIKE": "notLike", "ILIKE": "notILike", "IN": "notIn", "BETWEEN": ""}
_CONDITION, _NOT, _BETWEEN, _SIGN, _POSTFIX = 2, 5, 7, 13, 14
_WORDS: Final = frozenset(
    {"OR", "AND", "IS", "BETWEEN", "LIKE", "ILIKE", "IN", "NOT", "CASE", "WHEN", "THEN", "ELSE", "END", "NULL", "AS"}
    | {"SELECT", "FROM", "WHERE", "DISTINCT", "INTERVAL"}
)


def parse(source: str) -> Node:
    """The tree of an expression.

    Raises:
        ExpressionError: it is none, or has parts that are not admitted here.
    """
    if len(source) > MAX_LENGTH:
        raise ExpressionError(f"It has {len(source):,} characters; {MAX_LENGTH:,} are allowed.")
    return _Parser(tokens(source)).whole()


class _Parser:
    def __init__(self, words: list[Token]) -> None:
        self._words = words
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        found = self._expression()
        if self._next.kind != "end":
            raise self._refusal()
        return found

    @property
    def _next(self) -> Token:
        return self._words[self._at]

    @property
    def _after(self) -> Token:
        return self._words[min(self._at + 1, len(self._words) - 1)]

    def _take(self) -> Token:
        token = self._next
        self._at += 1
        return token

    def _is(self, *words: str) -> bool:
        return _word(self._next) in words

    def _skip(self, word: str) -> bool:
        if not self._is(word):
            return False
        self._at += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._skip(word):
            raise self._refusal(f"{word} is expected here")

    def _refusal(self, why: str = "") -> ExpressionError:
        token = self._next
        if token.kind == "end":
            told = f"{why or 'Something is missing'}, and the expression ends."
        elif why:
            told = f"{why}, not {token.text!r}."
        elif _word(token) in ("SELECT", "FROM", "WHERE"):
            told = "Queries have no place in an expression; it sees one span at a time."
        elif token.text == "*":
            told = "`*` has no place here; name the columns."
        else:
            told = f"{token.text!r} is not expected here."
        return ExpressionError(told, token.position)

    def _expression(self, least: int = 0) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(f"More than {MAX_DEPTH} parts lie inside each other.", self._next.position)
        found = self._prefix(least)
        merging = ""
        while operator := self._operator(least):
            token = self._take()
            function, level = _INFIX[operator]
            if operator in _NEGATED and _word(token) == "NOT":
                self._take()
                function = _NEGATED[operator]
            found = self._joined(found, operator, function, level, token, merges=merging == function)
            merging = function if function in _MERGED else ""
        if least <= _CONDITION and self._is("?"):
            position = self._take().position
            chosen = self._expression()
            self._expect(":")
            found = Call("if", (found, chosen, self._expression(_CONDITION)), position)
        self._depth -= 1
        return found

    def _operator(self, least: int) -> str:
        """The operator that comes next, when it binds as closely as that; else ""."""
        word = _word(self._next)
        if word == "NOT" and _word(self._after) in _NEGATED:
            word = _word(self._after)
        if self._next.kind not in ("sign", "name") or word not in _INFIX or _INFIX[word][1] < least:
            return ""
        return word

    def _joined(self, left: Node, operator: str, function: str, level: int, token: Token, *, merges: bool) -> Node:
        match operator:
            case "IS":
                negated = self._skip("NOT")
                self._expect("NULL")
                self._nothing_closer(level)
                return Call("isNotNull" if negated else "isNull", (left,), token.position)
            case "BETWEEN":
                low = self._expression(_BETWEEN + 1)
                self._expect("AND")
                high = self._expression(_BETWEEN + 1)
                if function == "" and _word(token) == "NOT":
                    outside = Call("less", (left, low), token.position), Call("greater", (left, high), token.position)
                    return Call("or", outside, token.position)
                inside = (
                    Call("greaterOrEquals", (left, low), token.position),
                    Call("lessOrEquals", (left, high), token.position),
                )
                return Call("and", inside, token.position)
            case "IN":
                members = self._members()
                self._nothing_closer(level)
                return Call(function, (left, members), token.position)
            case "[":
                index = self._expression()
                self._expect("]")
                return Call(function, (left, index), token.position)
            case "::":
                return Call(function, (left, self._type()), token.position)
        right = self._expression(level + 1)
        if merges and isinstance(left, Call):
            return Call(function, (*left.arguments, right), left.position)
        return Call(function, (left, right), token.position)

    def _nothing_closer(self, level: int) -> None:
        """Refuse an operator that the engine would take for a part of what stands before it."""
        if self._operator(level + 1):
            raise ExpressionError("Put what stands before this into round brackets.", self._next.position)

    def _prefix(self, least: int) -> Node:
        token = self._next
        word = _word(token)
        if word == "NOT":
            if least > _NOT:
                raise ExpressionError("Put NOT and what follows it into round brackets.", token.position)
            self._take()
            return Call("not", (self._expression(_NOT),), token.position)
        if word in ("-", "+"):
            self._take()
            if self._next.kind == "number":
                number = self._take()
                return Constant("number", ("-" if word == "-" else "") + number.text, token.position)
            operand = self._expression(_SIGN)
            return operand if word == "+" else Call("negate", (operand,), token.position)
        return self._operand()

    def _operand(self) -> Node:
        token = self._take()
        if token.kind in ("number", "text"):
            return Constant("number" if token.kind == "number" else "text", token.text, token.position)
        if token.text == "(":
            found = self._expression()
            self._expect(")")
            return found
        if token.text == "[":
            return Call("array", self._list("]"), token.position)
        if token.kind == "name":
            return self._named(token)
        self._at -= 1
        raise self._refusal()

    def _named(self, token: Token) -> Node:
        match _word(token):
            case "TRUE" | "FALSE" as value:
                return Constant("bool", value.lower(), token.position)
            case "NULL":
                return Constant("null", "NULL", token.position)
            case "CASE":
                return self._case(token)
            case "CAST" if self._is("("):
                return self._cast(token)
            case word if word in _WORDS:
                self._at -= 1
                raise self._refusal()
        if self._skip("("):
            return Call(token.text, self._list(")"), token.position)
        if self._is("->"):
            arrow = self._take()
            return Lambda(token.text, self._expression(1), arrow.position)
        return Name(token.text, token.position)

    def _list(self, closing: str) -> tuple[Node, ...]:
        found: list[Node] = []
        if self._skip(closing):
            return ()
        while True:
            found.append(self._expression())
            if not self._skip(","):
                self._expect(closing)
                return tuple(found)

    def _members(self) -> Call:
        position = self._next.position
        self._expect("(")
        members = self._list(")")
        if not members or not all(isinstance(one, Constant) for one in members):
            raise ExpressionError("IN takes a list of texts or numbers, like IN ('a', 'b').", position)
        return Call("tuple", members, position)

    def _cast(self, token: Token) -> Node:
        self._expect("(")
        value = self._expression()
        self._expect("AS")
        kind = self._type()
        self._expect(")")
        return Call("CAST", (value, kind), token.position)

    def _type(self) -> Constant:
        if self._next.kind != "name":
            raise self._refusal("The name of a type is expected here")
        token = self._take()
        return Constant("type", token.text, token.position)

    def _case(self, token: Token) -> Node:
        of: list[Node] = [] if self._is("WHEN") else [self._expression()]
        branches: list[Node] = []
        while self._skip("WHEN"):
            branches.append(self._expression())
            self._expect("THEN")
            branches.append(self._expression())
        if not branches:
            raise self._refusal("WHEN is expected here")
        otherwise = self._expression() if self._skip("ELSE") else Constant("null", "NULL", self._next.position)
        self._expect("END")
        return Call("caseWithExpression" if of else "multiIf", (*of, *branches, otherwise), token.position)


def _word(token: Token) -> str:
    """A name in capitals, a sign as it is; "" for what is neither."""
    return token.text.upper() if token.kind == "name" else token.text if token.kind == "sign" else ""
