"""How far eval scores can be trusted, and how fast evaluators are: prints one JSON line, or tables for the docs.

    python -m bench.evals
    python -m bench.evals --only coverage --markdown

Parts: coverage (intervals on simulated labels with a known truth, beside the package ppi-python in its environment),
query (questions about 200,000 and a million scores), registry (evaluators without a model, per second and core).
"""

import argparse
import importlib
import importlib.util
import json
import os
import sys
from typing import Any, Final

from bench.evals.tables import coverage_tables, generic

PARTS: Final = ("coverage", "query", "registry")


def available() -> tuple[str, ...]:
    """Parts that this checkout has."""
    return tuple(part for part in PARTS if importlib.util.find_spec(f"bench.evals.{part}") is not None)


def figures(part: str, seed: int, quick: bool) -> dict[str, Any]:
    """One part's.

    Args:
        part: of `available()`.
        seed: of what is drawn.
        quick: smaller.
    """
    measure = importlib.import_module(f"bench.evals.{part}").measure
    return dict(measure() if part == "registry" else measure(seed, quick))


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", help=f"parts, with commas between them ({','.join(available())}); default: all")
    parser.add_argument("--quick", action="store_true", help="smaller: for a look, not for a report")
    parser.add_argument("--seed", type=int, default=2, help="of all that is drawn (default 2)")
    parser.add_argument("--markdown", action="store_true", help="tables instead of JSON")
    options = parser.parse_args()
    parts = options.only.split(",") if options.only else available()
    if unknown := [part for part in parts if part not in available()]:
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(available())}")
    found = {}
    for part in parts:
        print(f"{part} ...", file=sys.stderr)
        found[part] = figures(part, options.seed, options.quick)
    if not options.markdown:
        print(json.dumps({"bench": "evals", "seed": options.seed, "quick": options.quick, **found}))
        return
    for part in parts:
        print(f"### {part}\n")
        print((coverage_tables if part == "coverage" else generic)(found[part]))


if __name__ == "__main__":
    # One thread: figures are those of one processor, and small matrices gain nothing from more.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    main()
