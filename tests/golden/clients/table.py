"""The table of clients and fields: `python -m tests.golden.clients.table [client ...] [--why] [--markdown]`."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.golden.clients.evaluate.verdicts import ABSENT, NAMES, OTHER, UNDECLARED, WRONG, Verdict, judged
from tests.golden.clients.page import MARKS, outcomes, page
from tests.golden.clients.recording import load, names

PAGE: Final = Path(__file__).parents[3] / "docs/clients.md"


def everything() -> str:
    """The page of all recordings."""
    recordings = {name: load(name) for name in names()}
    return page({name: judged(name) for name in recordings}, recordings)


def grouped(verdicts: Iterable[Verdict]) -> dict[tuple[str, str, str], list[Verdict]]:
    """Verdicts by outcome, field and reason, so that one cause is one line."""
    found: dict[tuple[str, str, str], list[Verdict]] = {}
    for one in verdicts:
        found.setdefault((one.outcome, one.field, one.why), []).append(one)
    return found


def explain(verdicts: Iterable[Verdict], *, all_cases: bool) -> Iterator[str]:
    """Lines on verdicts: each cause with its cases and one example, or with every answer."""
    for (outcome, field, why), alike in grouped(verdicts).items():
        cases = ", ".join(dict.fromkeys(f"{one.case} #{one.number}" for one in alike))
        yield f"  {outcome} {field}: {why or 'declared'}: {len(alike)} x: {cases[:400]}"
        for one in alike if all_cases else alike[:1]:
            yield f"      [{one.case} #{one.number}]"
            yield f"      expected {one.expected}"
            yield f"      found    {one.found}"


def draft(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Entries for absent.toml of what is neither in the payload nor declared; the reasons are still to be written."""
    for field in NAMES:
        about = [one for one in verdicts if one.field == field]
        missing = [one for one in about if one.outcome == WRONG and one.why == UNDECLARED]
        for sends_other in (False, True):
            cases = sorted({one.case for one in missing if bool(one.found) == sends_other})
            if not cases:
                continue
            yield f'[[absent]]\nfield = "{field}"'
            if len(missing) < len(about):
                yield f"cases = {json.dumps(cases)}"
            if sends_other:
                yield 'sent = "other"'
            yield 'reason = ""\n'


def main(arguments: list[str]) -> int:
    """Print the table; 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden.clients.table")
    parser.add_argument("clients", nargs="*", help="beginnings of recordings' names; all without")
    parser.add_argument("--wrong", action="store_true", help="explain what is wrong, one example for each cause")
    parser.add_argument("--why", action="store_true", help="explain everything that is not right, all examples")
    parser.add_argument("--draft", action="store_true", help="print entries for absent.toml, still without reasons")
    parser.add_argument("--fields", action="store_true", help="list the fields")
    parser.add_argument("--markdown", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args(arguments)
    if options.markdown:
        PAGE.write_text(everything(), encoding="utf-8")
        return 0
    if options.fields:
        print("\n".join(NAMES))
        return 0
    chosen = [one for one in names() if not options.clients or one.startswith(tuple(options.clients))]
    results = {name: judged(name) for name in chosen}
    for name, verdicts in results.items():
        print(f"\n{name}: {load(name).title}")
        for field, counts in outcomes(verdicts).items():
            print(f"  {field:14}  " + " ".join(f"{key} {counts[key]}" for key in MARKS if counts[key]))
        if options.wrong or options.why:
            shown = {ABSENT, OTHER, WRONG} if options.why else {WRONG}
            print(*explain((one for one in verdicts if one.outcome in shown), all_cases=options.why), sep="\n")
        if options.draft:
            print(*draft(verdicts), sep="\n")
    wrong = sum(one.outcome == WRONG for verdicts in results.values() for one in verdicts)
    print(f"\n{wrong} wrong of {sum(map(len, results.values()))}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
