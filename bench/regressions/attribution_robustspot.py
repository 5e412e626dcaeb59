"""Real incidents with their causes: the data of RobustSpot, as kept in the repository shaido987/riskloc.

Each incident is a table of a video service: per minute and combination of cdn, bitrate, p2p, device and isp, how many
requests there were (`cnt`) and how many of them went badly (`value`). The file `anomaly.yaml` has the minute of each
incident and its cause: values of one to three dimensions, or several such. As there, the four minutes before the
incident are the reference.
"""

import ast
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from spanwise_collector.attribution.leaves import Leaves, Moments
from spanwise_collector.attribution.model import Slice

REFERENCE_MINUTES: Final = 4
_MEASURES: Final = ("min", "value", "cnt")


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident.

    Attributes:
        name: of its file.
        leaves: the reference and the minute of the incident.
        causes: any of these is a right answer.
    """

    name: str
    leaves: Leaves
    causes: frozenset[Slice]


def incidents(folder: Path) -> Iterator[Incident]:
    """All incidents of a folder.

    Raises:
        FileNotFoundError: `anomaly.yaml`, or a file that it names, is not there.
    """
    for entry in _entries((folder / "anomaly.yaml").read_text(encoding="utf-8")):
        leaves = _leaves(folder / f"{entry['data']}.csv", int(entry["timestamp"]))
        found = ast.literal_eval(entry["cause"])
        causes = found if isinstance(found, list) else [found]
        yield Incident(entry["data"], leaves, frozenset(_slice(leaves, cause) for cause in causes))


def _entries(text: str) -> Iterator[dict[str, str]]:
    """The file is YAML of one form only: a list of flat mappings, a line each."""
    entry: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("- ") and entry:
            yield entry
            entry = {}
        key, _, value = line.removeprefix("- ").strip().partition(":")
        if value:
            entry[key] = value.strip()
    if entry:
        yield entry


def _slice(leaves: Leaves, cause: dict[str, object]) -> Slice:
    """A cause with its dimensions in the order of the leaves."""
    named = {name: str(value) for name, value in cause.items()}
    return Slice(tuple((name, named[name]) for name in leaves.dimensions if name in named))


def _leaves(path: Path, minute: int) -> Leaves:
    with path.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    dimensions = [name for name in table[0] if name not in _MEASURES]
    first = minute - REFERENCE_MINUTES * 60
    rows = [row for row in table if first <= int(float(row["min"])) <= minute]
    now = np.array([int(float(row["min"])) == minute for row in rows])
    n, bad = (np.array([float(row[name]) for row in rows]) for name in ("cnt", "value"))
    sides = [Moments(*(np.where(side, part, 0.0) for part in (n, bad, bad))) for side in (~now, now)]
    return Leaves.of([(name, [row[name] for row in rows]) for name in dimensions], sides[0], sides[1])
