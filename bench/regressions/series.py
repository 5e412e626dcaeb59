"""The series of a stream, as the collector would watch them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from bench.regressions.streams import BASELINE_DAYS, STEP_H
from bench.traffic import DIMENSIONS, Columns, Grid
from spanwise_collector.stats.arrays import Bools, Floats
from spanwise_collector.stats.detector import Course, Detector, threshold
from spanwise_collector.stats.filter import levels
from spanwise_collector.stats.seasons import Steps
from spanwise_collector.stats.tail import distance, slower
from spanwise_collector.stats.watch import Sums, Watch, history

BUDGET_DAYS: Final = 90.0
"""One false alarm per series in so many days: 0.078 per series-week."""
WATCHES: Final[Mapping[str, Watch]] = {
    "latency": Watch("log_mean", "up", 0.1, 50.0),
    "slow_share": Watch("rate", "up", 0.2, 0.01),
    "input_tokens": Watch("log_mean", "up", 0.1),
    "cost_per_request": Watch("ratio", "up", 0.15),
    "error_rate": Watch("rate", "up", 0.5, 0.01),
    "refusal_rate": Watch("rate", "up", 0.5, 0.01),
    "score": Watch("mean", "down", 0.0, 0.02),
    "language_mix": Watch("rate", "both", 0.0, 0.05),
    "tool_mix": Watch("rate", "both", 0.0, 0.05),
    "requests": Watch("count", "both", 0.3),
}
MIXES: Final = {"language_mix": "language", "tool_mix": "tool"}
"""Watched as one rate per value, which share the budget of one series."""
BEGIN: Final = round(BASELINE_DAYS * 24 / STEP_H)
"""The first step that is judged."""


@dataclass(frozen=True, slots=True)
class Onsets:
    """Alarms of one signal over streams.

    Attributes:
        hours: when each began, from the start of the stream, by stream.
    """

    hours: list[list[float]]

    @property
    def count(self) -> int:
        """Of all streams."""
        return sum(map(len, self.hours))


def sums(name: str, made: Columns, days: int, time: Steps) -> list[Sums]:
    """One stream's sums of a signal; of a mix one for each value."""
    grid = Grid(made, days, STEP_H)
    n = grid.events()
    if name in MIXES:
        codes = made.codes[MIXES[name]]
        counts = (grid.events(codes == code) for code in range(len(DIMENSIONS[MIXES[name]])))
        return [Sums(n, count, count) for count in counts]
    if name == "slow_share":
        return [_slow(made, grid, time)]
    if name == "requests":
        return [Sums(n, n, n)]
    if name in ("error_rate", "refusal_rate"):
        flagged = grid.events(made.error if name == "error_rate" else made.refusal)
        return [Sums(n, flagged, flagged)]
    found = grid.sums(_values(name, made))
    return [Sums(found.n, found.total, found.squares)]


def _values(name: str, made: Columns) -> Floats:
    if name == "latency":
        return np.log(made.latency_ms)
    if name == "input_tokens":
        return np.log(made.input_tokens)
    return made.cost_usd if name == "cost_per_request" else made.score


def _slow(made: Columns, grid: Grid, time: Steps) -> Sums:
    """Requests slower than the cutoff that the first weeks gave, relative to what is typical at the step."""
    found = grid.sums(np.log(made.latency_ms))
    latency = Sums(found.n[None], found.total[None], found.squares[None])
    histograms = grid.histograms(made.latency_ms)[None]
    watch = WATCHES["latency"]
    hour = round(1 / STEP_H)
    hourly = Steps(time.first // hour, time.count // hour, time.seconds * hour)[: BEGIN // hour]
    baseline = watch.fit(latency[:BEGIN].joined(hour), hourly, np.ones((1, hourly.count), dtype=np.bool_))
    residuals = watch.residuals(latency, baseline, time, watch.tested(baseline))
    centre = baseline.expected(time) + levels(residuals, baseline)
    cut = distance(histograms[:, :BEGIN], centre[:, :BEGIN])
    return Sums(found.n, slower(histograms, centre + cut[:, None])[0], found.n)


def stacked(parts: list[Sums]) -> Sums:
    """Sums [time] of several series as [series, time]."""
    return Sums(*(np.stack([getattr(part, field.name) for part in parts]) for field in fields(Sums)))


def judge(name: str, streams: list[list[Sums]], time: Steps, seen: Bools) -> Onsets:
    """Alarms of one signal in the last two weeks.

    Args:
        name: of the signal.
        streams: sums of each stream, as from `sums`.
        time: of all of them.
        seen: False where nothing was recorded, [streams, time].
    """
    values = len(streams[0])
    detector = Detector(threshold(BUDGET_DAYS, STEP_H, values), STEP_H)
    flat = stacked([part for stream in streams for part in stream])
    course = history(WATCHES[name], detector, flat, time, np.repeat(seen, values, axis=0), BEGIN)
    return Onsets([_merged(course, range(i * values, (i + 1) * values)) for i in range(len(streams))])


def _merged(course: Course, rows: range) -> list[float]:
    """When one or more of these series began to fire while none of the others did."""
    began = np.logical_or.reduce(course.fired[rows.start : rows.stop])
    on = np.logical_or.reduce(course.firing[rows.start : rows.stop])
    fresh = began & ~np.concatenate([[False], on[:-1]])
    return [(BEGIN + int(step) + 1) * STEP_H for step in np.nonzero(fresh)[0]]
