"""Content of any kind becomes text: valid, bounded, never raising."""

import dataclasses
import datetime as dt
import decimal
import enum
import json
import math
import pathlib
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, SecretStr

from spanwise import _content
from spanwise._capture import clip, to_json, to_text


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Plan:
    name: str
    key: str = dataclasses.field(repr=False)


class Customer(BaseModel):
    name: str
    password: SecretStr
    hidden: str = Field(exclude=True)


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class ndarray:  # noqa: N801 (stands in for numpy's, which the SDK does not depend on)
    shape = (3, 2)
    dtype = "float32"


ndarray.__module__ = "numpy"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [1, 2.5, None, True]}, '{"a": [1, 2.5, null, true]}'),
        ("naïve", '"naïve"'),
        (Colour.RED, '"red"'),
        (Plan("pro", key="secret"), '{"name": "pro"}'),
        (
            Customer(name="Ann", password=SecretStr("pw"), hidden="h"),
            '{"name": "Ann", "password": "SecretStr(\'**********\')"}',
        ),
        (b"\x00\x01", '"<bytes of 2 bytes>"'),
        ({1}, "[1]"),
        (dt.datetime(2026, 1, 2, 3, tzinfo=dt.UTC), '"2026-01-02T03:00:00+00:00"'),
        (decimal.Decimal("1.50"), '"1.50"'),
        (uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (pathlib.PurePosixPath("/a/b"), '"/a/b"'),
        (ndarray(), '"<numpy.ndarray shape=(3, 2) dtype=float32>"'),
        (KeyError("x"), "\"KeyError('x')\""),
        (len, '"<builtin_function_or_method len>"'),
        (int, '"<type int>"'),
        ({(1, 2): "pair"}, '{"(1, 2)": "pair"}'),
        ([math.nan, math.inf, 1.0], '["nan", "inf", 1.0]'),
    ],
)
def test_values_have_a_telling_form(value: object, expected: str) -> None:
    """Secrets that their authors hide stay hidden; what has no JSON form is described."""
    assert to_json(value) == expected


def test_cycles_depth_and_broken_reprs_are_harmless() -> None:
    """They are named where they occur, and the rest is kept."""
    loop: list[Any] = [1]
    loop.append(loop)
    deep: Any = 0
    for _ in range(100_000):
        deep = [deep]

    assert to_json(loop) == '[1, "<cycle>"]'
    assert "too deep" in to_json(deep)
    assert "RuntimeError in __repr__" in to_json({"x": Broken(), "y": 1})


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.integers() | st.tuples(st.integers()), inner)
        | st.sets(st.integers())
    ),
    max_leaves=20,
)


@given(json_like)
def test_any_value_becomes_valid_json(value: object) -> None:
    """Also NaN, odd keys, bytes and lone surrogates."""
    json.loads(to_json(value))


@given(st.text(st.characters()), st.integers(0, 50))
def test_text_is_cut_at_a_character_and_can_travel(text: str, limit: int) -> None:
    """The result encodes as UTF-8, is within the limit, and says when it was cut."""
    cut, truncated = clip(text, limit)

    size = len(text.encode("utf-8", "replace"))
    assert truncated == (size > limit)
    assert len(cut.removesuffix("…[cut]").encode()) <= limit


def test_a_cut_value_is_text_and_says_so() -> None:
    """Cut JSON is no JSON any more."""
    assert to_text(["x" * 50], 10) == ('["xxxxxxxx…[cut]', False, True)
    assert _content.of_input("other", ["x" * 50], 10) == {
        "input.value": '["xxxxxxxx…[cut]',
        "input.mime_type": "text/plain",
        "spanwise.truncated": ("input",),
    }


def test_long_conversations_stay_readable_json() -> None:
    """Their long texts are cut, not the JSON around them."""
    messages = [{"role": "user", "parts": [{"type": "text", "content": "x" * 5000}]} for _ in range(3)]

    found = _content.of_messages("gen_ai.input.messages", messages, 1000, "input")

    assert len(found["gen_ai.input.messages"]) <= 1000
    assert [message["role"] for message in json.loads(found["gen_ai.input.messages"])] == ["user"] * 3
    assert found["spanwise.truncated"] == ("input",)
