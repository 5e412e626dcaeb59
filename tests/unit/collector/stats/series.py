"""Made-up series for the tests of the statistics."""

import numpy as np

from spanwise_collector.stats.arrays import Floats
from spanwise_collector.stats.seasons import Steps
from spanwise_collector.stats.watch import Sums


def hours(days: int, utc_offset_s: int = 0) -> Steps:
    """Hourly steps from a Monday's midnight on."""
    monday = (4 + 7 * 2_900) * 24
    return Steps(monday, days * 24, 3600, utc_offset_s)


def season(steps: Steps) -> Floats:
    """A pattern by hour and weekend, mean about 0, [time]."""
    cells = steps.cells()
    return np.where(cells >= 5 * 24, -0.3, 0.1) + 0.2 * np.sin((cells % 24) / 24 * 2 * np.pi)


def latency_sums(
    rng: np.random.Generator, steps: Steps, series: int, *, n: float = 80.0, level: float = 7.5, sd: float = 0.6
) -> Sums:
    """Sums of log latencies with a season and an autoregressive level of 5 %."""
    counts = rng.poisson(n * np.exp(season(steps)), (series, steps.count)).astype(np.float64)
    slow = np.zeros((series, steps.count))
    for t in range(1, steps.count):
        slow[:, t] = 0.7 * slow[:, t - 1] + 0.05 * np.sqrt(1 - 0.49) * rng.standard_normal(series)
    centre = level + 0.3 * season(steps) + slow
    means = centre + sd / np.sqrt(np.maximum(counts, 1.0)) * rng.standard_normal(counts.shape)
    within = sd**2 * np.maximum(counts - 1.0, 0.0)
    return Sums(counts, counts * means, within + counts * means**2)


def error_sums(rng: np.random.Generator, steps: Steps, series: int, *, n: float = 80.0, rate: float = 0.02) -> Sums:
    """Errors out of requests, the rate over-dispersed by 20 %."""
    counts = rng.poisson(n * np.exp(season(steps)), (series, steps.count))
    level = np.exp(0.2 * rng.standard_normal((series, steps.count)) - 0.02)
    errors = rng.binomial(counts, np.minimum(rate * level, 1.0)).astype(np.float64)
    return Sums(counts.astype(np.float64), errors, errors)
