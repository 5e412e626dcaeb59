"""How each signal is counted over the rows of its population."""

from dataclasses import dataclass
from typing import Final

from spanwise_collector.attribution.evidence import Kind
from spanwise_schemas.signals import FAILURE_PREFIX, SCORE_PREFIX, Signal

SLOW_QUANTILE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Measure:
    """A number over rows.

    Attributes:
        kind: how it is tested.
        value: SQL of one row's value.
        only: SQL for the rows that count.
        logarithm: the value is a natural logarithm; the number itself is its exponential.
        shares: only how the rows are shared out matters, not how many there are.
    """

    kind: Kind
    value: str
    only: str = "1"
    logarithm: bool = False
    shares: bool = False


def _log(sql: str) -> Measure:
    return Measure("mean", f"log({sql})", f"{sql} > 0", logarithm=True)


def _failure(word: str) -> Measure:
    return Measure("rate", f"class = '{word}'")


_ERROR: Final = Measure("rate", "failed")
_LATENCY: Final = Measure("mean", "log(greatest(took_us, 1) / 1000)", logarithm=True)
_COUNT: Final = Measure("sum", "1")
_SHARES: Final = Measure("sum", "1", shares=True)
MEASURES: Final[dict[str, Measure]] = {
    "requests": _COUNT,
    "error_rate": _ERROR,
    "latency": _LATENCY,
    "slow_share": Measure("rate", "took_us > {slow:Float64}"),
    "spend": Measure("sum", "cost_n"),
    "cost_per_request": Measure("amount", "cost_n"),
    "calls": _COUNT,
    "call_error_rate": _ERROR,
    "call_latency": _LATENCY,
    "ttft": Measure("mean", "log(ttft_us / 1000)", "ttft_us > 0", logarithm=True),
    "input_tokens": _log("tok_in"),
    "output_tokens": _log("tok_out"),
    "output_length": _log("out_bytes"),
    "cost_per_call": Measure("amount", "cost_n"),
    "cache_hit_rate": Measure("rate", "cached"),
    "truncation_rate": _failure("truncation"),
    "refusal_rate": _failure("refusal"),
    "invalid_json_rate": _failure("invalid_json"),
    "schema_violation_rate": _failure("schema_violation"),
    "empty_rate": _failure("empty"),
    "content_filter_rate": _failure("content_filter"),
    "tool_error_rate": _ERROR,
    "empty_retrieval_rate": _failure("empty_retrieval"),
    "model_mix": _SHARES,
    "finish_mix": _SHARES,
    "tool_mix": _SHARES,
    "route_mix": _SHARES,
    "language_mix": Measure("sum", "1", "language != ''", shares=True),
}


def measure_of(signal: Signal) -> Measure:
    """How a signal is counted; `{slow:Float64}` (microseconds) and `{failure:String}` are parameters.

    Raises:
        KeyError: it is none of those that `signal_named` knows.
    """
    if signal.name.startswith(SCORE_PREFIX):
        return Measure("mean", "score")
    if signal.name.startswith(FAILURE_PREFIX):
        return Measure("rate", "class = {failure:String}")
    return MEASURES[signal.name]
