"""Rules as TOML."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from spanwise_dashboard.toml_text import rule_toml

SCALARS = st.text(max_size=20) | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9)
LISTS = st.lists(st.text(max_size=8), max_size=3)
NAMES = st.text(max_size=8)
RULES = st.dictionaries(NAMES, SCALARS | LISTS | st.dictionaries(NAMES, SCALARS | LISTS, min_size=1, max_size=3))


@given(RULES)
def test_what_is_written_is_read_back(rule: dict[str, object]) -> None:
    """Any text, number, list and table, whatever characters are in it."""
    assert tomllib.loads(rule_toml(rule)) == {"rules": [rule]}


def test_it_reads_as_people_write_it() -> None:
    """Tables last, what is not set left out."""
    rule = {"id": "errors", "where": {"model": ["a"]}, "above": 0.05, "below": None, "labels": {}, "enabled": False}

    assert rule_toml(rule) == (
        '[[rules]]\nid = "errors"\nabove = 0.05\nenabled = false\n\n[rules.where]\nmodel = ["a"]\n'
    )
