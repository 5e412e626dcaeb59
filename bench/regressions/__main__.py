"""How well regressions are found: prints one JSON line with all figures, or tables for the docs.

    python -m bench.regressions --data DIR
    python -m bench.regressions --only numeric,speed --quick
    python -m bench.regressions --only numeric --markdown

Parts: numeric (false alarms and delays on simulated traffic), peers (packages of others on the same traffic, each
installed into an environment of its own; they run with numeric too), text (drift of texts), attribution (what moved a
number), grouping (of failure messages), speed (statistics of an evaluation round). DIR has the public data that text,
attribution and grouping need; docs/benchmarks.md names them and says how to get them.
"""

import argparse
import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any, Final

from bench.regressions.cause_tables import attribution_tables, grouping_tables, text_tables
from bench.regressions.tables import generic, numeric_tables, peers_tables

PARTS: Final = ("numeric", "peers", "text", "attribution", "grouping", "speed")
NEED_DATA: Final = frozenset({"text", "attribution", "grouping"})
MODULES: Final = {"peers": "numeric_peers"}
"""Of parts that are not named as theirs."""
TABLES: Final = {
    "numeric": numeric_tables,
    "peers": peers_tables,
    "text": text_tables,
    "attribution": attribution_tables,
    "grouping": grouping_tables,
}
"""Of parts that are not printed figure by figure."""


def figures(part: str, data: Path | None, seed: int, quick: bool) -> dict[str, Any]:
    """One part's.

    Args:
        part: of `PARTS`.
        data: folder of the public data sets.
        seed: of what is drawn.
        quick: smaller.
    """
    measure = importlib.import_module(f"bench.regressions.{MODULES.get(part, part)}").measure
    if part in ("numeric", "peers"):
        found = measure(seed, quick)
    elif part == "speed":
        found = measure()
    elif part == "grouping":
        found = measure(data)
    else:
        found = measure(data, seed, quick)
    return dict(found)


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the public data sets")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts, with commas between them ({','.join(PARTS)})")
    parser.add_argument("--quick", action="store_true", help="smaller: for a look, not for a report")
    parser.add_argument("--seed", type=int, default=2, help="of all that is drawn (default 2)")
    parser.add_argument("--markdown", action="store_true", help="tables instead of JSON")
    options = parser.parse_args()
    # Packages of peers belong beside the detector: whoever asks for numeric gets them on the same traffic.
    parts = list(dict.fromkeys(options.only.replace("numeric", "numeric,peers").split(",")))
    if unknown := [part for part in parts if part not in PARTS]:
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if options.data is None and (without := [part for part in parts if part in NEED_DATA]):
        parser.error(f"{', '.join(without)}: give the folder of the public data with --data")
    found = {}
    for part in parts:
        print(f"{part} ...", file=sys.stderr)
        found[part] = figures(part, options.data, options.seed, options.quick)
    if not options.markdown:
        print(json.dumps({"bench": "regressions", "seed": options.seed, "quick": options.quick, **found}))
        return
    for part in parts:
        print(f"### {part}\n")
        print(TABLES.get(part, generic)(found[part]))


if __name__ == "__main__":
    # One thread: the figures of speed are those of one processor, and small matrices gain nothing from more.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    main()
