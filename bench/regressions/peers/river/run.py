"""The package river on streams: ADWIN and PageHinkley with their defaults, on hourly means and on each request.

    run.py FOLDER

Each .npz of the folder is one signal of one stream (see bench/regressions/numeric_peers.py); the answer is JSON. The
detectors see all weeks in order; what they say in the first four does not count.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from river import drift

DETECTORS = {"ADWIN": drift.ADWIN, "PageHinkley": drift.PageHinkley}


def alarms(make: Callable, hours: np.ndarray, values: np.ndarray, begin: float) -> list[float]:
    """Hours at which a detector said that there was a change."""
    detector, found = make(), []
    for hour, value in zip(hours.tolist(), values.tolist(), strict=True):
        detector.update(value)
        if detector.drift_detected and hour > begin:
            found.append(hour)
    return found


def means(hours: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The end and the mean of every hour that has values."""
    at = hours.astype(np.int64)
    n, total = np.bincount(at), np.bincount(at, values)
    there = n > 0
    return np.nonzero(there)[0] + 1.0, total[there] / n[there]


def main() -> None:
    """Judge every stream."""
    started = time.perf_counter()
    found = {f"river {name}, {of}": {} for name in DETECTORS for of in ("hourly means", "each request")}
    for path in sorted(Path(sys.argv[1]).glob("*.npz")):
        file = dict(np.load(path))
        hours, begin = file["hours"], float(file["begin_h"])
        cases = [case for case in file if case not in ("hours", "begin_h", "start_h")]
        for name, make in DETECTORS.items():
            found[f"river {name}, hourly means"][path.stem] = {
                case: alarms(make, *means(hours, file[case]), begin) for case in cases
            }
            found[f"river {name}, each request"][path.stem] = {
                case: alarms(make, hours, file[case], begin) for case in cases
            }
    json.dump({"rules": found, "seconds": time.perf_counter() - started}, sys.stdout)


main()
