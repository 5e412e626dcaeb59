"""The form asked of an answer, and answers that should be JSON."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.failures.asked import ANY_FORM, Form, asked_form
from spanwise_collector.failures.classes import CLASSES
from spanwise_evaluators.reading.json_answers import MAX_TEXT, read_answer

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
JSON = Form(True, None)
FITTING = Form(True, SCHEMA)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (None, ANY_FORM),
        ({"temperature": 1}, ANY_FORM),
        ({"response_format": {"type": "text"}}, ANY_FORM),
        ({"response_format": "<class 'app.Order'>"}, ANY_FORM),
        ({"text": {"format": {"type": "text"}, "verbosity": "medium"}}, ANY_FORM),
        ({"output_config": {"effort": "high"}}, ANY_FORM),
        ({"response_format": "json_object"}, JSON),
        ({"response_format": {"type": "json_object"}}, JSON),
        ({"response_format": json.dumps({"type": "json_object"})}, JSON),
        ({"response_mime_type": "application/json"}, JSON),
        ({"format": "json"}, JSON),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}}, FITTING),
        ({"text": json.dumps({"format": {"type": "json_schema", "schema": SCHEMA}})}, FITTING),
        ({"output_format": {"type": "json_schema", "schema": SCHEMA}}, FITTING),
        ({"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}, FITTING),
        ({"response_mime_type": "application/json", "response_schema": SCHEMA}, FITTING),
        ({"response_json_schema": json.dumps(SCHEMA)}, FITTING),
        ({"format": SCHEMA}, FITTING),
    ],
)
def test_forms(params: dict[str, Any] | None, expected: Form) -> None:
    """Each API's way to ask for JSON is known."""
    assert expected == asked_form(params, "")


@pytest.mark.parametrize(
    ("word", "expected"), [("json", JSON), ("text", ANY_FORM), ("image", ANY_FORM), (json.dumps(SCHEMA), FITTING)]
)
def test_an_attribute(word: str, expected: Form) -> None:
    """An attribute may ask too: with a word or with a schema."""
    assert expected == asked_form({}, word)


@pytest.mark.parametrize(
    ("text", "unasked", "asked"),
    [
        ('{"a": 1}', "", ""),
        (" [1, 2]\n", "", ""),
        ("7", "", ""),
        ("", "", "not_json"),
        ("Hello", "", "not_json"),
        ("Here is the JSON: {}", "", "not_json"),
        ('{"a": ', "truncated", "truncated"),
        ("{", "truncated", "truncated"),
        ('{"a": 1,}', "malformed", "malformed"),
        ("{'a': 1}", "", "malformed"),
        ('{"a": 1} I hope this helps.', "extra_text", "extra_text"),
        ('{"a": 1}\n{"a": 2}', "", "extra_text"),
        ('```json\n{"a": 1}\n```', "", "fenced"),
        ('```\n{"a": 1}\n```', "", "fenced"),
        ('```json\n{"a": ', "truncated", "truncated"),
        ('```json\n{"a": 1,}\n```', "malformed", "malformed"),
        ("```python\nx = {1}\n```", "", "not_json"),
        ("[1] As the paper says, …", "", "extra_text"),
        ("{{name}} is a placeholder.", "", "malformed"),
        ('["a" and', "malformed", "malformed"),
        ("[" * 500, "", ""),
        ('{"' + "x" * MAX_TEXT, "", ""),
    ],
)
def test_readings(text: str, unasked: str, asked: str) -> None:
    """What is wrong with a text, where JSON was asked for and where it was not."""
    assert (unasked, asked) == (read_answer(text, asked=False).problem, read_answer(text, asked=True).problem)


@given(st.text(max_size=60) | st.text('{}[]",:1a` \n', max_size=60), st.booleans())
def test_any_text(text: str, asked: bool) -> None:
    """Every text has one reading; a problem is a documented one."""
    found = read_answer(text, asked=asked)
    assert found.problem in ("", *CLASSES["invalid_json"].subs)
    assert found.is_json or found.value is None
