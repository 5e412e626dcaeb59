"""The signals in docs/alerts.md: `python -m spanwise_collector.alerts.signals_doc docs/alerts.md` renews the table."""

import sys
from pathlib import Path
from typing import Final

from spanwise_schemas.signals import SIGNALS, Signal

BEGIN: Final = "<!-- signals: written by python -m spanwise_collector.alerts.signals_doc -->\n"
END: Final = "<!-- /signals -->\n"
_WORSE: Final = {"up": "more", "down": "less", "both": "either"}
_UNITS: Final = {"ratio": "0 to 1", "nanousd": "USD", "count": "per hour", "score": "the score's"}


def table() -> str:
    """The signals as Markdown."""
    rows = [
        f"| `{one.name}` | {one.means} | {one.population} | {_UNITS.get(one.unit, one.unit)} | {_WORSE[one.worse]} | "
        f"{_smallest(one)} |"
        for one in SIGNALS.values()
    ]
    head = [
        "| signal | what it is | counted over | unit | worse | smallest change that counts |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *rows, ""])


def renewed(page: str) -> str:
    """The page with the table as it is now.

    Raises:
        ValueError: it has no place for it.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN.strip()} … {END.strip()}")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _smallest(signal: Signal) -> str:
    parts = []
    if signal.min_relative:
        parts.append(f"{100 * signal.min_relative:g} %")
    if signal.min_absolute:
        points = 100 * signal.min_absolute
        words = f"{points:g} point{'' if points == 1 else 's'}"
        parts.append(words if signal.unit == "ratio" else f"{signal.min_absolute:g} {signal.unit}")
    return " and ".join(parts) or "none"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
