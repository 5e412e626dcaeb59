"""What of the traffic a rule is about: its source of rows and the names of its series."""

from collections.abc import Mapping

from spanwise_collector.alerts.evaluate.base import RuleError
from spanwise_collector.alerts.evaluate.sources import ScoreSource
from spanwise_collector.alerts.signals import Block, SignalSource
from spanwise_schemas.rules import Base
from spanwise_schemas.signals import SCORE_PREFIX, Signal


def source_of(rule: Base, signal: Signal) -> SignalSource | ScoreSource:
    """Where the rule's signal is read.

    Raises:
        RuleError: the signal or the split cannot be read so.
    """
    if "language" in rule.by:
        raise RuleError("a rule cannot be split by language; watch the signal language_mix instead")
    if signal.name == "slow_share":
        raise RuleError("slow_share is measured against the weeks before; only rules of the type anomaly can watch it")
    if signal.name.startswith(SCORE_PREFIX):
        return ScoreSource(rule.project, signal.name.removeprefix(SCORE_PREFIX), rule.where, rule.by)
    return signals_of(rule)


def signals_of(rule: Base) -> SignalSource:
    """The rule's rows of the signals' roll-ups.

    So many series are read that the busiest can be chosen day by day.
    """
    return SignalSource(rule.project, rule.where, rule.by, candidates=4 * rule.max_series + 20)


def names_of(block: Block) -> tuple[Mapping[str, str], ...]:
    """Each series as dimension to value."""
    return tuple(dict(zip(block.by, key, strict=True)) for key in block.keys)
