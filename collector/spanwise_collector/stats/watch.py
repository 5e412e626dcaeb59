"""Watching series of one signal: its form decides the transform, the baseline and what a change means."""

from dataclasses import dataclass
from typing import Final, Literal, TypeVar

import numpy as np

from spanwise_collector.stats import detector as detectors
from spanwise_collector.stats.arrays import Bools, Floats
from spanwise_collector.stats.baseline import Baseline, fit_count, fit_mean
from spanwise_collector.stats.detector import Course, Detector, Direction
from spanwise_collector.stats.residuals import Residuals, count_residuals, mean_residuals
from spanwise_collector.stats.seasons import Steps
from spanwise_collector.stats.state import State
from spanwise_collector.stats.transforms import Values, log_ratio, log_sum, mean

Form = Literal["rate", "log_mean", "mean", "ratio", "count", "sum"]
"""rate: total of n. log_mean: mean logarithm. mean: of a score. ratio: total over n. count: n. sum: total."""

BASELINE_DAYS: Final = 28
LAG_DAYS: Final = 1
"""The last day is not part of what is usual: a change that was not found yet must not become usual at once."""
SMALLEST: Final = 0.25
"""Changes below this part of the slow variation's standard deviation are not tested for."""


Part = TypeVar("Part", Floats, Bools)


@dataclass(frozen=True, slots=True)
class Sums:
    """What a roll-up has of each step, [series, time].

    Attributes:
        n: events.
        total: sum over them: of what happened (rate), of logarithms (log_mean), of values; not used by count.
        squares: sum of squares; used by log_mean and mean only.
    """

    n: Floats
    total: Floats
    squares: Floats

    def __getitem__(self, when: slice) -> "Sums":
        """A stretch of time."""
        return Sums(self.n[:, when], self.total[:, when], self.squares[:, when])

    def joined(self, size: int) -> "Sums":
        """Each `size` steps as one; steps that do not fill one at the end are left out."""
        return Sums(*(_joined(part, size).sum(-1) for part in (self.n, self.total, self.squares)))


@dataclass(frozen=True, slots=True)
class Watch:
    """One signal and how its changes count.

    Attributes:
        form: how it is counted.
        direction: which way is worse.
        relative: smallest change that counts, as a share of what is usual.
        absolute: smallest change that counts, in the signal's unit; both must be reached.
    """

    form: Form
    direction: Direction
    relative: float = 0.0
    absolute: float = 0.0

    def fit(self, sums: Sums, steps: Steps, usable: Bools) -> Baseline:
        """What is usual; see `baseline.fit_mean`."""
        if self.form == "rate":
            return fit_count(sums.total, sums.n, steps, usable, "rate")
        if self.form == "count":
            return fit_count(sums.n, np.full_like(sums.n, steps.hours), steps, usable, "count")
        return fit_mean(self._values(sums), steps, usable)

    def tested(self, baseline: Baseline) -> Floats:
        """Changes to test for, on the scale of the baseline's table: [series, sizes]."""
        floor = np.maximum(SMALLEST * np.sqrt(baseline.tau2), 1e-3)
        if self.form == "mean":
            level = np.abs(baseline.table.mean((1, 2)))
            smallest = np.maximum(self.relative * level, self.absolute)
        else:
            usual = np.exp(baseline.table).mean((1, 2))
            smallest = np.log1p(np.maximum(self.relative, self.absolute / usual))
        return detectors.sizes(np.maximum(smallest, floor), self.direction)

    def residuals(self, sums: Sums, baseline: Baseline, steps: Steps, tested: Floats) -> Residuals:
        """What the detectors read of these steps."""
        if self.form == "rate":
            return count_residuals(sums.total, sums.n, baseline, steps, tested)
        if self.form == "count":
            return count_residuals(sums.n, np.full_like(sums.n, steps.hours), baseline, steps, tested)
        return mean_residuals(self._values(sums), baseline, steps, tested)

    def _values(self, sums: Sums) -> Values:
        if self.form == "ratio":
            return log_ratio(sums.total, sums.n)
        if self.form == "sum":
            return log_sum(sums.total, sums.n)
        return mean(sums.n, sums.total, sums.squares)


def history(watch: Watch, detector: Detector, sums: Sums, steps: Steps, known: Bools, begin: int) -> Course:
    """What would have been found from step index `begin` on, with a baseline that is fitted anew each day.

    Args:
        watch: the signal.
        detector: the settings.
        sums: of every step.
        steps: the times; whole hours, from a full hour on.
        known: False where nothing was recorded, [series, time].
        begin: index of the first step to judge; those before it are history only.
    """
    hour = round(1 / steps.hours)
    hourly = Steps(steps.first // hour, steps.count // hour, steps.seconds * hour, steps.utc_offset_s)
    sums_by_hour, known_by_hour = sums.joined(hour), np.asarray(_joined(known, hour).all(-1))
    begin_hour = begin // hour
    courses = []
    firing = np.zeros_like(known_by_hour)
    state: State | None = None
    for start in range(begin_hour, hourly.count, 24):
        end = min(start + 24, hourly.count)
        past = slice(max(0, start - (BASELINE_DAYS + LAG_DAYS) * 24), max(start - LAG_DAYS * 24, 1))
        usable = known_by_hour[:, past] & ~firing[:, past]
        baseline = watch.fit(sums_by_hour[past], hourly[past], usable)
        tested = watch.tested(baseline)
        now = slice(start * hour, end * hour)
        residuals = watch.residuals(sums[now], baseline, steps[now], tested).only(known[:, now])
        state = state or State.new(len(known), tested.shape[1])
        state, course = detectors.run(state, residuals, tested, steps[now].first, detector)
        firing[:, start:end] = _joined(course.firing, hour).any(-1)
        courses.append(course)
    return Course.joined(courses)


def _joined(values: Part, size: int) -> Part:
    count = values.shape[1] // size
    return values[:, : count * size].reshape(len(values), count, size)
