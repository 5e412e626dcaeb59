"""Values written as Python writes them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.normalise.python_repr import from_call, from_repr

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.lists(PLAIN) | st.dictionaries(st.text(), PLAIN))
def test_what_json_can_say(value: Any) -> None:
    """Every list and object of plain values comes back as it was."""
    assert from_repr(repr(value)) == json.loads(json.dumps(value))


@pytest.mark.parametrize(
    "text", ["", "None", "7", "{1: 2}", "{'a': {1, 2}}", "{'a': b'x'}", "[open('x')]", r"['\d']", "[1, ", "[" * 5_000]
)
def test_anything_else(text: str) -> None:
    """What JSON could not say, and what is no Python literal, is no value."""
    assert from_repr(text) is None


@given(st.text())
def test_any_text(text: str) -> None:
    """No text raises."""
    from_repr(text)
    from_repr(f"[{text}]")
    from_call(text)


def test_call() -> None:
    """An object shown with its fields is an object, calls inside too."""
    assert from_call("Call(id='c1', function=Function(name='track', n=[1]))") == {
        "id": "c1",
        "function": {"name": "track", "n": [1]},
    }
    assert from_call("<object at 0x7f>") is None
