"""Whether a value fits a JSON Schema, for schemas that strangers sent.

Schemas come with requests, so nothing of them is compiled, executed or loaded: the value is walked with the schema at
hand, and the walk has a budget of steps, after which nothing is said. Validators that generate code cannot promise
that: a few hundred bytes of nested `anyOf` keep them busy for hours, and a `$ref` may make them fetch a page.

Read are the keywords that providers accept for structured outputs and tools (JSON Schema 2020-12; `items` also as
draft 7 has it, types also in Gemini's upper case with `nullable`). `pattern`, `format`, `uniqueItems`, `multipleOf` and
references to other documents are not judged.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import ge, gt, le, lt
from typing import Any, Final, NamedTuple

from spanwise_evaluators.reading.short import short

MAX_STEPS: Final = 10_000
"""Pairs of schema and value that are looked at."""
MAX_DEPTH: Final = 64
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "number": (int, float),
    "integer": (int, float),
}
_BOUNDS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "minimum": ge,
    "maximum": le,
    "exclusiveMinimum": gt,
    "exclusiveMaximum": lt,
}
_SIZES: Final[Sequence[tuple[str, str, type[str] | type[list[Any]] | type[dict[str, Any]]]]] = (
    ("minLength", "maxLength", str),
    ("minItems", "maxItems", list),
    ("minProperties", "maxProperties", dict),
)
_TEMPLATES: Final[Mapping[str, str]] = {
    "required": "{detail} is missing",
    "additionalProperties": "{detail} is not expected",
    "type": "it must be {detail}",
    "enum": "it is none of the listed values",
    "const": "it is not the fixed value",
}


class Violation(NamedTuple):
    """Where a value does not fit.

    Attributes:
        path: `$.items[*].price`; positions in arrays are left out, so that the same mistake has the same path.
        keyword: of the schema: `required`, `type`, …
        detail: what the keyword asks for: the missing member's name, the type.
    """

    path: str
    keyword: str
    detail: str


class _ExhaustedError(Exception):
    """The budget is used up, or something is too deep."""


def violation(schema: object, value: object, *, steps: int = MAX_STEPS) -> Violation | None:
    """The first place where a value does not fit a schema; None where it fits or nothing can be said.

    Args:
        schema: parsed JSON; what is no schema takes everything.
        value: parsed JSON.
        steps: the budget.
    """
    return judged(schema, value, steps=steps)[1]


def judged(schema: object, value: object, *, steps: int = MAX_STEPS) -> tuple[bool, Violation | None]:
    """As `violation`, and whether all was looked at: where it was not, a value without a violation may have one.

    Args:
        schema: parsed JSON; what is no schema takes everything.
        value: parsed JSON.
        steps: the budget.
    """
    try:
        return True, _Walk(schema, steps).check(schema, value, "$", 0)
    except _ExhaustedError:
        return False, None


def explained(wrong: Violation) -> str:
    """A violation in words."""
    template = _TEMPLATES.get(wrong.keyword, "{keyword} {detail}")
    words = template.format(keyword=wrong.keyword, detail=short(wrong.detail)).strip()
    return words if wrong.path == "$" else f"{short(wrong.path)}: {words}"


class _Walk:
    """One validation."""

    def __init__(self, root: object, steps: int) -> None:
        self._root = root
        self._left = steps

    def check(self, schema: object, value: object, path: str, depth: int) -> Violation | None:
        """The first violation."""
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise _ExhaustedError
        if schema is False:
            return Violation(path, "false", "")
        if not isinstance(schema, dict):
            return None
        if "$ref" in schema:
            found = self.check(self._referred(schema["$ref"]), value, path, depth + 1)
            if found is not None:
                return found
        return (
            _type_violation(schema, value, path)
            or self._listed(schema, value, path)
            or _size_violation(schema, value, path)
            or self._members(schema, value, path, depth)
            or self._combined(schema, value, path, depth)
        )

    def _referred(self, ref: object) -> object:
        """The schema in the same document; True, which takes everything, for one elsewhere."""
        if not isinstance(ref, str) or not (ref == "#" or ref.startswith("#/")):
            return True
        found: Any = self._root
        for step in ref[2:].split("/") if len(ref) > 1 else ():
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and name in found:
                found = found[name]
            elif isinstance(found, list) and name.isdecimal() and len(name) < 6 and int(name) < len(found):
                found = found[int(name)]
            else:
                return True
        return found

    def _listed(self, schema: dict[str, Any], value: object, path: str) -> Violation | None:
        if "const" in schema and not self._equal(schema["const"], value):
            return Violation(path, "const", "")
        listed = schema.get("enum")
        if isinstance(listed, list) and not any(self._equal(one, value) for one in listed):
            return Violation(path, "enum", "")
        return None

    def _equal(self, one: object, other: object) -> bool:
        """Equality of JSON values: true is not 1."""
        self._left -= 1
        if self._left < 0:
            raise _ExhaustedError
        if isinstance(one, bool) or isinstance(other, bool):
            return one is other
        if isinstance(one, list) and isinstance(other, list):
            return len(one) == len(other) and all(map(self._equal, one, other))
        if isinstance(one, dict) and isinstance(other, dict):
            return one.keys() == other.keys() and all(self._equal(one[key], other[key]) for key in one)
        return one == other

    def _members(self, schema: dict[str, Any], value: object, path: str, depth: int) -> Violation | None:
        if isinstance(value, dict):
            return self._object(schema, value, path, depth)
        if isinstance(value, list):
            return self._array(schema, value, path, depth)
        return None

    def _object(self, schema: dict[str, Any], value: dict[str, Any], path: str, depth: int) -> Violation | None:
        required = schema.get("required")
        missing = (
            [one for one in required if isinstance(one, str) and one not in value] if isinstance(required, list) else []
        )
        if missing:
            return Violation(path, "required", missing[0])
        properties = schema.get("properties")
        known: dict[str, Any] = properties if isinstance(properties, dict) else {}
        for name, member in value.items():
            if name in known:
                found = self.check(known[name], member, f"{path}.{name}", depth + 1)
                if found is not None:
                    return found
        if "patternProperties" in schema:
            return None
        return self._others(schema.get("additionalProperties"), known, value, path, depth)

    def _others(
        self, others: object, known: dict[str, Any], value: dict[str, Any], path: str, depth: int
    ) -> Violation | None:
        """Members that the schema does not name."""
        if others is None or others is True:
            return None
        for name, member in value.items():
            if name not in known:
                if others is False:
                    return Violation(path, "additionalProperties", name)
                found = self.check(others, member, f"{path}.*", depth + 1)
                if found is not None:
                    return found
        return None

    def _array(self, schema: dict[str, Any], value: list[Any], path: str, depth: int) -> Violation | None:
        items, first = schema.get("items"), schema.get("prefixItems")
        rest: object = items
        if isinstance(items, list):
            first, rest = items, schema.get("additionalItems")
        first = first if isinstance(first, list) else []
        for position, one in enumerate(value):
            wanted = first[position] if position < len(first) else rest
            if wanted is not None and wanted is not True:
                found = self.check(wanted, one, f"{path}[*]", depth + 1)
                if found is not None:
                    return found
        return None

    def _combined(self, schema: dict[str, Any], value: object, path: str, depth: int) -> Violation | None:
        for one in _schemas(schema, "allOf"):
            found = self.check(one, value, path, depth + 1)
            if found is not None:
                return found
        return self._any_of(schema, value, path, depth) or self._one_of(schema, value, path, depth)

    def _any_of(self, schema: dict[str, Any], value: object, path: str, depth: int) -> Violation | None:
        choices = _schemas(schema, "anyOf")
        if not choices:
            return None
        found = [self.check(one, value, path, depth + 1) for one in choices]
        return None if None in found else _nearest(choices, found, Violation(path, "anyOf", ""))

    def _one_of(self, schema: dict[str, Any], value: object, path: str, depth: int) -> Violation | None:
        choices = _schemas(schema, "oneOf")
        if choices:
            found = [self.check(one, value, path, depth + 1) for one in choices]
            if found.count(None) != 1:
                here = Violation(path, "oneOf", "")
                return here if None in found else _nearest(choices, found, here)
        refused = schema.get("not")
        if refused is not None and self.check(refused, value, path, depth + 1) is None:
            return Violation(path, "not", "")
        return None


def _schemas(schema: dict[str, Any], keyword: str) -> list[Any]:
    found = schema.get(keyword)
    return found if isinstance(found, list) else []


def _nearest(choices: list[Any], found: list[Violation | None], otherwise: Violation) -> Violation:
    """Of a choice between null and something, what is wrong with something says more than that none fits."""
    real = [
        one
        for choice, one in zip(choices, found, strict=True)
        if one and not (isinstance(choice, dict) and choice.get("type") == "null")
    ]
    return real[0] if len(real) == 1 else otherwise


def _type_violation(schema: dict[str, Any], value: object, path: str) -> Violation | None:
    said = schema.get("type")
    names = [said] if isinstance(said, str) else said
    if not isinstance(names, list) or not names:
        return None
    known = [name.lower() for name in names if isinstance(name, str)]
    if value is None and schema.get("nullable") is True:
        return None
    if any(name not in _TYPES or _is(value, name) for name in known) or len(known) != len(names):
        return None
    return Violation(path, "type", " or ".join(known))


def _is(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[name])


def _size_violation(schema: dict[str, Any], value: object, path: str) -> Violation | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _bound_violation(schema, value, path)
    for least_of, most_of, kind in _SIZES:
        if isinstance(value, kind):
            least, most = _number(schema, least_of), _number(schema, most_of)
            if least is not None and len(value) < least:
                return Violation(path, least_of, str(least))
            if most is not None and len(value) > most:
                return Violation(path, most_of, str(most))
    return None


def _bound_violation(schema: dict[str, Any], value: float, path: str) -> Violation | None:
    for keyword, fits in _BOUNDS.items():
        bound = _number(schema, keyword)
        if bound is not None and not fits(value, bound):
            return Violation(path, keyword, str(bound))
    return None


def _number(schema: dict[str, Any], keyword: str) -> float | None:
    found = schema.get(keyword)
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None
