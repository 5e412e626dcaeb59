"""A month's money: how fast it burns, and whether it will last."""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from spanwise_collector.alerts.evaluate.bands import limit_band
from spanwise_collector.alerts.evaluate.base import (
    DAY_S,
    HOUR_S,
    Carried,
    Data,
    Need,
    Outcome,
    Policy,
    Status,
    Words,
    blank,
)
from spanwise_collector.alerts.evaluate.measures import NANOUSD
from spanwise_collector.alerts.evaluate.members import busiest
from spanwise_collector.alerts.evaluate.packing import packed, unpacked
from spanwise_collector.alerts.evaluate.scope import names_of, signals_of
from spanwise_collector.alerts.sentences import shown, subject
from spanwise_collector.alerts.signals import Block
from spanwise_collector.alerts.state import Restart, series_key
from spanwise_collector.stats.arrays import Floats
from spanwise_collector.stats.burn import BurnWindow, money_burn
from spanwise_collector.stats.forecast import MIN_DAYS, month_end
from spanwise_schemas.api_alerts import Band
from spanwise_schemas.rules import MonthlyBudget
from spanwise_schemas.signals import signal_named

PAST_DAYS: Final = 28
FORECAST_EVERY: Final = 6
"""Hours; in between the last forecast holds."""
CALMER: Final = 0.15
"""The alert ends when the probability is lower than what fires by so much."""
KEEP: Final = 3
WINDOWS: Final = (BurnWindow(120, 60, 14.4, True), BurnWindow(360, 60, 6.0, True))
"""As for error budgets, on hours; the third pair of those is what the forecast does better."""


