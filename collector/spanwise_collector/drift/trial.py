"""One subject on one day: what was usual, how much the day speaks against it, since when, and by how much."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Final

import numpy as np

from spanwise_collector.alerts.evaluate.bands import usual_band
from spanwise_collector.alerts.evaluate.base import DAY_S, HOUR_S
from spanwise_collector.alerts.evaluate.fitting import Subject
from spanwise_collector.alerts.evaluate.members import busiest
from spanwise_collector.alerts.signals import Block
from spanwise_collector.stats import detector as detectors
from spanwise_collector.stats.arrays import Floats
from spanwise_collector.stats.baseline import Baseline
from spanwise_collector.stats.detector import NORMAL_95, Course, Detector
from spanwise_collector.stats.eprocess import mixture
from spanwise_collector.stats.seasons import Steps
from spanwise_collector.stats.state import State
from spanwise_collector.stats.watch import Sums
from spanwise_schemas.api_alerts import Band

BASELINE_DAYS: Final = 28
LOOK_BACK_DAYS: Final = 7
"""The beginning of a change is looked for so far back; the weeks before these are what is usual."""
MIN_DAYS: Final = 7.0
MIN_EVENTS: Final = 100.0
MIN_COUNTED: Final = 5.0
"""Events in the day; for rates also so many of what is counted, seen or expected."""
NEVER: Final = 1e300


@dataclass(frozen=True, slots=True)
class Onset:
    """The beginning and the size of a change.

    Attributes:
        began: when it most likely began, seconds since the epoch.
        effect: since then: of means in their unit, else the logarithm of a factor.
        low: lower end of its 95 % interval.
        high: upper end.
    """

    began: int
    effect: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Trial:
    """One series of a subject.

    Attributes:
        subject: what was tested.
        names: dimension to value.
        verdict: `tested`, `too_few` or `too_new`.
        log_e: logarithm of the e-value of the day.
        value: of the day, in the signal's unit; of counts and sums an hour's.
        usual: what was expected of the same hours.
        n: events of the day.
        n_before: events behind what is usual.
        days: of history behind it.
        onset: tells when the change began and how large it is, where anybody wants to know.
        band: draws the last days beside what is usual.
        is_large: the day differs by enough to matter.
    """

    subject: Subject
    names: Mapping[str, str]
    verdict: str
    log_e: float
    value: float
    usual: float
    n: float
    n_before: float
    days: float
    onset: Callable[[], Onset]
    band: Callable[[], Band | None] = lambda: None
    is_large: bool = False

    @property
    def relative(self) -> bool:
        """Whether the effect is a factor."""
        return self.subject.measure.form != "mean"


def window_of(day_start: int) -> tuple[int, int]:
    """What has to be read to try a day, seconds since the epoch."""
    return day_start - (BASELINE_DAYS + LOOK_BACK_DAYS) * DAY_S, day_start + DAY_S


def tried(subject: Subject, block: Block, day_start: int) -> list[Trial]:
    """Every series of a subject on a day.

    Args:
        subject: what to test.
        block: its hours over `window_of` the day.
        day_start: midnight UTC, seconds since the epoch.
    """
    column = "n" if subject.signal.form == "shares" else subject.measure.n
    if not block.keys:
        return []
    members = busiest(block, block.arrays[column].sum(1), subject.most) if block.by else [()]
    if not members:
        return []
    placed = subject.placed(block, members, rest=False)
    sums = subject.sums(placed)
    first_hour = block.start // HOUR_S
    past = (day_start - LOOK_BACK_DAYS * DAY_S) // HOUR_S - first_hour
    today = day_start // HOUR_S - first_hour
    steps = Steps(first_hour, block.count, HOUR_S)
    known = np.cumsum(sums.n > 0, axis=1) > 0
    # A project that is younger than the look-back has its own first days to be compared with.
    young = known[:, :past].sum(1) * steps.hours < MIN_DAYS * 24
    until = today if bool(young.all()) else past
    baseline = subject.watch.fit(sums[:until], steps[:until], known[:, :until])
    tested = subject.watch.tested(baseline)
    now = slice(today, today + 24)
    residuals = subject.watch.residuals(sums[now], baseline, steps[now], tested)
    log_e = mixture(residuals, tested)[:, -1]
    begin = slice(until, today + 24) if until < today else now

    @cache
    def course() -> Course:
        read = subject.watch.residuals(sums[begin], baseline, steps[begin], tested)
        state = State.new(len(placed.keys), tested.shape[1])
        return detectors.run(state, read, tested, steps[begin].first, Detector(threshold=NEVER, step_hours=1.0))[1]

    def onset(row: int) -> Onset:
        began = int(course().start[row, -1])
        since = slice(max(min(began - first_hour, today + 23), today), today + 24)
        effect, error = _effect(subject, sums[since], baseline, baseline.expected(steps[since]), row)
        return Onset(began * HOUR_S, effect, effect - NORMAL_95 * error, effect + NORMAL_95 * error)

    expected = baseline.expected(steps[now])
    names = subject.names(placed)
    found = []
    for row in range(len(names)):
        value, usual = subject.since(sums[now], expected, row)
        trial = Trial(
            subject,
            names[row],
            _verdict(subject, sums[now], row, usual, float(baseline.days[row])),
            float(log_e[row]),
            value,
            usual,
            float(sums.n[row, now].sum()),
            float(sums.n[row, :until].sum()),
            float(baseline.days[row]),
            onset=partial(onset, row),
            band=partial(_band, subject, sums, baseline, row, steps, past, today),
        )
        found.append(replace(trial, is_large=_is_large(trial)))
    return found


def _verdict(subject: Subject, sums: Sums, row: int, usual: float, days: float) -> str:
    if days < MIN_DAYS:
        return "too_new"
    n = float(sums.n[row].sum())
    if subject.measure.form in ("count", "sum"):
        return "tested"
    if n < MIN_EVENTS:
        return "too_few"
    if subject.measure.form == "rate" and max(float(sums.total[row].sum()), n * usual) < MIN_COUNTED:
        return "too_few"
    return "tested"


def _effect(subject: Subject, sums: Sums, baseline: Baseline, expected: Floats, row: int) -> tuple[float, float]:
    """How far the hours since the change are from what is usual, and the standard error of that.

    The error has a part for the requests seen, and one for the level that wanders by itself, whose hours resemble each
    other: the variance of a mean of a first-order autoregression.
    """
    value, usual = subject.since(sums, expected, row)
    n, hours = float(sums.n[row].sum()), int((sums.n[row] > 0).sum())
    if subject.measure.form == "mean":
        effect = value - usual
    else:
        effect = math.log(value / usual) if value > 0 and usual > 0 else math.nan
    if subject.measure.form == "rate":
        sampling = max(1.0 - usual, 0.0) / max(n * usual, 1e-9)
    elif subject.measure.form == "count":
        sampling = 1.0 / max(usual * max(hours, 1), 1e-9)
    else:
        sampling = float(baseline.within[row]) / max(n, 1.0)
    phi = min(float(baseline.phi[row]), 0.95)
    wandering = float(baseline.tau2[row]) * (1 + phi) / (1 - phi) / max(hours, 1)
    return effect, math.sqrt(sampling + wandering)


def _is_large(trial: Trial) -> bool:
    """Whether the day's difference reaches the signal's smallest that counts."""
    signal = trial.subject.signal
    off = abs(trial.value - trial.usual)
    return bool(np.isfinite(off)) and off >= signal.min_absolute and off >= signal.min_relative * abs(trial.usual)


def _band(subject: Subject, sums: Sums, baseline: Baseline, row: int, steps: Steps, first: int, today: int) -> Band:
    shown = slice(max(first, 0), today + 24)
    return usual_band(subject.measure, sums[shown], row, baseline, row, steps[shown])
