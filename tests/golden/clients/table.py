"""The table of clients and fields: `python -m tests.golden.clients.table [client ...] [--why] [--markdown]`."""

import argparse
import sys
from collections import Counter, defaultdict
from typing import Final

from tests.golden.clients.evaluate.verdicts import ABSENT, NAMES, OTHER, RIGHT, WRONG, Verdict, judged
from tests.golden.clients.recording import load, names

_MARKS: Final = {RIGHT: "✓", ABSENT: "–", OTHER: "≠", WRONG: "✗"}
_HEAD: Final = """\
# Clients

Written by `make docs` from recordings of real, unmodified packages. What they sent was put through Spanwise and held
against the log of the stub provider that answered them.
"""


def counted(verdicts: tuple[Verdict, ...]) -> dict[str, Counter[str]]:
    """Outcomes of each field."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for one in verdicts:
        found[one.field][one.outcome] += 1
    return found


def cell(outcomes: Counter[str]) -> str:
    """A field's cell: a mark alone where all answers are alike, else the number of each."""
    if not outcomes:
        return ""
    if len(outcomes) == 1:
        return _MARKS[next(iter(outcomes))]
    return " ".join(f"{_MARKS[one]}{outcomes[one]}" for one in _MARKS if outcomes[one])


def main(arguments: list[str]) -> int:
    """Print the table; 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden.clients.table")
    parser.add_argument("clients", nargs="*", help="beginnings of recordings' names; all without")
    parser.add_argument("--why", action="store_true", help="list everything that is not right")
    parser.add_argument("--wrong", action="store_true", help="list what is wrong")
    parser.add_argument("--fields", action="store_true", help="list the fields")
    options = parser.parse_args(arguments)
    if options.fields:
        print("\n".join(NAMES))
        return 0
    chosen = [one for one in names() if not options.clients or one.startswith(tuple(options.clients))]
    results = {name: judged(name) for name in chosen}
    width = max(map(len, NAMES))
    for name, verdicts in results.items():
        outcomes = counted(verdicts)
        print(f"\n{name}: {load(name).title}")
        for field in NAMES:
            if outcomes[field]:
                print(
                    f"  {field:{width}}  {' '.join(f'{key} {outcomes[field][key]}' for key in _MARKS if outcomes[field][key])}"
                )
        for one in verdicts:
            if one.outcome == WRONG if not options.why else one.outcome != RIGHT:
                if options.why or options.wrong:
                    print(f"  {one.outcome} {one.field} [{one.case} #{one.number}] {one.why}")
                    print(f"      expected {str(one.expected)[:300]!r}\n      found    {str(one.found)[:300]!r}")
    wrong = sum(one.outcome == WRONG for verdicts in results.values() for one in verdicts)
    print(f"\n{wrong} wrong of {sum(map(len, results.values()))}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
