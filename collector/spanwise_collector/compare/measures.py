"""What is compared: for each signal its sums, and how their ratio becomes its number."""

from dataclasses import dataclass
from typing import Final, Literal

from spanwise_schemas.signals import SIGNALS, Signal

Scale = Literal["plain", "log"]


@dataclass(frozen=True, slots=True)
class Measure:
    """A signal as a ratio of two columns of `alerts.signals`.

    Attributes:
        signal: which.
        over: column of the numerator.
        under: column of the denominator.
        scale: `log` where the ratio is a mean of logarithms.
    """

    signal: Signal
    over: str
    under: str
    scale: Scale = "plain"

    @property
    def relative(self) -> bool:
        """Whether differences are told as a share of the first side; for rates as percentage points."""
        return self.signal.form != "rate"


def _of(name: str, over: str, under: str, scale: Scale = "plain") -> Measure:
    return Measure(SIGNALS[name], over, under, scale)


OF_REQUESTS: Final = (
    _of("error_rate", "request_errors", "requests"),
    _of("latency", "latency_1", "requests", "log"),
    _of("cost_per_request", "spend", "requests"),
)
"""Told of whole requests; not where sides are models or prompt versions, which a root span does not have."""
OF_CALLS: Final = (
    _of("call_error_rate", "call_errors", "calls"),
    _of("call_latency", "call_latency_1", "calls", "log"),
    _of("ttft", "ttft_1", "ttft_n", "log"),
    _of("cost_per_call", "spend", "bills"),
    _of("input_tokens", "tin_1", "tin_n", "log"),
    _of("output_tokens", "tout_1", "tout_n", "log"),
    _of("output_length", "out_1", "out_n", "log"),
    _of("cache_hit_rate", "cached", "bills"),
    *(
        _of(f"{word}_rate", word, "calls")
        for word in ("refusal", "truncation", "invalid_json", "schema_violation", "empty", "content_filter")
    ),
)
OF_STEPS: Final = (
    _of("tool_error_rate", "tool_errors", "tools"),
    _of("empty_retrieval_rate", "empty_retrieval", "retrievals"),
)
"""Told of tools and retrievals; not where sides are models or prompt versions."""


def measures_of(by: str) -> tuple[Measure, ...]:
    """What can be told where sides are windows, releases, prompts or models."""
    return OF_CALLS if by in ("prompt", "model") else (*OF_REQUESTS, *OF_CALLS, *OF_STEPS)
