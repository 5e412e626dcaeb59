"""Signals of every form, over history."""

import numpy as np
import pytest

from spanwise_collector.stats.detector import Detector, threshold
from spanwise_collector.stats.seasons import Steps
from spanwise_collector.stats.watch import Form, Sums, Watch, history
from tests.unit.collector.stats.series import error_sums, hours, latency_sums

STEPS = hours(35)
BEGIN = 29 * 24
CHANGE = 30 * 24
DETECTOR = Detector(threshold(90, 1.0, 1), 1.0)


def _changed(form: Form, rng: np.random.Generator) -> tuple[Watch, Sums, Sums]:
    """A watch, quiet sums of 12 series, and the same with a change of half or more from `CHANGE` on."""
    later = np.arange(STEPS.count) >= CHANGE
    if form == "rate":
        return (
            Watch("rate", "up", 0.5, 0.01),
            error_sums(rng, STEPS, 12),
            _where(later, error_sums(rng, STEPS, 12, rate=0.1), error_sums(rng, STEPS, 12)),
        )
    made, other = latency_sums(rng, STEPS, 12), latency_sums(rng, STEPS, 12, level=8.0)
    lower = latency_sums(rng, STEPS, 12, level=7.0)
    if form == "log_mean":
        return Watch("log_mean", "up", 0.1, 50.0), made, _where(later, other, made)
    if form == "mean":
        return Watch("mean", "down", 0.0, 0.2), made, _where(later, lower, made)
    if form == "count":
        return Watch("count", "both", 0.3), made, _where(later, latency_sums(rng, STEPS, 12, n=30.0), made)
    dear = Sums(made.n, rng.gamma(made.n * 2.0 + 1e-9, 0.5), made.squares)
    return Watch(form, "up", 0.15), dear, Sums(dear.n, dear.total * np.where(later, 1.6, 1.0), dear.squares)


def _where(later: np.ndarray, new: Sums, old: Sums) -> Sums:
    return Sums(*(np.where(later, getattr(new, part), getattr(old, part)) for part in ("n", "total", "squares")))


@pytest.mark.parametrize("form", ["rate", "log_mean", "mean", "ratio", "count", "sum"])
def test_each_form_is_quiet_while_nothing_happens_and_finds_a_clear_change(form: Form) -> None:
    """At most one false alarm in 12 series of six days; all series, or all but that one, find the change in a day."""
    watch, quiet, changed = _changed(form, np.random.default_rng(11))
    known = np.ones(quiet.n.shape, dtype=bool)
    before = history(watch, DETECTOR, quiet, STEPS, known, BEGIN)
    after = history(watch, DETECTOR, changed, STEPS, known, BEGIN)

    assert before.fired.sum() <= 1
    assert after.fired[:, CHANGE - BEGIN : CHANGE - BEGIN + 24].any(1).sum() >= 11


def test_the_smallest_change_must_reach_both_the_relative_and_the_absolute_one() -> None:
    """Half more of two in a hundred is one in a hundred more; of one in a thousand it is not enough."""
    watch = Watch("rate", "up", 0.5, 0.01)
    rng = np.random.default_rng(12)
    found = []
    for rate in (0.02, 0.001):
        made = error_sums(rng, STEPS, 1, n=20_000.0, rate=rate)
        found.append(float(np.exp(watch.tested(watch.fit(made, STEPS, made.n > 0))[0, 0])))

    np.testing.assert_allclose(found, [1.5, 11.0], rtol=0.05)


def test_half_hours_are_judged_by_a_baseline_of_hours() -> None:
    """A finer step finds the same change, not later."""
    rng = np.random.default_rng(13)
    half = Steps(STEPS.first * 2, STEPS.count * 2, 1800)
    made = latency_sums(rng, half, 8, n=40.0)
    later = np.arange(half.count) >= CHANGE * 2
    moved = Sums(made.n, made.total + np.where(later, 0.3, 0.0) * made.n, made.squares)
    moved = Sums(moved.n, moved.total, np.where(later, made.squares + 0.6 * made.total + 0.09 * made.n, made.squares))
    known = np.ones(made.n.shape, dtype=bool)
    watch = Watch("log_mean", "up", 0.1)
    fine = history(watch, Detector(threshold(90, 0.5, 1), 0.5), moved, half, known, BEGIN * 2)
    coarse = history(watch, DETECTOR, moved.joined(2), STEPS, known[:, ::2], BEGIN)

    fine_h = (np.argmax(fine.fired, 1) + 1) / 2
    coarse_h = np.argmax(coarse.fired, 1) + 1.0
    assert fine.fired.any(1).all()
    assert np.median(fine_h) <= np.median(coarse_h)


def test_a_change_that_fires_does_not_become_what_is_usual() -> None:
    """The alarm is still on after five days, for the baseline leaves out what it fired on."""
    watch, _, changed = _changed("log_mean", np.random.default_rng(14))
    course = history(watch, DETECTOR, changed, STEPS, np.ones(changed.n.shape, dtype=bool), BEGIN)

    assert course.firing[:, -1].all()
