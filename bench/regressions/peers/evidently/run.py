"""The package evidently on streams: ValueDrift of a numerical column with its default method and threshold.

    run.py FOLDER

Each .npz of the folder is one signal of one stream (see bench/regressions/numeric_peers.py); the answer is JSON. The
reference is all of the first weeks, the current data one hour or one day. Every chunk is judged by the package's own
choice of a test and by that test; the first chunk of each stream also goes through a whole Report, and both must agree:
a Report for every chunk would spend its time on pictures.

An alarm counts as the same for 24 hours, so the chunks of those hours need no judgement. requirements.txt has pandas
before 3: this version cannot be imported with a later one, and does not declare it.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.legacy.calculations.stattests import get_stattest
from evidently.legacy.core import ColumnType
from evidently.metrics import ValueDrift

HOLD_H = 24.0
WITHIN_H = 168.0
CHUNKS = {"hourly": 1, "daily": 24}


def drift(reference: pd.Series, current: pd.Series) -> tuple[float, bool]:
    """The score of the default test, and whether it is drift."""
    test = get_stattest(reference, current, ColumnType.Numerical, None)
    found = test(reference, current, ColumnType.Numerical, None)
    return float(found.drift_score), bool(found.drifted)


def reported(reference: pd.Series, current: pd.Series) -> tuple[float, bool]:
    """The same from a Report."""
    definition = DataDefinition(numerical_columns=["value"])
    sets = (Dataset.from_pandas(one.to_frame("value"), data_definition=definition) for one in (current, reference))
    found = Report([ValueDrift(column="value")], include_tests=True).run(*sets).dict()
    return float(found["metrics"][0]["value"]), found["tests"][0]["status"].value == "FAIL"


class Walk:
    """Chunks of one stream against its reference.

    Args:
        file: members hours, begin_h and values by case.
        size: hours of a chunk.
    """

    def __init__(self, file: dict, size: int) -> None:
        self.size, self.begin, self.hours = size, float(file["begin_h"]), file["hours"]
        self.reference = pd.Series(file["nothing"][self.hours < self.begin])
        self.last = self.begin + np.ceil((self.hours[-1] - self.begin) / size) * size

    def alarms(self, values: np.ndarray, after: float, until: float) -> Iterator[float]:
        """Ends of chunks with drift, later than `after`; those less than a day after another are left out."""
        end = self.begin + (np.floor((after - self.begin) / self.size) + 1) * self.size
        while end <= min(until, self.last):
            current = self.current(values, end)
            if current.size and drift(self.reference, current)[1]:
                yield float(end)
                end += HOLD_H
            else:
                end += self.size

    def current(self, values: np.ndarray, end: float) -> pd.Series:
        """Values of the chunk that ends there."""
        first, past = np.searchsorted(self.hours, [end - self.size, end])
        return pd.Series(values[first:past])

    def agree(self, values: np.ndarray) -> None:
        """Compare the first chunk with a Report."""
        current = self.current(values, self.begin + self.size)
        if current.size and not np.allclose(drift(self.reference, current), reported(self.reference, current)):
            raise RuntimeError("evidently's test and its Report differ")


def judge(file: dict, size: int) -> dict[str, list[float]]:
    """Alarms by case: of the quiet stream all, of the others the first after their start."""
    walk, start = Walk(file, size), float(file["start_h"])
    walk.agree(file["nothing"])
    quiet = list(walk.alarms(file["nothing"], walk.begin, walk.last))
    found = {"nothing": quiet}
    held = max((hour + HOLD_H - size for hour in quiet if hour <= start), default=start)
    for case in file:
        if case not in ("hours", "begin_h", "start_h", "nothing"):
            first = next(walk.alarms(file[case], max(start, held), start + WITHIN_H), None)
            found[case] = [] if first is None else [first]
    return found


def main() -> None:
    """Judge every stream."""
    started = time.perf_counter()
    rules = {name: {} for name in CHUNKS}
    with redirect_stdout(sys.stderr):
        for path in sorted(Path(sys.argv[1]).glob("*.npz")):
            file = dict(np.load(path))
            for name, size in CHUNKS.items():
                rules[name][path.stem] = judge(file, size)
    found = {f"evidently ValueDrift, {name}": its for name, its in rules.items()}
    json.dump({"rules": found, "seconds": time.perf_counter() - started}, sys.stdout)


main()
