"""An objective's error budget burns too fast, over a long and a short window together."""

from collections.abc import Iterable, Mapping, Sequence
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
from spanwise_collector.alerts.evaluate.members import busiest, others
from spanwise_collector.alerts.evaluate.scope import names_of, signals_of
from spanwise_collector.alerts.sentences import series_words, shown
from spanwise_collector.alerts.signals import FIVE_MINUTES_S, SLOW_PREFIX, Block
from spanwise_collector.alerts.state import Restart, series_key
from spanwise_collector.stats.arrays import Floats, ratio
from spanwise_collector.stats.burn import WINDOWS, BurnWindow, slo_burn, trailing
from spanwise_schemas.api_alerts import Band
from spanwise_schemas.rules import Slo

LONGEST_S: Final = max(window.long_min for window in WINDOWS) * 60
KEEP: Final = 3


class SloEvaluator:
    """See `base.Evaluator`."""

    step = FIVE_MINUTES_S
    history = 10 * DAY_S
    warmup = HOUR_S
    chunk, chunk_offset = DAY_S, 0

    def __init__(self, rule: Slo) -> None:
        self._rule = rule
        self._source = signals_of(rule)
        self._slow = f"{SLOW_PREFIX}{rule.latency_ms:g}" if rule.latency_ms else ""
        self.policy = Policy(1, KEEP, rule.no_data, patience=24, give_up=7 * DAY_S // FIVE_MINUTES_S)

    def needs(self, first: int, last: int, carried: Carried) -> Iterable[Need]:
        """See `base.Evaluator`."""
        yield self._need(first, last)

    def run(self, first: int, last: int, data: Data, carried: Carried, restarts: Sequence[Restart]) -> Outcome:
        """See `base.Evaluator`."""
        block = self._placed(data.block(self._need(first, last)))
        bad, total = self._counts(block)
        burn = slo_burn(bad, total, FIVE_MINUTES_S // 60, self._rule.objective, self._rule.min_errors)
        ticks = (last - first) // FIVE_MINUTES_S + 1
        fires, long = burn.fires[:, :, -ticks:], burn.long[:, :, -ticks:]
        short_total = trailing(total, WINDOWS[0].long_min * 60 // FIVE_MINUTES_S)[:, -ticks:]
        status = np.where(fires.any(0), Status.BREACH, np.where(short_total > 0, Status.OK, Status.NO_DATA))
        which = fires.argmax(0)
        shares = long * (1.0 - self._rule.objective)
        value = np.take_along_axis(shares, which[None], 0)[0]
        lengths = np.array([window.long_min * 60 for window in WINDOWS])
        names = names_of(block)
        allowed = 1.0 - self._rule.objective

        def words(series: int, tick: int) -> Words:
            pair = WINDOWS[int(which[series, tick])]
            rate = float(long[which[series, tick], series, tick])
            return Words(
                self._sentence(names[series], pair, rate * allowed),
                {
                    "Objective": f"{100 * self._rule.objective:g} %",
                    "Windows": f"{_length(pair.long_min)} and {_length(pair.short_min)}",
                    "Burn rate": f"{rate:.1f} times what lasts; {pair.factor:g} fires",
                },
                float(value[series, tick]),
                allowed,
            )

        def band(series: int, tick: int) -> Band | None:
            pair = WINDOWS[int(which[series, tick])]
            steps = pair.long_min * 60 // FIVE_MINUTES_S
            rate = ratio(trailing(bad, steps), trailing(total, steps), np.nan)[series]
            upto = bad.shape[1] - ticks + tick + 1
            shown_from = max(0, upto - DAY_S // FIVE_MINUTES_S)
            start = block.start + (shown_from + 1) * FIVE_MINUTES_S
            return limit_band(start, FIVE_MINUTES_S, rate[shown_from:upto], min(1.0, pair.factor * allowed))

        return Outcome(
            keys=tuple(series_key(name) for name in names),
            names=names,
            first=first,
            step=FIVE_MINUTES_S,
            status=status.astype(np.int8),
            value=value,
            expected=blank(*value.shape),
            low=blank(*value.shape),
            high=blank(*value.shape),
            began=first + FIVE_MINUTES_S * np.arange(ticks) - lengths[which],
            carried={},
            words=words,
            band=band,
        )

    def _need(self, first: int, last: int) -> Need:
        columns = {"requests", "request_errors", *([self._slow] if self._slow else [])}
        return Need(self._source, frozenset(columns), first - LONGEST_S, last, FIVE_MINUTES_S)

    def _placed(self, block: Block) -> Block:
        if not block.by:
            return block if block.keys else block.gathered([()], rest=False)
        volume = block.arrays["requests"].sum(1)
        seats = busiest(block, volume, self._rule.max_series)
        return block.gathered(seats, rest=others(block, volume, seats))

    def _counts(self, block: Block) -> tuple[Floats, Floats]:
        total = block.arrays["requests"]
        slow = block.arrays[self._slow] if self._slow else np.zeros_like(total)
        return np.minimum(block.arrays["request_errors"] + slow, total), total

    def _sentence(self, names: Mapping[str, str], pair: BurnWindow, share: float) -> str:
        named = series_words(names)
        kind = f"failed or took more than {shown(self._rule.latency_ms, 'ms')}" if self._slow else "failed"
        return (
            f"{shown(share, 'ratio')} of requests{f' of {named}' if named else ''} {kind} in {_length(pair.long_min)}, "
            f"where {shown(1 - self._rule.objective, 'ratio')} may."
        )


def _length(minutes: int) -> str:
    if minutes % 1440 == 0:
        return f"{minutes // 1440} d"
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