@dataclass(frozen=True, slots=True)
class _Month:
    """The calendar month that the hour before a tick lies in, UTC."""

    start: int
    today: int
    days: int

    @classmethod
    def of(cls, tick: int) -> "_Month":
        time = datetime.fromtimestamp(tick - HOUR_S, UTC)
        start = time.replace(day=1, hour=0, minute=0, second=0)
        return cls(int(start.timestamp()), (tick - HOUR_S) // DAY_S * DAY_S, monthrange(time.year, time.month)[1])

    @property
    def end_word(self) -> str:
        return f"{datetime.fromtimestamp(self.start, UTC):%B}"


class BudgetEvaluator:
    """See `base.Evaluator`."""

    step = HOUR_S
    history = 60 * DAY_S
    warmup = HOUR_S
    chunk, chunk_offset = DAY_S, HOUR_S
    """From 01:00, so that the hours of a chunk lie in one day and month."""

    def __init__(self, rule: MonthlyBudget) -> None:
        self._rule = rule
        self._source = signals_of(rule)
        self._budget = rule.monthly_usd * NANOUSD
        self.policy = Policy(1, KEEP, rule.no_data, patience=48)

    def needs(self, first: int, last: int, carried: Carried) -> Iterable[Need]:
        """See `base.Evaluator`."""
        yield self._need(first, last)

    def run(self, first: int, last: int, data: Data, carried: Carried, restarts: Sequence[Restart]) -> Outcome:
        """See `base.Evaluator`."""
        block = self._placed(data.block(self._need(first, last)))
        names = names_of(block)
        keys = tuple(series_key(name) for name in names)
        spend = np.maximum(block.arrays["spend"], 0.0)
        ticks = (last - first) // HOUR_S + 1
        month = _Month.of(first)
        burn = money_burn(spend, 60, self._budget, month.days * 24.0, WINDOWS)
        fires = np.asarray(burn.fires[:, :, -ticks:].any(0)) & np.bool_(self._rule.burn)
        over, middle, low, high, forecast = self._forecasts(spend, block.start, first, ticks, month, keys, carried)
        breach = fires | (over >= self._rule.probability)
        calm = ~(over > self._rule.probability - CALMER)
        status = np.where(breach, Status.BREACH, np.where(calm, Status.OK, Status.HOLD)).astype(np.int8)
        signal = signal_named("spend")

        def words(series: int, tick: int) -> Words:
            what = subject(signal, names[series])
            budget = shown(self._budget, "nanousd")
            evidence = {"Budget": f"{budget} a month"}
            if np.isfinite(over[series, tick]):
                evidence["Probability of exceeding it"] = f"{over[series, tick]:.0%}"
                evidence["Forecast (80 %)"] = (
                    f"{shown(low[series, tick], 'nanousd')} to {shown(high[series, tick], 'nanousd')}"
                )
            if fires[series, tick]:
                rate = float(burn.long[:, series, tick - ticks].max())
                return Words(
                    f"{what} burns the month's budget of {budget} {rate:.1f} times too fast.", evidence, None, None
                )
            return Words(
                f"{what} will probably be {shown(middle[series, tick], 'nanousd')} at the end of {month.end_word}, "
                f"above the budget of {budget}.",
                evidence,
                float(middle[series, tick]),
                self._budget,
            )

        def band(series: int, tick: int) -> Band | None:
            since = (month.start - block.start) // HOUR_S
            upto = spend.shape[1] - ticks + tick + 1
            total = spend[series, since:upto].cumsum()
            return limit_band(month.start + HOUR_S, HOUR_S, total, self._budget) if total.size else None

        return Outcome(
            keys=keys,
            names=names,
            first=first,
            step=HOUR_S,
            status=status,
            value=middle,
            expected=blank(*middle.shape),
            low=blank(*middle.shape),
            high=blank(*middle.shape),
            began=np.broadcast_to(first + HOUR_S * (np.arange(ticks) - 1), middle.shape),
            carried={"forecast": {key: packed(values) for key, values in forecast.items()}},
            words=words,
            band=band,
            note="" if np.isfinite(over).any() else f"The forecast needs {MIN_DAYS} days of spend.",
        )

    def _need(self, first: int, last: int) -> Need:
        month = _Month.of(first)
        start = min(month.start, month.today - PAST_DAYS * DAY_S)
        return Need(self._source, frozenset({"spend"}), start, last, HOUR_S)

    def _placed(self, block: Block) -> Block:
        if not block.by:
            return block if block.keys else block.gathered([()], rest=False)
        return block.gathered(busiest(block, block.arrays["spend"].sum(1), self._rule.max_series), rest=False)

    def _forecasts(
        self,
        spend: Floats,
        start: int,
        first: int,
        ticks: int,
        month: _Month,
        keys: Sequence[str],
        carried: Carried,
    ) -> tuple[Floats, Floats, Floats, Floats, dict[str, Floats]]:
        """Probability, median and interval at each tick, and what holds after the last."""
        held = {key: unpacked(values) for key, values in carried.get("forecast", {}).items()}
        found = np.full((4, len(keys), ticks), np.nan)
        unknown = np.full(4, np.nan)
        for tick in range(ticks):
            at = first + tick * HOUR_S
            if (at // HOUR_S) % FORECAST_EVERY == 0 or (tick == 0 and not held):
                held |= dict(zip(keys, self._forecast(spend, start, at, month), strict=True))
            for row, key in enumerate(keys):
                found[:, row, tick] = held.get(key, unknown)
        return found[0], found[1], found[2], found[3], {key: held[key] for key in keys if key in held}

    def _forecast(self, spend: Floats, start: int, at: int, month: _Month) -> Floats:
        """[series, 4]: probability, median, low, high."""
        hour, today = (at - start) // HOUR_S, (month.today - start) // HOUR_S
        past = spend[:, :today]
        seen = np.flatnonzero(past.sum(0) > 0)
        days = min(PAST_DAYS, (today - int(seen[0])) // 24) if seen.size else 0
        if days < MIN_DAYS:
            return np.full((len(spend), 4), np.nan)
        by_day = past[:, today - days * 24 :].reshape(len(spend), days, 24).sum(2)
        since = (month.start - start) // HOUR_S
        spent = spend[:, since:hour].sum(1)
        left = month.days - 1 - (month.today - month.start) // DAY_S
        budget = np.full(len(spend), self._budget)
        rng = np.random.default_rng([at // HOUR_S, len(spend)])
        end = month_end(spent, by_day, left, 1.0 - (at - month.today) / DAY_S, budget, rng)
        return np.stack([end.over, end.expected, end.low, end.high], 1)
