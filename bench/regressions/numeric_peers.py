"""Packages of peers on streams of `numeric`, and the detector on the same ones.

evidently, nannyml and river run as they are installed, with their defaults, each in an environment of its own
(peers/<name>). They get raw values: latencies in seconds, and errors as 0 and 1. Their alarms count in both directions,
and one within a day of another counts as the same: the detector has the same hold.
"""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from bench.regressions.fixed_rules import HOLD_H
from bench.regressions.numeric import WEEKS, WITHIN_H
from bench.regressions.series import judge, sums
from bench.regressions.streams import BASELINE_DAYS, CASES, DAYS, begins, injected, known, plan, steps
from bench.traffic import Columns, columns, draw
from spanwise_collector.stats.arrays import Floats
from spanwise_collector.stats.watch import Sums
from tests.golden.clients.environments import InstallError, environment

PEERS: Final = Path(__file__).with_name("peers")
PACKAGES: Final = ("evidently", "nannyml", "river")
STREAMS: Final = {2_000: 8, 20_000: 3}
"""By requests a day."""
QUICK_STREAMS: Final = {2_000: 1}
NOTHING: Final = "nothing"
"""The name of a stream without regression among those of cases."""
COMPARED: Final = tuple(case for case in CASES if case.name in ("errors x4", "latency +30 %", "latency x4 in 5 %"))
WATCHED: Final = ("latency", "slow_share", "error_rate")
"""Series of the detector; packages see the first two as one signal."""
TIMEOUT_S: Final = 1_800
ENVIRONMENT: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "DO_NOT_TRACK": "1",
    "NML_DISABLE_USAGE_LOGGING": "1",
}
"""One thread, and no reports of use to the packages' makers."""

Alarms = Mapping[str, Mapping[str, Sequence[float]]]
"""Hours from the start of a stream, by name of the stream and of the case."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One signal of one stream, and the cases that change it.

    Attributes:
        per_day: requests.
        number: of the stream at this volume.
        signal: latency, slow_share or error_rate.
        start_h: when the regressions begin.
    """

    per_day: int
    number: int
    signal: str
    start_h: float

    @property
    def name(self) -> str:
        """Of its file, and among alarms."""
        return f"{self.per_day}-{self.number}-{self.signal}"


def onsets(fired: Sequence[float]) -> list[float]:
    """Hours at which alarms began: one within `HOLD_H` of another's beginning is the same."""
    found: list[float] = []
    for hour in sorted(fired):
        if not found or hour - found[-1] >= HOLD_H:
            found.append(hour)
    return found


def delay(quiet: Sequence[float], changed: Sequence[float], start_h: float) -> float:
    """Hours from the start of a regression to the first alarm that begins after it; infinite if not within `WITHIN_H`.

    Args:
        quiet: alarms on the stream without the regression: until its start they are those of the changed one.
        changed: alarms on the stream with it; those before the start do not count.
        start_h: when it begins.
    """
    fired = [hour for hour in quiet if hour <= start_h] + [hour for hour in changed if hour > start_h]
    found = min((hour - start_h for hour in onsets(fired) if hour > start_h), default=np.inf)
    return found if found <= WITHIN_H else np.inf


def figures(streams: Sequence[Stream], alarms: Alarms) -> dict[str, Any]:
    """False alarms per series-week by signal, and for each case the median delay and the share found in a week.

    Args:
        streams: all of one volume.
        alarms: for each of them, by case; `NOTHING` for none.
    """
    false: dict[str, list[int]] = {}
    delays: dict[str, list[float]] = {}
    for stream in streams:
        its = alarms[stream.name]
        false.setdefault(stream.signal, []).append(len(onsets(its[NOTHING])))
        for case in its:
            if case != NOTHING:
                delays.setdefault(case, []).append(delay(its[NOTHING], its[case], stream.start_h))
    medians = {case: float(np.median(found)) for case, found in delays.items()}
    return {
        "per_series_week": {signal: round(sum(n) / (len(n) * WEEKS), 3) for signal, n in false.items()},
        "cases": {
            case: {
                "median_h": round(medians[case], 1) if np.isfinite(medians[case]) else None,
                "found_in_7_days": round(float(np.isfinite(found).mean()), 3),
            }
            for case, found in sorted(delays.items())
        },
    }


