"""The schema walker: what it judges, what it leaves alone, and that strangers' schemas cannot hold it up."""

import json
import warnings
from typing import Any

import fastjsonschema
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from spanwise_evaluators.reading.json_schema import MAX_STEPS, Violation, violation

ORDER = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 2},
        "items": {"type": "array", "items": {"type": "object", "properties": {"price": {"type": "number"}}}},
        "state": {"enum": ["open", "sent"]},
        "note": {"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]},
    },
    "required": ["city"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"city": "Ulm"}, None),
        ({"city": "Ulm", "items": [{"price": 1}, {"price": 2.5}], "state": "sent", "note": None}, None),
        ({}, Violation("$", "required", "city")),
        ([], Violation("$", "type", "object")),
        ({"city": 7}, Violation("$.city", "type", "string")),
        ({"city": "U"}, Violation("$.city", "minLength", "2")),
        ({"city": "Ulm", "zip": 1}, Violation("$", "additionalProperties", "zip")),
        ({"city": "Ulm", "items": [{"price": 1}, {"price": "2"}]}, Violation("$.items[*].price", "type", "number")),
        ({"city": "Ulm", "state": "lost"}, Violation("$.state", "enum", "")),
        ({"city": "Ulm", "note": "long"}, Violation("$.note", "maxLength", "3")),
    ],
)
def test_an_order(value: object, expected: Violation | None) -> None:
    """The first place that does not fit has a path without positions, its keyword, and what that asks for."""
    assert expected == violation(ORDER, value)


@pytest.mark.parametrize(
    ("schema", "fitting", "not_fitting"),
    [
        ({"type": "integer"}, 3.0, 3.5),
        ({"type": "integer"}, 3, True),
        ({"type": ["string", "null"]}, None, 1),
        ({"type": "STRING", "nullable": True}, None, 1),
        ({"const": 1}, 1.0, True),
        ({"enum": [[1], {"a": False}]}, {"a": False}, {"a": 0}),
        ({"minimum": 1, "exclusiveMaximum": 3}, 1, 3),
        ({"minItems": 1}, [0], []),
        ({"minProperties": 1}, {"a": 1}, {}),
        ({"prefixItems": [{"type": "string"}], "items": {"type": "null"}}, ["a", None], ["a", "b"]),
        ({"items": [{"type": "string"}], "additionalItems": {"type": "null"}}, ["a", None], ["a", "b"]),
        ({"additionalProperties": {"type": "number"}}, {"a": 1}, {"a": "1"}),
        ({"allOf": [{"minimum": 1}, {"maximum": 2}]}, 2, 3),
        ({"oneOf": [{"minimum": 1}, {"maximum": 2}]}, 3, 1.5),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, None, 1),
        ({"not": {"type": "string"}}, 1, "1"),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "string"}}}, "x", 1),
        ({"anyOf": [{"$ref": "#/$defs/0"}], "$defs": [{"type": "null"}]}, None, 1),
        (True, 1, None),
        ({"type": "object", "properties": {"x": False}}, {}, {"x": 1}),
    ],
)
def test_keywords(schema: Any, fitting: object, not_fitting: object) -> None:
    """Each keyword takes what fits and refuses what does not; the schema `true` takes everything."""
    assert violation(schema, fitting) is None
    assert schema is True or violation(schema, not_fitting) is not None


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "https://example.test/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "#/nowhere"},
        {"$ref": 7},
        {"pattern": "(a+)+$"},
        {"format": "date"},
        {"type": "money"},
        {"type": []},
        {"required": "x", "properties": [], "items": 3, "anyOf": {}, "minLength": "2", "enum": 3},
        "no schema",
        None,
    ],
)
def test_what_is_not_judged(schema: object) -> None:
    """Other documents are not loaded, patterns not run; nonsense takes everything."""
    assert violation(schema, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!") is None


def bomb(depth: int) -> dict[str, object]:
    """A schema of a few hundred bytes that asks for 2**depth comparisons."""
    steps: dict[str, object] = {
        f"s{number}": {"anyOf": [{"$ref": f"#/$defs/s{number + 1}"}] * 2} for number in range(depth)
    }
    return {"$ref": "#/$defs/s0", "$defs": steps | {f"s{depth}": {"type": "null"}}}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (bomb(30), 1),
        ({"$ref": "#"}, 1),
        ({"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}, 1),
        ({"items": {"type": "string"}}, ["x"] * (MAX_STEPS + 1)),
    ],
)
def test_a_budget_ends_it(schema: object, value: object) -> None:
    """A schema that would take for ever, one that refers to itself, and a huge value end with no verdict."""
    assert violation(schema, value) is None


NAMES = st.sampled_from("abc")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 2.0]) | st.text("xy", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
TYPES = st.sampled_from(["object", "array", "string", "number", "integer", "boolean", "null"])
SMALL = st.integers(0, 3)


def schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Schemas with the keywords that are judged."""
    choices = st.lists(inner, min_size=1, max_size=2)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, min_size=1, max_size=2, unique=True),
            "properties": st.dictionaries(NAMES, inner, max_size=2),
            "required": st.lists(NAMES, max_size=2, unique=True),
            "additionalProperties": st.booleans() | inner,
            "items": inner,
            "enum": st.lists(st.integers(-2, 2) | st.text("xy", max_size=1), min_size=1, max_size=2),
            "minimum": SMALL,
            "exclusiveMaximum": SMALL,
            "minLength": SMALL,
            "maxItems": SMALL,
            "maxProperties": SMALL,
            "anyOf": choices,
            "oneOf": choices,
            "allOf": choices,
            "not": inner,
        },
    )


@given(st.recursive(st.just({}), schemas, max_leaves=6), VALUES)
@settings(max_examples=60)
def test_it_agrees_with_another_validator(schema: dict[str, Any], value: object) -> None:
    """A validator that generates code from the schema, which may be trusted here, judges every value the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            validate = fastjsonschema.compile(schema, use_default=False)
        except fastjsonschema.JsonSchemaDefinitionException:
            reject()
    try:
        validate(json.loads(json.dumps(value)))
        fits = True
    except fastjsonschema.JsonSchemaException:
        fits = False
    assert fits == (violation(schema, value) is None), json.dumps([schema, value])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "$ref", "properties", "anyOf", "items", "not", "enum", "x"]), inner)
    ),
    max_leaves=12,
)


@given(JSON, JSON)
def test_any_schema(schema: object, value: object) -> None:
    """Whatever comes as a schema, nothing raises."""
    assert violation(schema, value) == violation(schema, value)
