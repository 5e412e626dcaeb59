"""The package nannyml on streams, with its defaults: univariate drift and the mean, by the hour and by the day.

    run.py FOLDER

Each .npz of the folder is one signal of one stream (see bench/regressions/numeric_peers.py); the answer is JSON.
Univariate drift of a continuous column is by default the Jensen-Shannon distance with a threshold of three standard
deviations over the reference's chunks; SummaryStatsAvgCalculator has the same threshold on both sides of the mean.

requirements.txt has what this version needs and does not declare: statsmodels, which it imports, and pandas before 3.
"""

import json
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path

import nannyml
import numpy as np
import pandas as pd

EPOCH = pd.Timestamp("2026-01-05")
AFTER_H = 216.0
"""After its start a regression is judged for so long: a week, and the longest time an earlier alarm can hide it."""
CALCULATORS = {
    "nannyml drift (Jensen-Shannon)": nannyml.UnivariateDriftCalculator,
    "nannyml mean (3 sd)": nannyml.SummaryStatsAvgCalculator,
}
CHUNKS = {"hourly": "h", "daily": "D"}


def table(hours: np.ndarray, values: np.ndarray) -> pd.DataFrame:
    """Values with their times."""
    return pd.DataFrame({"time": EPOCH + pd.to_timedelta(hours, unit="h"), "value": values})


def alarms(calculator, hours: np.ndarray, values: np.ndarray) -> list[float]:
    """Ends of the chunks with an alert."""
    found = calculator.calculate(table(hours, values)).filter(period="analysis").to_df()
    alert = next(column for column in found.columns if column[0] == "value" and column[-1] == "alert")
    ends = next(column for column in found.columns if column[-1] == "end_date")
    fired = found.loc[found[alert].astype(bool), ends]
    return [float(round((end - EPOCH) / pd.Timedelta(hours=1))) for end in fired]


def judge(file: dict, kind: type, period: str) -> dict[str, list[float]]:
    """Alarms by case; of all but the quiet stream from the day of the start."""
    hours, start = file["hours"], float(file["start_h"])
    early = hours < float(file["begin_h"])
    calculator = kind(column_names=["value"], timestamp_column_name="time", chunk_period=period)
    calculator.fit(table(hours[early], file["nothing"][early]))
    near = ~early & (hours >= start // 24 * 24) & (hours < start + AFTER_H)
    return {
        case: alarms(calculator, hours[rows], file[case][rows])
        for case in file
        if case not in ("hours", "begin_h", "start_h")
        for rows in (~early if case == "nothing" else near,)
    }


def main() -> None:
    """Judge every stream."""
    started = time.perf_counter()
    found = {f"{rule}, {name}": {} for rule in CALCULATORS for name in CHUNKS}
    with redirect_stdout(sys.stderr):
        for path in sorted(Path(sys.argv[1]).glob("*.npz")):
            file = dict(np.load(path))
            for rule, kind in CALCULATORS.items():
                for name, period in CHUNKS.items():
                    found[f"{rule}, {name}"][path.stem] = judge(file, kind, period)
    json.dump({"rules": found, "seconds": time.perf_counter() - started}, sys.stdout)


main()
