"""What a digest tests: every signal as a whole, and some by the dimension along which they usually change."""

from collections.abc import Iterable
from typing import Final

from spanwise_collector.alerts.evaluate.fitting import Subject
from spanwise_collector.alerts.evaluate.measures import Measure, measure_of
from spanwise_collector.alerts.evaluate.mixes import MixSource
from spanwise_collector.alerts.evaluate.sources import ScoreSource
from spanwise_collector.alerts.signals import SignalSource
from spanwise_collector.stats.watch import Watch
from spanwise_schemas.signals import SCORE_PREFIX, SIGNALS, Dimension, Signal, signal_named

SERIES: Final = 8
"""Of a split, the busiest; every series more makes each finding dearer."""
SPLITS: Final[dict[str, tuple[Dimension, ...]]] = {
    "error_rate": ("route",),
    "latency": ("route",),
    "call_error_rate": ("model",),
    "call_latency": ("model",),
    "ttft": ("model",),
    "cost_per_call": ("model", "user_group"),
    "cost_per_request": (),
    "input_tokens": ("prompt", "user_group"),
    "output_tokens": ("prompt",),
    "refusal_rate": ("prompt", "model"),
    "truncation_rate": ("prompt",),
    "invalid_json_rate": ("prompt",),
    "tool_error_rate": ("tool",),
    "empty_retrieval_rate": ("route",),
}
"""`empty_retrieval_rate` by route is by the name of the retriever's span."""
LEFT_OUT: Final = frozenset({"slow_share", "calls"})
"""Measured against the weeks before already; and told by `requests`."""
MIX: Final = Measure("rate", "all", "n")


def subjects(project: str, scores: Iterable[str]) -> list[Subject]:
    """Everything to test for a project.

    Args:
        project: whose.
        scores: names of numeric scores.
    """
    found = []
    for signal in SIGNALS.values():
        if signal.name in LEFT_OUT:
            continue
        if signal.form == "shares":
            source = MixSource(SignalSource(project), signal.name, candidates=SERIES)
            found.append(Subject(signal, MIX, _watch(signal, "rate"), source, SERIES))
            continue
        for by in ((), *((dimension,) for dimension in SPLITS.get(signal.name, ()))):
            measure = measure_of(signal)
            rows = SignalSource(project, by=by, candidates=SERIES)
            found.append(Subject(signal, measure, _watch(signal, measure.form), rows, SERIES))
    for name in sorted(scores):
        signal = signal_named(SCORE_PREFIX + name)
        found.append(Subject(signal, measure_of(signal), _watch(signal, "mean"), ScoreSource(project, name), 1))
    return found


def _watch(signal: Signal, form: str) -> Watch:
    # A digest tells of changes for the better too.
    return Watch(form, "both", signal.min_relative, signal.min_absolute)  # type: ignore[arg-type]
