"""The table of clients and fields: `python -m tests.golden.clients.table [client ...] [--why] [--markdown]`."""

import argparse
import sys
from collections import Counter
from typing import Final

from tests.golden.clients.evaluate.verdicts import ABSENT, NAMES, OTHER, RIGHT, WRONG, Verdict, judged
from tests.golden.clients.recording import load, names

MARKS: Final = {RIGHT: "✓", ABSENT: "·", OTHER: "≠", WRONG: "✗"}
_HEAD: Final = """\
# Clients

Written by `make docs` from recordings of real, unmodified packages. What they sent was put through Spanwise and held
against the log of the stub provider that answered them.
"""


def counted(verdicts: tuple[Verdict, ...]) -> dict[str, Counter[str]]:
    """Outcomes of each field."""
    found: dict[str, Counter[str]] = {name: Counter() for name in NAMES}
    for one in verdicts:
        found[one.field][one.outcome] += 1
    return {name: outcomes for name, outcomes in found.items() if outcomes}


def cell(outcomes: Counter[str]) -> str:
    """A field's cell: a mark alone where all answers are alike, else the number of each."""
    if not outcomes:
        return ""
    if len(outcomes) == 1:
        return MARKS[next(iter(outcomes))]
    return " ".join(f"{MARKS[one]}{outcomes[one]}" for one in MARKS if outcomes[one])


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
    for name, verdicts in results.items():
        print(f"\n{name}: {load(name).title}")
        for field, outcomes in counted(verdicts).items():
            print(
                f"  {field:{max(map(len, NAMES))}}  {' '.join(f'{key} {outcomes[key]}' for key in MARKS if outcomes[key])}"
            )
        for one in verdicts:
            if (options.why and one.outcome != RIGHT) or (options.wrong and one.outcome == WRONG):
                print(f"  {one.outcome} {one.field} [{one.case} #{one.number}] {one.why}")
                print(f"      expected {str(one.expected)[:300]!r}\n      found    {str(one.found)[:300]!r}")
    wrong = sum(one.outcome == WRONG for verdicts in results.values() for one in verdicts)
    print(f"\n{wrong} wrong of {sum(map(len, results.values()))}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
