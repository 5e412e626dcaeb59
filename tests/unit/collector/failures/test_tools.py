"""Tools offered, in the shapes of several APIs, and calls against them."""

import json

import pytest

from spanwise_collector.failures.asked import MAX_TEXT
from spanwise_collector.failures.tools import call_failure, offered
from spanwise_collector.normalise.values import Value

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.mark.parametrize(
    "definitions",
    [
        [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}],
        [{"type": "function", "name": "f", "parameters": SCHEMA}],
        [{"type": "function", "name": "f", "parameters": json.dumps(SCHEMA)}],
        [{"name": "f", "input_schema": SCHEMA}],
        [{"type": "function", "name": "f", "inputSchema": {"jsonSchema": SCHEMA}}],
        [{"toolSpec": {"name": "f", "inputSchema": {"json": SCHEMA}}}],
        [{"function_declarations": [{"name": "f", "parameters": SCHEMA}]}],
        {"tools": [{"name": "f", "input_schema": SCHEMA}]},
        [json.dumps({"name": "f", "input_schema": SCHEMA})],
    ],
)
def test_shapes(definitions: object) -> None:
    """Name and schema are found in each."""
    assert {"f": SCHEMA} == offered(json.dumps(definitions))


@pytest.mark.parametrize(
    "tool_defs",
    [
        "",
        "[]",
        "no JSON",
        "[1]",
        '[{"name": "f"}, {"type": "web_search_preview"}]',
        '[{"name": "' + "f" * MAX_TEXT + '"}]',
    ],
)
def test_unknown_tools(tool_defs: str) -> None:
    """Where one definition cannot be read nothing is said of any call: the provider may have tools of its own."""
    assert offered(tool_defs) is None
    assert call_failure([{"type": "tool_call", "name": "g", "arguments": {}}], tool_defs) is None


def test_the_closest_name() -> None:
    """The title of an invented tool names the offered one that is most like it, where one is."""
    tools = json.dumps([{"name": "search_orders"}, {"name": "cancel_order"}])
    titles = [
        found.title
        for name in ("search_order", "weather")
        if (found := call_failure([{"type": "tool_call", "name": name, "arguments": {}}], tools))
    ]
    assert [
        "Called search_order, which was not offered; the closest one is search_orders",
        "Called weather, which was not offered",
    ] == titles


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        ({}, "Arguments of f do not fit: city is missing"),
        (None, "Arguments of f do not fit: city is missing"),
        ("", "Arguments of f do not fit: city is missing"),
        ([1], "Arguments of f do not fit: it must be object"),
        ({"city": 1}, "Arguments of f do not fit: $.city: it must be string"),
        ("city=Ulm", "Arguments of f are not JSON"),
    ],
)
def test_arguments(arguments: Value, title: str) -> None:
    """The title says what does not fit."""
    found = call_failure(
        [{"type": "tool_call", "name": "f", "arguments": arguments}],
        json.dumps([{"name": "f", "input_schema": SCHEMA}]),
    )
    assert found is not None
    assert title == found.title


def test_what_the_model_invents_does_not_part_problems() -> None:
    """A member too much is the same problem whatever the model calls it."""
    tools = json.dumps([{"name": "f", "input_schema": {"additionalProperties": False}}])
    keys = [
        found.key
        for name in ("a", "b")
        if (found := call_failure([{"type": "tool_call", "name": "f", "arguments": {name: 1}}], tools))
    ]
    assert keys[0] == keys[1]
