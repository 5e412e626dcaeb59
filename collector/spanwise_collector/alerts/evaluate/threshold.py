"""Rules with a fixed limit: a signal over a window, and money over a rolling window."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from spanwise_collector.alerts.evaluate.base import Policy
from spanwise_collector.alerts.evaluate.measures import NANOUSD, Measure, in_unit, measure_of
from spanwise_collector.alerts.evaluate.scope import signals_of, source_of
from spanwise_collector.alerts.evaluate.sources import UserSpendSource
from spanwise_collector.alerts.evaluate.windowed import Limit, Watched, WindowEvaluator
from spanwise_collector.alerts.sentences import be, shown, subject
from spanwise_collector.alerts.signals import Source
from spanwise_schemas.rules import Spend, Threshold, duration
from spanwise_schemas.signals import Signal, signal_named

RECOVER: Final = 0.8
"""An alert ends at this part of its limit where the rule does not say."""
SPEND_KEEP: Final = 3


def threshold(rule: Threshold) -> WindowEvaluator:
    """The evaluator of a threshold rule.

    Raises:
        RuleError: the signal or the split cannot be read so, or the window is not made of whole steps.
    """
    signal = signal_named(rule.signal)
    limit = limit_of(rule, signal)
    side = "above" if limit.above else "below"

    def sentence(names: Mapping[str, str], value: float) -> str:
        return (
            f"{subject(signal, names)} {be(signal)} {shown(value, signal.unit)} over {rule.window}, {side} the limit "
            f"of {shown(limit.value, signal.unit)}."
        )

    watched = Watched(
        source=source_of(rule, signal),
        measure=measure_of(signal),
        unit=signal.unit,
        window=_seconds(rule.window),
        limit=limit,
        min_samples=rule.min_samples,
        most=rule.max_series,
        pools=True,
        sentence=sentence,
    )
    return WindowEvaluator(watched, Policy(rule.for_, rule.keep_firing, rule.no_data))


def limit_of(rule: Threshold, signal: Signal) -> Limit:
    """The rule's limit in the signal's unit."""
    is_above = rule.above is not None
    given = rule.above if rule.above is not None else rule.below
    assert given is not None  # the rule's own check
    value = in_unit(signal, given)
    if rule.recover is not None:
        return Limit(value, in_unit(signal, rule.recover), is_above)
    return Limit(value, value * RECOVER if is_above == (value >= 0) else value / RECOVER, is_above)


def spend(rule: Spend) -> WindowEvaluator:
    """The evaluator of a rule about money over a rolling window.

    Raises:
        RuleError: the window is not made of whole steps.
    """
    signal = signal_named("spend")
    limit = rule.limit_usd * NANOUSD
    source: Source = signals_of(rule)
    if rule.per == "user":
        source = UserSpendSource(rule.project, rule.where.environment)
    elif rule.per == "user_group":
        source = signals_of(rule.model_copy(update={"by": ("user_group",)}))

    def sentence(names: Mapping[str, str], value: float) -> str:
        return (
            f"{subject(signal, names)} is {shown(value, signal.unit)} in {rule.window}, above the limit of "
            f"{shown(limit, signal.unit)}."
        )

    watched = Watched(
        source=source,
        measure=Measure("sum", "spend", "spend"),
        unit=signal.unit,
        window=_seconds(rule.window),
        limit=Limit(limit, RECOVER * limit, above=True),
        min_samples=1,
        most=rule.max_series,
        pools=False,
        sentence=sentence,
    )
    return WindowEvaluator(watched, Policy(1, SPEND_KEEP, rule.no_data))


def _seconds(text: str) -> int:
    return duration(text) // timedelta(seconds=1)
