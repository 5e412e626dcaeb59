"""docs/evaluators.md and the registry say the same."""

import re
from pathlib import Path
from typing import Any

import pytest

from spanwise.testing import capture
from spanwise_evaluators import registry
from spanwise_evaluators.evaluators_doc import renewed

PAGE = Path(__file__).parents[3] / "docs" / "evaluators.md"


def test_the_page_is_the_code_s() -> None:
    """`make docs` writes it again."""
    assert PAGE.read_text() == renewed(PAGE.read_text())


def test_every_evaluator_has_a_section_and_helps_somebody_choose() -> None:
    """Its own heading, and a place in the table of what one wants to know."""
    text = PAGE.read_text()
    table = text.partition("## Which one to choose")[2].partition("##")[0]

    assert re.findall(r"^### (\w+)$", text, re.MULTILINE) == list(registry.names())
    assert [name for name in registry.names() if f"`{name}`" not in table] == []


def test_a_page_without_a_place_is_refused() -> None:
    """Nothing is written where nobody looks."""
    with pytest.raises(ValueError, match="the page has no"):
        renewed("# Evaluators\n")


def test_the_examples_say_what_they_say(capsys: pytest.CaptureFixture[str]) -> None:
    """The code on the page runs; what it prints is what stands beside it."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    with capture() as captured:
        for block in blocks:
            namespace: dict[str, Any] = {"__name__": "example"}
            exec(compile(block, str(PAGE), "exec"), namespace)

    assert {
        one["attributes"]["gen_ai.evaluation.name"]: one["attributes"]["gen_ai.evaluation.score.value"]
        for one in captured.scores
    } == {"not_empty": 1.0, "length": 1.0, "has_order": 1.0, "polite": 1.0}
    assert capsys.readouterr().out == "0.0 not found: 30\n"
