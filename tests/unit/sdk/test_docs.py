"""The code in docs/sdk.md runs."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spanwise.testing import capture
from tests.support.model_server import model_server

DOCS = Path(__file__).parents[3] / "docs" / "sdk.md"
SECTIONS = [section.partition("\n")[::2] for section in re.split(r"^## ", DOCS.read_text(), flags=re.MULTILINE)[1:]]
BLOCKS = [
    (f"{title} {number}" if number > 1 else title, code)
    for title, text in SECTIONS
    for number, code in enumerate(re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL), 1)
]

# What each block records, as names of spans.
RECORDED = {
    "First trace": ["answer"],
    "Observe functions": ["find-articles", "Bot.refund"],
    "Spans": ["rank", "call"],
    "Model answers and streams": ["ask", "ask"],
    "Session, user, tags, metadata, prompt": ["answer", "answer"],
    "Scores": ["answer"],
    "Scores 2": [],
    "Evaluators": ["search", "answer", "summary"],
    "Evaluators 2": [],
    "Threads and asyncio": ["part", "whole"],
    "Testing": [],
    "Masking": [],
    "Masking 2": [],
    "Delivery": [],
}


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The examples' OpenAI client talks to a server on loopback."""
    with model_server() as address:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{address}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        yield


def test_every_block_is_known() -> None:
    """A new example has to say what it records."""
    assert [section for section, _ in BLOCKS] == list(RECORDED)
    assert DOCS.read_text().count("```python") == len(BLOCKS)


@pytest.mark.parametrize(("section", "code"), BLOCKS, ids=[section for section, _ in BLOCKS])
def test_the_code_runs_and_records_what_it_says(
    section: str, code: str, model: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each block by itself; `init` checks its arguments and connects to nothing."""
    monkeypatch.setenv("SPANWISE_ENABLED", "false")
    namespace: dict[str, Any] = {"__name__": "example"}

    with capture() as captured:
        exec(compile(code, f"docs/sdk.md: {section}", "exec"), namespace)
        if "client" in namespace:
            namespace["client"].close()
    for name, test in list(namespace.items()):
        if name.startswith("test_"):
            with capture() as inner:
                test(inner)

    assert [span["name"] for span in captured.spans] == RECORDED[section]
