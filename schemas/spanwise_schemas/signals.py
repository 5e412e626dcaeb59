"""What is watched: every number that alerts, drift and comparisons speak of, by name.

A signal is counted over requests (root spans), model calls, tool calls or retrievals, from the roll-ups `signals_5m`
and `signals_1h`; scores come from the table `scores`. How a signal is tested follows from its form.
"""

from dataclasses import dataclass
from typing import Final, Literal

Form = Literal["rate", "log_mean", "mean", "ratio", "count", "sum", "shares"]
"""rate: k of n. log_mean: geometric mean of a positive size. mean: of a score. ratio: a sum over a count.
count, sum: per step. shares: of the values of a category."""
Population = Literal["requests", "calls", "tools", "retrievals", "scores"]
Direction = Literal["up", "down", "both"]
Unit = Literal["ratio", "ms", "tokens", "bytes", "nanousd", "count", "score"]
Dimension = Literal[
    "model", "provider", "prompt", "release", "environment", "route", "tool", "user_group", "user", "language"
]
"""What a signal can be split by. `prompt` is name@version; `route` is the name of the root span; `user` only for spend,
`language` only where texts are read."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing to watch.

    Attributes:
        name: in rules, the API and addresses.
        title: for people.
        form: how it is counted.
        population: what is counted.
        unit: of its values.
        worse: the direction that is a regression; `both` where neither is good.
        min_relative: smallest change that counts, as a share of what is usual; 0 for none.
        min_absolute: smallest change that counts, in its unit; 0 for none. Both must be reached.
        means: one sentence for people.
    """

    name: str
    title: str
    form: Form
    population: Population
    unit: Unit
    worse: Direction
    min_relative: float
    min_absolute: float
    means: str


_RATE: Final = (0.5, 0.01)

SIGNALS: Final[dict[str, Signal]] = {
    signal.name: signal
    for signal in (
        Signal("requests", "Requests", "count", "requests", "count", "both", 0.3, 0, "Traces started."),
        Signal("error_rate", "Error rate", "rate", "requests", "ratio", "up", *_RATE, "Share of requests that failed."),
        Signal("latency", "Latency", "log_mean", "requests", "ms", "up", 0.1, 50, "Typical time of a request."),
        Signal(
            *("slow_share", "Slow requests", "rate", "requests", "ratio", "up", 0.2, 0.01),
            "Share of requests slower than 95 % of those of the weeks before.",
        ),
        Signal("spend", "Spend", "sum", "requests", "nanousd", "up", 0.15, 0, "What model calls cost in all."),
        Signal(
            "cost_per_request",
            "Cost per request",
            "ratio",
            "requests",
            "nanousd",
            "up",
            0.15,
            0,
            "Spend over requests.",
        ),
        Signal("calls", "Model calls", "count", "calls", "count", "both", 0.3, 0, "Calls that bear a bill."),
        Signal(
            "call_error_rate", "Failed calls", "rate", "calls", "ratio", "up", *_RATE, "Share of calls that failed."
        ),
        Signal("call_latency", "Call latency", "log_mean", "calls", "ms", "up", 0.1, 50, "Typical time of a call."),
        Signal("ttft", "Time to first token", "log_mean", "calls", "ms", "up", 0.1, 50, "Typical, of streamed calls."),
        Signal(
            "input_tokens", "Input tokens", "log_mean", "calls", "tokens", "up", 0.1, 0, "Typical size of what is sent."
        ),
        Signal(
            *("output_tokens", "Output tokens", "log_mean", "calls", "tokens", "both", 0.1, 0),
            "Typical size of what comes back.",
        ),
        Signal("output_length", "Answer length", "log_mean", "calls", "bytes", "both", 0.1, 0, "Typical, in bytes."),
        Signal("cost_per_call", "Cost per call", "ratio", "calls", "nanousd", "up", 0.15, 0, "Spend over calls."),
        Signal(
            *("cache_hit_rate", "Cache hits", "rate", "calls", "ratio", "down", 0.1, 0.02),
            "Share of calls that read cached tokens.",
        ),
        Signal(
            "truncation_rate", "Truncated answers", "rate", "calls", "ratio", "up", *_RATE, "Cut at the token limit."
        ),
        Signal(
            "refusal_rate", "Refusals", "rate", "calls", "ratio", "up", *_RATE, "Answers that decline or know nothing."
        ),
        Signal(
            "invalid_json_rate", "Invalid JSON", "rate", "calls", "ratio", "up", *_RATE, "JSON that cannot be parsed."
        ),
        Signal(
            *("schema_violation_rate", "Schema violations", "rate", "calls", "ratio", "up", *_RATE),
            "JSON that does not fit its schema.",
        ),
        Signal("empty_rate", "Empty answers", "rate", "calls", "ratio", "up", *_RATE, "Answers with nothing in them."),
        Signal(
            "content_filter_rate", "Filtered answers", "rate", "calls", "ratio", "up", *_RATE, "Stopped by a filter."
        ),
        Signal(
            "tool_error_rate", "Tool errors", "rate", "tools", "ratio", "up", *_RATE, "Share of tool calls that failed."
        ),
        Signal(
            *("empty_retrieval_rate", "Empty retrievals", "rate", "retrievals", "ratio", "up", *_RATE),
            "Retrievals that found nothing.",
        ),
        Signal("model_mix", "Models", "shares", "calls", "ratio", "both", 0, 0.05, "Which models answer."),
        Signal("finish_mix", "Finish reasons", "shares", "calls", "ratio", "both", 0, 0.05, "Why answers ended."),
        Signal("tool_mix", "Tools", "shares", "tools", "ratio", "both", 0, 0.05, "Which tools are called."),
        Signal(
            "route_mix", "Routes", "shares", "requests", "ratio", "both", 0, 0.05, "What is asked of the application."
        ),
        Signal("language_mix", "Languages", "shares", "requests", "ratio", "both", 0, 0.05, "Languages of the input."),
    )
}
"""By name; scores beside these are named `score:<name>`, single classes of failure `failure:<class>`."""
SCORE_PREFIX: Final = "score:"
FAILURE_PREFIX: Final = "failure:"


def signal_named(name: str) -> Signal:
    """A signal by its name, those of scores and of classes of failure included.

    Raises:
        KeyError: there is none of this name.
    """
    if name.startswith(SCORE_PREFIX) and (score := name.removeprefix(SCORE_PREFIX)):
        return Signal(name, f"Score {score}", "mean", "scores", "score", "down", 0, 0.02, f"Mean of the score {score}.")
    if name.startswith(FAILURE_PREFIX) and (word := name.removeprefix(FAILURE_PREFIX)):
        title = word.replace("_", " ").capitalize()
        return Signal(name, title, "rate", "calls", "ratio", "up", *_RATE, f"Share of calls of the class {word}.")
    return SIGNALS[name]
