"""Burn rates over several windows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.stats.burn import WINDOWS, money_burn, slo_burn, trailing

DAY = 288


def _steps(share: list[float]) -> tuple[np.ndarray, np.ndarray]:
    total = np.full((1, len(share)), 100.0)
    return np.array([share]) * total, total


def test_all_requests_failing_for_an_hour_pages() -> None:
    """At an objective of 99 % the rate is 100 in the short window at once; the long one follows within ten minutes."""
    found = slo_burn(*_steps([0.0] * DAY + [1.0] * 12), 5, 0.99)
    first = int(np.argmax(found.fires[0, 0]))

    assert DAY <= first <= DAY + 2
    np.testing.assert_allclose(found.short[0, 0, DAY], 100.0)


def test_it_ends_with_the_trouble_as_the_short_window_does() -> None:
    """Five minutes after the last error nothing fires, though the hour is still bad."""
    found = slo_burn(*_steps([0.0] * DAY + [1.0] * 12 + [0.0] * 6), 5, 0.99)

    assert found.fires[0, 0, DAY + 11]
    assert not found.fires[0, 0, DAY + 12]
    assert found.long[0, 0, DAY + 12] > 14.4


def test_a_slow_burn_opens_a_ticket_and_pages_nobody() -> None:
    """Errors at one and a half times the objective for four days."""
    found = slo_burn(*_steps([0.015] * DAY * 4), 5, 0.99)

    assert [bool(fires[0, -1]) for fires in found.fires] == [False, False, True]
    assert [window.page for window in WINDOWS] == [True, True, False]


def test_few_errors_of_little_traffic_wake_nobody() -> None:
    """Four failures of ten requests are too few, five are not."""
    total = np.zeros((2, 12))
    bad = np.zeros((2, 12))
    total[:, -1] = 10.0
    bad[:, -1] = (4.0, 5.0)

    assert slo_burn(bad, total, 5, 0.99).fires[0, :, -1].tolist() == [False, True]


def test_money_that_is_spent_evenly_burns_at_one() -> None:
    """A budget of 720 for 720 hours and one an hour."""
    spend = np.full((1, 24 * 4), 1.0)
    found = money_burn(spend, 60, 720.0, 720.0, tuple(w for w in WINDOWS if w.short_min % 60 == 0))

    np.testing.assert_allclose(found.long[0, 0, -1], 1.0)
    assert found.fires[0, 0, -1]


def test_windows_that_steps_do_not_fill_are_refused() -> None:
    """Hours cannot say what happened in five minutes."""
    with pytest.raises(ValueError, match="60 minutes do not fill a window of 5 minutes"):
        slo_burn(*_steps([0.0]), 60, 0.99)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.integers(1, 40))
def test_a_trailing_sum_is_the_sum_of_the_last_values(values: list[int], steps: int) -> None:
    """Fewer at the beginning."""
    found = trailing(np.array([values], float), steps)

    assert found[0].tolist() == [sum(values[max(0, i - steps + 1) : i + 1]) for i in range(len(values))]
