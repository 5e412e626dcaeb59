"""The package ppi-python on simulated labels: `ppi_mean_ci` with its defaults at 95 %.

    run.py FOLDER

Each .npz of the folder is one cell: y and f [runs, labels] of people and judge, rest [runs, others] of the judge alone,
truth. The answer is JSON: by cell how often the interval has the truth in it, and its mean width.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from ppi_py import ppi_mean_ci


def main() -> None:
    """Read the cells, write the figures."""
    answer, seconds = {}, 0.0
    for path in sorted(Path(sys.argv[1]).glob("*.npz")):
        cell = np.load(path)
        truth, covered, width = float(cell["truth"]), 0, 0.0
        started = time.perf_counter()
        for y, f, rest in zip(cell["y"], cell["f"], cell["rest"], strict=True):
            low, high = ppi_mean_ci(y.astype(float), f.astype(float), rest.astype(float), alpha=0.05)
            covered += int(low[0] <= truth <= high[0])
            width += float(high[0] - low[0])
        seconds += time.perf_counter() - started
        runs = len(cell["y"])
        answer[path.stem] = {"coverage": covered / runs, "width": width / runs}
    json.dump({"cells": answer, "seconds": seconds}, sys.stdout)


main()
