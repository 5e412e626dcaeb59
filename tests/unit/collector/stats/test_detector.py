"""The e-detector: false alarms, what it finds, and that it can be stopped and gone on with."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanwise_collector.stats.arrays import Floats
from spanwise_collector.stats.detector import Course, Detector, run, sizes, threshold
from spanwise_collector.stats.residuals import Residuals
from spanwise_collector.stats.state import State

HOURLY = Detector(threshold(90, 1.0, 1), 1.0)
EXACT = Detector(threshold(30, 1.0, 1), 1.0, inflation=1.0, min_support=0.0)
UP = sizes(np.array([0.5]), "up")


def _residuals(z: Floats, *, latent: float = 0.0, phi: float = 0.0, tested: Floats = UP) -> Residuals:
    """Standard normal residuals as a mean with unit variance would have them."""
    shape = z.shape
    shift = np.broadcast_to(tested[:, None, :], (*shape, tested.shape[1]))
    return Residuals(
        z, np.full(shape, latent), shift, np.full(shape, 10.0), np.ones(shape, dtype=bool), np.full(len(z), phi)
    )


def _from_start(residuals: Residuals, detector: Detector, tested: Floats = UP) -> Course:
    many = np.broadcast_to(tested, (len(residuals.z), tested.shape[1]))
    return run(State.new(*many.shape), residuals, many, 0, detector)[1]


def _autoregression(rng: np.random.Generator, series: int, time: int, latent: float, phi: float) -> Floats:
    level = rng.standard_normal(series)
    z = np.zeros((series, time))
    for t in range(time):
        z[:, t] = np.sqrt(latent) * level + np.sqrt(1 - latent) * rng.standard_normal(series)
        level = phi * level + np.sqrt(1 - phi**2) * rng.standard_normal(series)
    return z


def test_the_threshold_is_the_number_of_steps_in_the_budget() -> None:
    """One false alarm in 30 days among 20 series by the hour."""
    assert threshold(30, 1.0, 20) == 14_400
    assert threshold(90, 0.5, 1) == 4_320


@pytest.mark.parametrize(("latent", "phi"), [(0.0, 0.0), (0.5, 0.7), (1.0, 0.8)])
def test_false_alarms_keep_to_the_budget_without_any_inflation(latent: float, phi: float) -> None:
    """With a model that is known exactly, series of 30 days see at most one alarm in 30 days on average."""
    z = _autoregression(np.random.default_rng(1), 300, 720, latent, phi)
    tested = sizes(np.array([0.2]), "both")
    course = _from_start(_residuals(z, latent=latent, phi=phi, tested=tested), EXACT, tested)

    assert 0 < course.fired.sum() < 300


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_change_is_found_with_its_size_and_its_beginning(direction: str) -> None:
    """Half of the series change by 2: all are found within hours, the interval covers, the start is near."""
    sign = 1.0 if direction == "up" else -1.0
    tested = sizes(np.array([0.5]), "up" if direction == "up" else "down")
    z = _autoregression(np.random.default_rng(2), 200, 300, 0.3, 0.7)
    z[:100, 200:] += 2.0 * sign
    course = _from_start(_residuals(z, latent=0.3, phi=0.7, tested=tested), HOURLY, tested)
    first = np.argmax(course.fired[:100, 200:], axis=1) + 200
    rows = np.arange(100)

    assert course.fired[:100, 200:].any(1).all()
    assert np.median(first) <= 212
    hours = 100 * 300 + 100 * 200
    assert course.fired[100:].sum() + course.fired[:100, :200].sum() <= hours / HOURLY.threshold
    assert np.median(np.abs(course.start[rows, first] - 200)) <= 1
    truth = 2.0 * sign
    assert np.mean((course.low[rows, first] <= truth) & (truth <= course.high[rows, first])) > 0.9


def test_a_change_that_is_too_small_to_matter_wakes_nobody() -> None:
    """However sure it is: the estimated size must reach the smallest that counts."""
    z = np.random.default_rng(3).standard_normal((20, 3_000)) * 0.2
    z[:, 300:] += 0.4
    course = _from_start(_residuals(z), HOURLY)

    assert not course.fired.any()
    assert course.log_evidence[:, -1].max() > np.log(HOURLY.threshold)


def test_an_alarm_fires_once_and_ends_when_the_change_has_gone() -> None:
    """It stays on while the change lasts, and a new one begins at the earliest when the hold is over."""
    z = np.random.default_rng(4).standard_normal((50, 600))
    z[:, 100:300] += 3.0
    z[:, 400:] += 3.0
    certain = Detector(threshold(36_500, 1.0, 1), 1.0, lasting_days=3_650)
    course = _from_start(_residuals(z), certain)

    assert np.flatnonzero(course.fired.any(0)).tolist()[0] >= 100
    assert (course.fired[:, 100:300].sum(1) == 1).all()
    assert course.firing[:, 110:300].all()
    assert not course.firing[:, 330:400].any()
    assert (course.fired[:, 400:].sum(1) == 1).all()


def test_too_few_events_decide_nothing() -> None:
    """The support since the beginning must reach the minimum."""
    z = np.zeros((1, 100))
    z[:, 50:] = 4.0
    waiting = _from_start(_residuals(z), Detector(1_000.0, 1.0, min_support=200.0))

    assert int(np.argmax(waiting.fired[0])) == 69


def test_a_gap_says_nothing() -> None:
    """Steps that were not seen leave the evidence as it is, whatever stands in them."""
    z = np.random.default_rng(5).standard_normal((3, 200))
    wild = z.copy()
    wild[:, 50:80] = 6.0
    seen = np.ones(z.shape, dtype=bool)
    seen[:, 50:80] = False
    plain, gap = (_from_start(_residuals(values).only(seen), HOURLY) for values in (z, wild))

    np.testing.assert_array_equal(plain.log_evidence, gap.log_evidence)
    np.testing.assert_allclose(gap.log_evidence[:, 79], gap.log_evidence[:, 49])


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 60), min_size=1, max_size=8), st.sampled_from(["up", "both"]))
def test_going_on_from_a_stored_state_is_the_same_as_one_run(seed: int, parts: list[int], way: str) -> None:
    """However history is cut into pieces, and through JSON in between, alarms, sizes and beginnings are the same."""
    rng = np.random.default_rng(seed)
    tested = np.repeat(sizes(np.array([0.5]), "up" if way == "up" else "both"), 3, 0)
    z = _autoregression(rng, 3, sum(parts), 0.4, 0.6)
    z[:, sum(parts) // 2 :] += rng.choice([0.0, 2.5], 3)[:, None]
    residuals = _residuals(z, latent=0.4, phi=0.6, tested=tested[:1])
    detector = Detector(200.0, 1.0, hold_hours=6.0)
    whole_state, whole = run(State.new(*tested.shape), residuals, tested, 1_000, detector)

    state, courses, at = State.new(*tested.shape), [], 0
    for part in parts:
        state = State.of_records(json.loads(json.dumps(state.records())))
        state, course = run(state, residuals[at : at + part], tested, 1_000 + at, detector)
        courses.append(course)
        at += part

    joined = Course.joined(courses)
    for name in ("fired", "firing", "log_evidence", "start", "effect", "low", "high"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name), name)
    assert state.records() == whole_state.records()


def test_the_state_that_was_given_is_not_changed() -> None:
    """A failed write can be tried again from the same state."""
    state = State.new(1, UP.shape[1])
    before = state.records()
    run(state, _residuals(np.full((1, 30), 3.0)), UP, 0, HOURLY)

    assert state.records() == before
