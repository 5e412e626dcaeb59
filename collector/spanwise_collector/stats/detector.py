"""The anomaly detector: a Shiryaev-Roberts mixture e-detector with a false-alarm budget.

The residual z of a step (see `residuals`) is a slowly varying level plus sampling noise. A Kalman filter predicts it,
and the prediction errors are independent while nothing changes. A step change of a given size that begins at step t
would add a known course to them: all of it at first, less as the filter takes the change for its level. L is the
likelihood ratio of a prediction error with that course to one without: Gaussian for means, negative binomial for rates
and counts. For each size the sum over all possible beginnings is kept,

    R <- R L(running) + L(beginning now),

where a running change is taken to run since the most likely beginning (which is known before the step is). The mean of
R over the sizes minus the number of steps is a martingale, so a first alarm at mean(R) >= A comes after A steps or more
on average, however often one looks (Shin, Ramdas and Rinaldo, E-detectors, 2023). That holds for a baseline that is
known; with one that is estimated from four weeks, bench/regressions measures about two thirds of the budget. Every L is
raised to the power 1 / inflation^2, for who wants to be more careful.

Going on from a stored state gives what one run over all of history gives: `run` is the only way forward.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final, Literal, Self

import numpy as np

from spanwise_collector.stats.arrays import Bools, Floats, Ints
from spanwise_collector.stats.likelihood import likelihood
from spanwise_collector.stats.residuals import Residuals
from spanwise_collector.stats.state import State

Direction = Literal["up", "down", "both"]

MULTIPLES: Final = (1.0, 1.6, 2.5, 4.0, 6.5)
"""Sizes tested for, as multiples of the smallest change worth an alarm."""
NORMAL_95: Final = 1.959964
SELECTION: Final = 1.45
"""Alarms come when chance helps, with a beginning that suits: so much wider, intervals cover in 95 % of the alarms."""
TINY: Final = 1e-300
LOWEST: Final = -700.0


@dataclass(frozen=True, slots=True)
class Detector:
    """Settings, the same for every series of a run.

    Attributes:
        threshold: A, in steps; see `threshold`.
        step_hours: length of a step.
        inflation: of the noise's standard deviation.
        hold_hours: after an alarm, none for so long.
        min_support: events since the estimated beginning that an alarm needs; see `Residuals.support`.
        lasting_days: an alarm whose change lasts is ended by chance after so many days or more on average.
    """

    threshold: float
    step_hours: float
    inflation: float = 1.0
    hold_hours: float = 24.0
    min_support: float = 5.0
    lasting_days: float = 60.0


@dataclass(frozen=True, slots=True)
class Course:
    """What a run found, all [series, time].

    Attributes:
        fired: an alarm begins at this step.
        firing: an alarm is on after this step.
        log_evidence: ln of mean(R): an alarm needs ln A.
        start: number of the step at which the change has most likely begun.
        effect: estimated size of the change, on the scale of the sizes.
        low: lower end of its 95 % interval.
        high: upper end.
    """

    fired: Bools
    firing: Bools
    log_evidence: Floats
    start: Ints
    effect: Floats
    low: Floats
    high: Floats

    @classmethod
    def joined(cls, courses: Sequence[Self]) -> Self:
        """Of runs that follow each other."""
        return cls(*(np.concatenate([getattr(one, field.name) for one in courses], 1) for field in fields(cls)))


def threshold(budget_days: float, step_hours: float, series: int) -> float:
    """A for at most one false alarm in `budget_days` days among `series` series that are watched together."""
    return budget_days * 24.0 / step_hours * series


def sizes(smallest: Floats, direction: Direction) -> Floats:
    """Changes to test for, [series, sizes].

    Args:
        smallest: change that is worth an alarm, above 0, [series].
        direction: "up" for what must not grow, "down" for what must not fall.
    """
    grid: Floats = np.atleast_1d(smallest)[:, None] * np.array(MULTIPLES)
    return {"up": grid, "down": -grid, "both": np.concatenate([grid, -grid], 1)}[direction]


def run(state: State, residuals: Residuals, tested: Floats, first: int, detector: Detector) -> tuple[State, Course]:
    """Goes on from `state` over every step of `residuals`.

    Args:
        state: from `State.new` or an earlier run; is not changed.
        residuals: of the next steps.
        tested: as from `sizes`, what `residuals.shift` was made with.
        first: number of the first step.
        detector: the settings.
    """
    state = state.copy()
    shape = residuals.z.shape
    course = Course(
        np.zeros(shape, dtype=np.bool_),
        np.zeros(shape, dtype=np.bool_),
        np.zeros(shape),
        np.zeros(shape, dtype=np.int64),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(shape),
    )
    for t in range(shape[1]):
        _step(state, residuals, t, tested, first + t, detector, course)
    return state, course


def _step(
    state: State, residuals: Residuals, t: int, tested: Floats, now: int, detector: Detector, course: Course
) -> None:
    seen = residuals.seen[:, t]
    armed = ~state.firing & ((state.fired_at < 0) | (now - state.fired_at >= detector.hold_hours / detector.step_hours))
    fresh = state.gain <= 0
    state.start = np.where(fresh, now, state.start)
    for sums in (state.bend, state.moved, state.weight, state.support):
        sums[fresh] = 0.0

    step = likelihood(state.level, state.variance, state.bend, residuals, t, tested)
    state.level, state.variance, state.bend = step.level, step.spread, step.bend
    counts = (seen & armed)[:, None]
    temper = np.where(counts, 1.0 / detector.inflation**2, 0.0)
    running = temper * step.running
    begins = np.where(counts, temper * step.fresh, -np.inf)
    state.log_r = np.logaddexp(state.log_r + running, begins)
    state.gain = np.maximum(state.gain, 0.0) + running
    state.moved += temper * step.moved
    state.weight += temper * step.weight
    state.support += np.where(counts, residuals.support[:, t, None], 0.0)

    best = state.log_r.argmax(1)
    rows = np.arange(best.size)
    top = np.maximum(state.log_r[rows, best], LOWEST)
    evidence = top + np.log(np.exp(state.log_r - top[:, None]).mean(1) + TINY)
    weight = np.maximum(state.weight[rows, best], TINY)
    scale = state.moved[rows, best] / weight
    size = tested[rows, best]
    effect, error = scale * size, np.abs(size) / np.sqrt(weight)
    fired = (
        armed
        & seen
        & (evidence >= np.log(detector.threshold))
        & (np.abs(effect) >= np.abs(tested).min(1))
        & (scale > 0)
        & (state.support[rows, best] >= detector.min_support)
    )
    course.fired[:, t] = fired
    course.log_evidence[:, t] = np.where(armed, evidence, -np.inf)
    course.start[:, t] = state.start[rows, best]
    course.effect[:, t] = effect
    width = NORMAL_95 * SELECTION * error
    course.low[:, t], course.high[:, t] = effect - width, effect + width
    if fired.any() or state.firing.any():
        _settle(state, fired, best, scale, residuals, t, now, detector)
    course.firing[:, t] = state.firing


def _settle(
    state: State,
    fired: Bools,
    best: Ints,
    scale: Floats,
    residuals: Residuals,
    t: int,
    now: int,
    detector: Detector,
) -> None:
    """Begins alarms, and ends those whose change has gone."""
    state.fired_at = np.where(fired, now, state.fired_at)
    state.change = np.where(fired, best, state.change)
    state.scale = np.where(fired, scale, state.scale)
    state.calm = np.where(fired, 0.0, state.calm)

    # CUSUM of "it has gone" against "it is still there", with less weight where steps repeat each other.
    expected = residuals.shift[np.arange(best.size), t, state.change] * state.scale
    carried = residuals.phi * residuals.latent[:, t]
    weight = (1.0 - carried) / (1.0 + carried) / detector.inflation**2
    on = state.firing & residuals.seen[:, t]
    gone_by = weight * expected * (expected / 2.0 - residuals.z[:, t])
    state.calm = np.where(on, np.maximum(state.calm + gone_by, 0.0), state.calm)
    gone = on & (state.calm >= np.log(detector.lasting_days * 24.0 / detector.step_hours))
    state.firing = (state.firing & ~gone) | fired
    if (fired | gone).any():
        state.forget(fired | gone)
