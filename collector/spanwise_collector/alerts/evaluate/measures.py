"""From a signal's name to the sums that it is made of, and from sums to its value."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from spanwise_collector.alerts.evaluate.base import RuleError
from spanwise_collector.alerts.signals import Block
from spanwise_collector.stats.arrays import Floats, ratio
from spanwise_collector.stats.watch import Form, Sums
from spanwise_schemas.signals import FAILURE_PREFIX, SCORE_PREFIX, Signal

NANOUSD: Final = 1e9
SLOW: Final = "slow"


@dataclass(frozen=True, slots=True)
class Measure:
    """How a signal is counted.

    Attributes:
        form: see `stats.watch`.
        n: column of the events.
        total: column of their sum, or of the events that count; empty where only `n` matters.
        squares: column of the sum of squares; empty likewise.
    """

    form: Form
    n: str
    total: str = ""
    squares: str = ""

    @property
    def columns(self) -> frozenset[str]:
        """What has to be read."""
        return frozenset(name for name in (self.n, self.total, self.squares) if name)

    @property
    def is_mean(self) -> bool:
        """Whether few events say little; of counts and sums, few are the message."""
        return self.form not in ("count", "sum")

    def sums(self, block: Block) -> Sums:
        """The columns by their part."""
        n = np.maximum(block.arrays[self.n], 0.0)
        total = block.arrays[self.total] if self.total else n
        if self.form == "rate":
            # A class may be counted on spans beside those that are asked for.
            total = np.clip(total, 0.0, n)
        return Sums(n, total, block.arrays[self.squares] if self.squares else total)

    def value(self, sums: Sums) -> Floats:
        """The signal in its unit, NaN where nothing is known."""
        if self.form == "count":
            return sums.n
        if self.form == "sum":
            return sums.total
        mean = ratio(sums.total, sums.n, np.nan)
        return np.exp(mean) if self.form == "log_mean" else mean

    def usual(self, table: Floats) -> Floats:
        """Values in the signal's unit from those on the scale of `stats.baseline`."""
        return table if self.form == "mean" else np.exp(np.minimum(table, 700.0))


def _log_mean(name: str, n: str = "") -> Measure:
    return Measure("log_mean", n or f"{name}_n", f"{name}_1", f"{name}_2")


_MEASURES: Final[dict[str, Measure]] = {
    "requests": Measure("count", "requests"),
    "error_rate": Measure("rate", "requests", "request_errors"),
    "latency": _log_mean("latency", "requests"),
    "slow_share": Measure("rate", "requests", SLOW),
    "spend": Measure("sum", "bills", "spend"),
    "cost_per_request": Measure("ratio", "requests", "spend"),
    "calls": Measure("count", "bills"),
    "call_error_rate": Measure("rate", "calls", "call_errors"),
    "call_latency": _log_mean("call_latency", "calls"),
    "ttft": _log_mean("ttft"),
    "input_tokens": _log_mean("tin"),
    "output_tokens": _log_mean("tout"),
    "output_length": _log_mean("out"),
    "cost_per_call": Measure("ratio", "bills", "spend"),
    "cache_hit_rate": Measure("rate", "bills", "cached"),
    **{
        f"{word}_rate": Measure("rate", "calls", word)
        for word in ("truncation", "refusal", "invalid_json", "schema_violation", "empty", "content_filter")
    },
    "tool_error_rate": Measure("rate", "tools", "tool_errors"),
    "empty_retrieval_rate": Measure("rate", "retrievals", "empty_retrieval"),
}


def measure_of(signal: Signal) -> Measure:
    """How a signal is counted.

    Raises:
        RuleError: it is no number but shares of categories.
    """
    if signal.name.startswith(SCORE_PREFIX):
        return Measure("mean", "n", "s1", "s2")
    if signal.name.startswith(FAILURE_PREFIX):
        return Measure("rate", "calls", signal.name)
    if signal.form == "shares":
        raise RuleError(f"{signal.name} is no single number; only rules of the type anomaly can watch it")
    return _MEASURES[signal.name]


def in_unit(signal: Signal, limit: float) -> float:
    """A rule's limit in the signal's unit: rules write money in USD."""
    return limit * NANOUSD if signal.unit == "nanousd" else limit
