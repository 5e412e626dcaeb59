"""The lists in docs/sql_evaluators.md.

`python -m spanwise_collector.sql_evals.reference_doc docs/sql_evaluators.md` renews columns, functions and examples.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from spanwise_collector.sql_evals.columns import COLUMNS
from spanwise_collector.sql_evals.examples import EXAMPLES
from spanwise_collector.sql_evals.functions import GROUPS

BY: Final = "written by python -m spanwise_collector.sql_evals.reference_doc"


def columns() -> str:
    """The columns as Markdown."""
    rows = [f"| `{one.name}` | {one.type} | {one.help} |" for one in COLUMNS.values()]
    return "\n".join(["| column | type | what it is |", "|---|---|---|", *rows, ""])


def functions() -> str:
    """The functions as Markdown."""
    rows = [f"| {group} | {', '.join(f'`{one.name}`' for one in listed)} |" for group, listed in GROUPS.items()]
    return "\n".join(["| for | functions |", "|---|---|", *rows, ""])


def examples() -> str:
    """The examples as Markdown."""
    rows = [
        f"| {one.about} | `{_cell(one.expression)}` | {f'`{_cell(one.filter)}`' if one.filter else ''} |"
        for one in EXAMPLES
    ]
    return "\n".join(["| what | expression | filter |", "|---|---|---|", *rows, ""])


PARTS: Final[dict[str, Callable[[], str]]] = {"columns": columns, "functions": functions, "examples": examples}


def renewed(page: str) -> str:
    """The page with the lists as they are now.

    Raises:
        ValueError: it has no place for one.
    """
    for name, written in PARTS.items():
        begin, end = f"<!-- {name}: {BY} -->\n", f"<!-- /{name} -->\n"
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"the page has no {begin.strip()} … {end.strip()}")
        page = f"{before}{begin}\n{written()}\n{end}{after}"
    return page


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
