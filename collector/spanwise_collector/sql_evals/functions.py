"""What an expression may call: each function with how many arguments it takes and how it is written for the engine.

A function is here when it gives the same for the same span, reads nothing but its arguments, ends soon, and says NULL
where it has no answer. Where ClickHouse would throw, or answer with a zero that nobody measured, it is written in
another form that gives NULL.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

Write = Callable[[Sequence[str]], str]
MANY: Final = 100


@dataclass(frozen=True, slots=True)
class Function:
    """One function.

    Attributes:
        name: as ClickHouse spells it.
        least: arguments at least.
        most: and at most.
        write: SQL from the SQL of its arguments; None for the plain call.
        constant: positions of arguments that must be written out, from 0.
        takes_lambda: the first argument is one, or may be.
        makes_array: from a text; has no place inside a lambda, where it would be done for each element.
        is_yes_or_no: what it gives is true or false.
    """

    name: str
    least: int
    most: int
    write: Write | None = None
    constant: frozenset[int] = field(default_factory=frozenset)
    takes_lambda: bool = False
    makes_array: bool = False
    is_yes_or_no: bool = False


def _call(name: str) -> Write:
    return lambda arguments: f"{name}({', '.join(arguments)})"


def _json(kind: str) -> Write:
    return lambda arguments: f"JSONExtract({', '.join(arguments)}, 'Nullable({kind})')"


def _where_valid(name: str) -> Write:
    return lambda arguments: f"if(isValidJSON({arguments[0]}), {name}({', '.join(arguments)}), NULL)"


def _where_some(name: str) -> Write:
    return lambda arguments: f"if(empty({arguments[0]}), NULL, {name}({arguments[0]}))"


def _plain(text: str, least: int, most: int) -> list[Function]:
    return [Function(name, least, most) for name in text.split()]


def _yes_or_no(text: str, least: int, most: int, *constant: int) -> list[Function]:
    return [Function(name, least, most, constant=frozenset(constant), is_yes_or_no=True) for name in text.split()]


def _pattern(text: str, least: int, *constant: int, makes_array: bool = False) -> list[Function]:
    return [
        Function(name, least, least, constant=frozenset(constant), makes_array=makes_array) for name in text.split()
    ]


GROUPS: Final[Mapping[str, Sequence[Function]]] = {
    "compare and combine": [
        *_yes_or_no("equals notEquals less greater lessOrEquals greaterOrEquals xor", 2, 2),
        *_yes_or_no("in notIn", 2, 2),
        *_yes_or_no("and or", 2, MANY),
        *_yes_or_no("not isNull isNotNull", 1, 1),
        *_yes_or_no("like notLike ilike notILike match", 2, 2, 1),
    ],
    "choose": [
        *_plain("if", 3, 3),
        *_plain("multiIf", 3, MANY),
        *_plain("caseWithExpression", 4, MANY),
        *_plain("coalesce least greatest", 1, MANY),
        *_plain("ifNull nullIf", 2, 2),
    ],
    "reckon": [
        *_plain("plus minus multiply divide pow", 2, 2),
        *_plain("negate abs sign sqrt exp log log2 log10", 1, 1),
        *(Function(name, 1, 2, constant=frozenset({1})) for name in ("round", "floor", "ceil")),
        Function("modulo", 2, 2, _call("moduloOrNull")),
        Function("intDiv", 2, 2, _call("intDivOrNull")),
    ],
    "convert": [
        *_plain("toString toInt64OrNull toFloat64OrNull", 1, 1),
        Function("CAST", 2, 2, _call("accurateCastOrNull")),
    ],
    "texts": [
        *_plain("length lengthUTF8 lower upper lowerUTF8 upperUTF8 trimBoth trimLeft trimRight", 1, 1),
        *_yes_or_no("empty notEmpty isValidUTF8", 1, 1),
        *_yes_or_no("startsWith endsWith", 2, 2),
        *_plain("concat", 2, MANY),
        *_plain("substring substringUTF8", 2, 3),
        *_plain("left right leftUTF8 rightUTF8", 2, 2),
        *_plain("position positionCaseInsensitive positionUTF8 positionCaseInsensitiveUTF8", 2, 2),
        *_plain("countSubstrings countSubstringsCaseInsensitive countSubstringsCaseInsensitiveUTF8", 2, 2),
        *_plain("ngramDistance ngramDistanceCaseInsensitive", 2, 2),
        *_yes_or_no("hasToken hasTokenCaseInsensitive multiSearchAny multiSearchAnyCaseInsensitive", 2, 2, 1),
        *_pattern("replaceOne replaceAll replaceRegexpOne replaceRegexpAll", 3, 1, 2),
        *_pattern("extract countMatches countMatchesCaseInsensitive", 2, 1),
        *_pattern("extractAll", 2, 1, makes_array=True),
        *_pattern("splitByChar splitByString", 2, 0, makes_array=True),
        *_pattern("splitByWhitespace splitByNonAlpha", 1, makes_array=True),
    ],
    "JSON": [
        *_yes_or_no("isValidJSON", 1, 1),
        *_yes_or_no("JSONHas", 2, 20),
        *(
            Function(f"JSONExtract{name}", 1, 20, _json(kind), is_yes_or_no=name == "Bool")
            for name, kind in {
                "Int": "Int64",
                "UInt": "UInt64",
                "Float": "Float64",
                "Bool": "Bool",
                "String": "String",
            }.items()
        ),
        Function("JSONLength", 1, 20, _where_valid("JSONLength")),
        Function("JSONType", 1, 20, _where_valid("JSONType")),
        *(
            Function(name, 1, 20, makes_array=True)
            for name in ("JSONExtractRaw", "JSONExtractKeys", "JSONExtractArrayRaw")
        ),
    ],
    "arrays": [
        *_plain("array", 0, MANY),
        *_yes_or_no("has hasAny hasAll", 2, 2),
        *_plain("indexOf", 2, 2),
        Function("arrayElement", 2, 2, _call("arrayElementOrNull")),
        *(Function(name, 2, 2, takes_lambda=True) for name in ("arrayMap", "arrayFilter")),
        *(Function(name, 2, 2, takes_lambda=True, is_yes_or_no=True) for name in ("arrayExists", "arrayAll")),
        *(Function(name, 1, 2, takes_lambda=True) for name in ("arrayCount", "arraySum")),
        *(Function(name, 1, 1, _where_some(name)) for name in ("arrayMin", "arrayMax", "arrayAvg")),
        *(Function(name, 1, 1, makes_array=True) for name in ("arrayDistinct", "arraySort", "arrayReverse")),
        *_plain("arrayUniq", 1, 1),
        *(Function(name, 2, 10, makes_array=True) for name in ("arrayConcat", "arrayIntersect")),
        Function("arraySlice", 2, 3, makes_array=True),
        *_plain("arrayStringConcat", 1, 2),
    ],
    "maps": [
        *_yes_or_no("mapContains", 2, 2),
        *(Function(name, 1, 1, makes_array=True) for name in ("mapKeys", "mapValues")),
    ],
    "times": _plain("toHour toMinute toDayOfWeek toDayOfMonth toMonth toYear toDate", 1, 1),
}
FUNCTIONS: Final[Mapping[str, Function]] = {one.name: one for group in GROUPS.values() for one in group}
SPELLINGS: Final[Mapping[str, Function]] = {
    **{one.name.lower(): one for one in FUNCTIONS.values()},
    "trim": FUNCTIONS["trimBoth"],
    "substr": FUNCTIONS["substring"],
    "power": FUNCTIONS["pow"],
    "ln": FUNCTIONS["log"],
    "mod": FUNCTIONS["modulo"],
}
"""Functions by every spelling, in small letters."""
TYPES: Final[Mapping[str, str]] = {"int64": "Int64", "float64": "Float64", "string": "String", "bool": "Bool"}
"""What CAST may make."""
INSTEAD: Final[Mapping[str, str]] = {
    "toint64": "toInt64OrNull",
    "toint32": "toInt64OrNull",
    "touint64": "toInt64OrNull",
    "touint32": "toInt64OrNull",
    "tofloat64": "toFloat64OrNull",
    "tofloat32": "toFloat64OrNull",
    "toint64orzero": "toInt64OrNull",
    "tofloat64orzero": "toFloat64OrNull",
    "now": "start_time",
    "today": "start_time",
    "jsonextract": "JSONExtractFloat",
    "char_length": "lengthUTF8",
}
"""For what is often tried: what to write."""
