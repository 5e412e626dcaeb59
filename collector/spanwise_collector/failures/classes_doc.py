"""The classes in docs/failures.md: `python -m spanwise_collector.failures.classes_doc docs/failures.md` renews them."""

import sys
from pathlib import Path
from typing import Final

from spanwise_collector.failures.classes import CLASSES, FailureClass, Level

BEGIN: Final = "<!-- classes: written by python -m spanwise_collector.failures.classes_doc -->\n"
END: Final = "<!-- /classes -->\n"
_LEVELS: Final[dict[Level, str]] = {
    "answer": "Told by an answer, also where the span is ok",
    "error": "Told by an error",
    "trace": "Told by the whole trace",
}


def tables() -> str:
    """The classes as Markdown, a table for each level."""
    parts = []
    for level, heading in _LEVELS.items():
        rows = [_row(one) for one in CLASSES.values() if one.level == level]
        parts.append("\n".join([f"{heading}:\n", "| class | what it is | finer classes |", "|---|---|---|", *rows, ""]))
    return "\n".join(parts)


def renewed(page: str) -> str:
    """The page with the classes as they are now.

    Raises:
        ValueError: it has no place for them.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN.strip()} … {END.strip()}")
    return f"{before}{BEGIN}\n{tables()}\n{END}{after}"


def _row(one: FailureClass) -> str:
    subs = "; ".join(f"`{name}`: {meaning}" for name, meaning in one.subs.items())
    return f"| `{one.name}` | {one.meaning} | {subs} |"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
