"""The page about SQL evaluators tells what the code does."""

from pathlib import Path

from spanwise_collector.sql_evals.reference_doc import renewed

PAGE = Path(__file__).parents[4] / "docs" / "sql_evaluators.md"


def test_the_lists_are_those_of_the_code() -> None:
    """`make docs` writes columns, functions and examples again."""
    page = PAGE.read_text(encoding="utf-8")

    assert renewed(page) == page
