"""What a series usually is at an hour of the week: a ridge fit of level, hour x weekend and weekday over past weeks.

Means are fitted by least squares, rates and volumes as over-dispersed Poisson counts by iterated weighted least squares
(McCullagh and Nelder, chapter 6). Both robustly: a past incident that nobody marked moves the fit little. Series with
less than two weeks of history get an hour of the day only, with less than one week only a level.
"""

from dataclasses import dataclass
from typing import Final, Literal, Self, cast

import numpy as np

from spanwise_collector.stats.arrays import Bools, Floats, ratio
from spanwise_collector.stats.dispersion import Spread, estimate_spread, estimate_within, pearson
from spanwise_collector.stats.seasons import CELLS, HOURS, WEEKDAYS, Steps, sum_by_cell
from spanwise_collector.stats.transforms import MIN_VARIANCE, Values
from spanwise_collector.stats.two_way import poisson_two_way, ridges, two_way

Kind = Literal["mean", "rate", "count"]
MAX_RATE: Final = 0.95

WEEKLY_DAYS: Final = 14
HOURLY_DAYS: Final = 7
HUBER: Final = 2.5
PASSES: Final = 3


@dataclass(frozen=True, slots=True)
class Baseline:
    """Expected values by hour of the week, and how series spread around them beyond sampling.

    It does not depend on the length of the steps it was fitted to: fitted to hours it serves five minutes as well.

    Attributes:
        kind: "mean": `table` is in units of y; "rate" and "count": it is the logarithm of events per request or hour.
        table: [series, 7 weekdays from Monday, 24 hours].
        tau2: variance around the table beyond sampling, in squared units of the table, [series].
        phi: correlation of that variation over an hour, [series].
        within: of a mean: variance of one event in squared units of the table, [series]; of a count not used.
        days: of history behind it, [series].
    """

    kind: Kind
    table: Floats
    tau2: Floats
    phi: Floats
    within: Floats
    days: Floats

    def expected(self, steps: Steps) -> Floats:
        """Of each step, on the scale of `table`: [series, time]; within an hour, between those of two hours."""
        table = self.table.reshape(-1, CELLS)
        if steps.hours >= 1:
            return table[:, steps.cells()]
        before, after, part = steps.between()
        return np.asarray(table[:, before] * (1.0 - part) + table[:, after] * part)

    def records(self) -> list[dict[str, object]]:
        """One JSON-able record per series; `of_records` reads them."""
        return [
            {
                "kind": self.kind,
                "table": self.table[i].ravel().tolist(),
                "tau2": float(self.tau2[i]),
                "phi": float(self.phi[i]),
                "within": float(self.within[i]),
                "days": float(self.days[i]),
            }
            for i in range(self.tau2.size)
        ]

    @classmethod
    def of_records(cls, records: list[dict[str, object]]) -> Self:
        """From what `records` gave; all of one kind.

        Raises:
            ValueError: no records, records of several kinds, or of another shape.
        """
        kinds = {record["kind"] for record in records}
        if len(kinds) != 1:
            raise ValueError(f"baselines of one kind are needed, not {sorted(map(str, kinds))}")
        parts = {
            name: np.array([record[name] for record in records], dtype=np.float64)
            for name in ("table", "tau2", "phi", "within", "days")
        }
        (kind,) = kinds
        return cls(cast(Kind, kind), parts.pop("table").reshape(-1, WEEKDAYS, HOURS), **parts)


def fit_mean(values: Values, steps: Steps, usable: Bools) -> Baseline:
    """Baseline of a mean.

    Args:
        values: y and n, [series, time].
        steps: the times.
        usable: False where the step is excluded (before the series began, while an alert fired), [series, time].
    """
    seen = usable & (values.n > 0)
    n = np.where(seen, values.n, 1.0)
    days = usable.sum(-1) * steps.hours / 24
    cells = steps.cells()
    within = np.full(days.size, MIN_VARIANCE) if values.within is None else values.within
    spread = Spread(np.ones(days.size) if values.within is None else np.zeros(days.size), np.zeros(days.size))
    huber = np.ones_like(n)
    table = np.zeros((days.size, WEEKDAYS, HOURS))
    for _ in range(PASSES):
        variance = within[:, None] / n + spread.tau2[:, None]
        w = np.where(seen, huber / variance, 0.0)
        sw = _shared(sum_by_cell(w, cells), days)
        y = values.y + within[:, None] / n / 2.0 if values.is_log_of_mean else values.y
        swy = _shared(sum_by_cell(w * y, cells), days)
        level = ratio(swy.sum((1, 2)), sw.sum((1, 2)))
        table = two_way(sw, swy, ridges(sw, swy - sw * level[:, None, None]))
        off = y - table.reshape(-1, CELLS)[:, cells]
        if values.within is None:
            within = estimate_within(off, n, seen)
        spread = estimate_spread(off, within[:, None] / n, np.ones_like(n), seen, steps.hours)
        z = pearson(off, within[:, None] / n, np.ones_like(n), spread.tau2)
        huber = np.minimum(1.0, HUBER / np.maximum(np.abs(z), HUBER))
    return Baseline("mean", table, spread.tau2, spread.phi, within, days)


def fit_count(k: Floats, exposure: Floats, steps: Steps, usable: Bools, kind: Literal["rate", "count"]) -> Baseline:
    """Baseline of counted events: a rate of k in `exposure` requests, or a count with exposure in hours.

    Args:
        k: events, [series, time].
        exposure: what the expected events are proportional to; 0 where nothing could happen.
        steps: the times.
        usable: as in `fit_mean`.
        kind: a rate varies less than a count: by the share that did not happen (binomial, not Poisson).
    """
    seen = usable & (exposure > 0)
    days = usable.sum(-1) * steps.hours / 24
    cells = steps.cells()
    exposed = np.where(seen, exposure, 0.0)
    events = np.where(seen, k, 0.0)
    spread = Spread(np.zeros(days.size), np.zeros(days.size))
    table = np.zeros((days.size, WEEKDAYS, HOURS))
    expected = exposed
    for _ in range(PASSES):
        # Many events of one step say less than as many of several, for they share the step's level.
        shrink = 1.0 / (1.0 + expected * spread.tau2[:, None])
        table = poisson_two_way(
            _shared(sum_by_cell(events * shrink, cells), days),
            _shared(sum_by_cell(exposed * shrink, cells), days),
        )
        expected = exposed * np.exp(table).reshape(-1, CELLS)[:, cells]
        sampling = expected * unhappened(expected, exposed, kind)
        spread = estimate_spread(k - expected, sampling, expected**2, seen, steps.hours)
        limit = expected + 4.0 * np.sqrt(expected + spread.tau2[:, None] * expected**2) + 2.0
        events = np.where(seen, np.minimum(k, limit), 0.0)
    return Baseline(kind, table, spread.tau2, spread.phi, np.zeros(days.size), days)


def unhappened(expected: Floats, exposed: Floats, kind: Kind) -> Floats:
    """By what the variance of a count is below that of a Poisson count."""
    if kind != "rate":
        return np.ones_like(expected)
    return 1.0 - np.minimum(ratio(expected, exposed), MAX_RATE)


def _shared(table: Floats, days: Floats) -> Floats:
    """With little history, the same sums for every weekday, or for every hour."""
    by_hour = np.broadcast_to(table.mean(1, keepdims=True), table.shape)
    level = np.broadcast_to(table.mean((1, 2), keepdims=True), table.shape)
    few = days[:, None, None]
    return np.where(few >= WEEKLY_DAYS, table, np.where(few >= HOURLY_DAYS, by_hour, level))
