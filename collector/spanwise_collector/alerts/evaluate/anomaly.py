"""A signal leaves what is usual for its hour and day."""

from typing import Final

from spanwise_collector.alerts.evaluate.base import RuleError
from spanwise_collector.alerts.evaluate.fitting import Subject
from spanwise_collector.alerts.evaluate.measures import Measure, measure_of
from spanwise_collector.alerts.evaluate.mixes import MixSource
from spanwise_collector.alerts.evaluate.scope import signals_of, source_of
from spanwise_collector.alerts.evaluate.watching import WatchEvaluator
from spanwise_collector.alerts.signals import Source
from spanwise_collector.stats.watch import Watch
from spanwise_schemas.rules import Anomaly, ScoreDrop
from spanwise_schemas.signals import signal_named

MIN_EVENTS: Final = 5.0
"""Of what a rate or a count counts, since a change began; of means it is the rule's `min_samples`."""
MIX: Final = Measure("rate", "all", "n")


def anomaly(rule: Anomaly) -> WatchEvaluator:
    """The evaluator of an anomaly rule.

    Raises:
        RuleError: the signal or the split cannot be read so.
    """
    signal = signal_named(rule.signal)
    source: Source
    if signal.form == "shares":
        if signal.name == "language_mix" and (rule.by or rule.where.model_dump(exclude_defaults=True)):
            raise RuleError("language_mix can be neither filtered nor split yet")
        source, measure = MixSource(signals_of(rule), signal.name), MIX
    elif signal.name == "slow_share":
        source, measure = signals_of(rule), Measure("rate", "requests", "slow")
    else:
        source, measure = source_of(rule, signal), measure_of(signal)
    watch = Watch(
        measure.form,
        rule.direction or signal.worse,
        signal.min_relative if rule.min_relative is None else rule.min_relative,
        signal.min_absolute if rule.min_absolute is None else rule.min_absolute,
    )
    support = float(rule.min_samples) if measure.form in ("log_mean", "mean", "ratio", "sum") else MIN_EVENTS
    return WatchEvaluator(Subject(signal, measure, watch, source, rule.max_series), rule.budget, support, rule)


def score_drop(rule: ScoreDrop) -> WatchEvaluator:
    """The evaluator of a rule about the mean of a score.

    Raises:
        RuleError: the split cannot be read so.
    """
    signal = signal_named(f"score:{rule.score}")
    measure = measure_of(signal)
    watch = Watch("mean", "down", 0.0, rule.drop)
    subject = Subject(signal, measure, watch, source_of(rule, signal), rule.max_series)
    return WatchEvaluator(subject, rule.budget, float(rule.min_samples), rule)
