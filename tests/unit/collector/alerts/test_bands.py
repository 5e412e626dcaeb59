"""What charts show beside what is usual."""

import numpy as np
import pytest

from spanwise_collector.alerts.evaluate.bands import usual_band
from spanwise_collector.alerts.evaluate.measures import measure_of
from spanwise_collector.stats.baseline import Baseline
from spanwise_collector.stats.seasons import Steps
from spanwise_collector.stats.watch import Sums
from spanwise_schemas.signals import signal_named

HOUR = 3600


@pytest.mark.parametrize("hours", [24, 31, 44])
def test_the_last_step_of_a_rare_rate_ends_with_the_data(hours: int) -> None:
    """Hours are joined until something is usual in each step; the rise at the end is in the last one, not left out."""
    n = np.full((1, hours), 100.0)
    total = np.zeros((1, hours))
    total[0, -3:] = 20.0
    one = np.array([0.0])
    baseline = Baseline("rate", np.full((1, 7, 24), np.log(0.002)), one, one, one, np.array([30.0]))
    first = 490_000

    band = usual_band(
        measure_of(signal_named("error_rate")), Sums(n, total, total), 0, baseline, 0, Steps(first, hours, HOUR)
    )

    assert band.step_seconds == 12 * HOUR
    assert band.times[-1].timestamp() + band.step_seconds == (first + hours) * HOUR
    assert len(band.times) == hours // 12
    assert band.values[-1] == pytest.approx(60 / 1200)