def measure(seed: int = 1, quick: bool = False) -> dict[str, Any]:
    """Figures of every package and of the detector by volume; a package that could not be run has an error instead.

    Args:
        seed: of the streams, as in `numeric.measure`: these are the first of that.
        quick: fewer streams.
    """
    counts = QUICK_STREAMS if quick else STREAMS
    volumes: dict[str, dict[str, Any]] = {}
    packages: dict[str, dict[str, Any]] = {}
    with TemporaryDirectory() as folder:
        files = {per_day: _write(Path(folder), seed, per_day, count) for per_day, count in counts.items()}
        for per_day, count in counts.items():
            volumes[str(per_day)] = {"streams": count, **_detector(seed, per_day, count), "packages": {}}
        for package in PACKAGES:
            try:
                version, answer = _run(package, Path(folder))
            except (InstallError, RuntimeError, subprocess.SubprocessError) as error:
                packages[package] = {"error": f"could not be run: {error}"}
                continue
            packages[package] = {"version": version, "seconds": round(answer["seconds"], 1)}
            for rule, alarms in answer["rules"].items():
                for per_day, streams in files.items():
                    volumes[str(per_day)]["packages"][rule] = figures(streams, alarms)
    return {"packages": packages, "volumes": volumes}


def _write(folder: Path, seed: int, per_day: int, count: int) -> list[Stream]:
    """Two files for each stream: of its latencies, and of its errors."""
    written = []
    for number in range(count):
        draws = draw(plan(seed, number, per_day))
        start = begins(seed, number)
        made = {NOTHING: columns(draws)} | {case.name: columns(draws, [injected(case, start)]) for case in COMPARED}
        for signal in ("latency", "error_rate"):
            stream = Stream(per_day, number, signal, start)
            cases = [case.name for case in COMPARED if (case.signal == "error_rate") == (signal == "error_rate")]
            members: dict[str, Any] = {name: _values(signal, made[name]) for name in (NOTHING, *cases)}
            hours = made[NOTHING].hours
            np.savez(folder / stream.name, hours=hours, begin_h=BASELINE_DAYS * 24.0, start_h=start, **members)
            written.append(stream)
    return written


def _values(signal: str, made: Columns) -> Floats:
    return made.latency_ms / 1_000 if signal == "latency" else made.error.astype(np.float64)


def _detector(seed: int, per_day: int, count: int) -> dict[str, Any]:
    """The detector's figures on the same streams."""
    plans = [plan(seed, number, per_day) for number in range(count)]
    time, seen = steps(plans[0]), np.stack([known(one) for one in plans])
    starts = [begins(seed, number) for number in range(count)]
    totals: dict[tuple[str, str], list[list[Sums]]] = {(name, NOTHING): [] for name in WATCHED}
    totals |= {(case.signal, case.name): [] for case in COMPARED}
    for one, start in zip(plans, starts, strict=True):
        draws = draw(one)
        quiet = columns(draws)
        for name in WATCHED:
            totals[name, NOTHING].append(sums(name, quiet, DAYS, time))
        for case in COMPARED:
            bad = columns(draws, [injected(case, start)])
            totals[case.signal, case.name].append(sums(case.signal, bad, DAYS, time))
    streams = [Stream(per_day, number, name, starts[number]) for name in WATCHED for number in range(count)]
    alarms: dict[str, dict[str, list[float]]] = {stream.name: {} for stream in streams}
    for (name, case_name), made in totals.items():
        for number, hours in enumerate(judge(name, made, time, seen).hours):
            alarms[f"{per_day}-{number}-{name}"][case_name] = hours
    return figures(streams, alarms)


def _run(package: str, folder: Path) -> tuple[str, dict[str, Any]]:
    """A package's version and its answer.

    Raises:
        InstallError: when it cannot be installed.
        RuntimeError: when it fails.
    """
    command, versions = environment(PEERS / package)
    done = subprocess.run(
        [*command, str(folder)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        env=os.environ | ENVIRONMENT,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2_000:])
    return versions[package], json.loads(done.stdout)
