"""Evaluating rules: one module per type, all of one form (`base.Evaluator`), over many series and ticks at once."""

from collections.abc import Callable
from typing import Any, Final

from spanwise_collector.alerts.evaluate.absence import AbsenceEvaluator
from spanwise_collector.alerts.evaluate.anomaly import anomaly, score_drop
from spanwise_collector.alerts.evaluate.base import Evaluator
from spanwise_collector.alerts.evaluate.budget import BudgetEvaluator
from spanwise_collector.alerts.evaluate.failure import FailureEvaluator
from spanwise_collector.alerts.evaluate.missing import MissingEvaluator
from spanwise_collector.alerts.evaluate.relative import RelativeEvaluator
from spanwise_collector.alerts.evaluate.release_watch import ReleaseWatchEvaluator
from spanwise_collector.alerts.evaluate.slo import SloEvaluator
from spanwise_collector.alerts.evaluate.threshold import spend, threshold
from spanwise_collector.alerts.evaluate.trust import TrustedEvaluator, watches_scores
from spanwise_schemas.rules import Rule, RuleType

_EVALUATORS: Final[dict[RuleType, Callable[[Any], Evaluator]]] = {
    "threshold": threshold,
    "relative": RelativeEvaluator,
    "anomaly": anomaly,
    "absence": AbsenceEvaluator,
    "missing_data": MissingEvaluator,
    "score_drop": score_drop,
    "spend": spend,
    "budget": BudgetEvaluator,
    "slo": SloEvaluator,
    "failure": FailureEvaluator,
    "release_watch": ReleaseWatchEvaluator,
}


def evaluator_of(rule: Rule) -> Evaluator:
    """The evaluator of any rule.

    Raises:
        RuleError: it cannot be evaluated as it is written.
    """
    found = _EVALUATORS[rule.type](rule)
    return TrustedEvaluator(found, rule) if rule.trusted_judge_only and watches_scores(rule) else found
