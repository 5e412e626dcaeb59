"""The classes, and the page that lists them."""

import re
from pathlib import Path

from spanwise_collector.failures.classes import CLASSES
from spanwise_collector.failures.classes_doc import renewed

PAGE = Path(__file__).parents[4] / "docs" / "failures.md"


def test_the_page_is_current() -> None:
    """`python -m spanwise_collector.failures.classes_doc docs/failures.md` writes the classes again."""
    page = PAGE.read_text(encoding="utf-8")
    assert renewed(page) == page


def test_names() -> None:
    """Names are words with underscores, and each is explained in a sentence."""
    assert 21 == len(CLASSES)
    for name, one in CLASSES.items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
        assert one.meaning.endswith(".")
        assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", sub) for sub in one.subs)
