"""Rules that every project has from its first day; a rule of the same id in the file or the API takes their place."""

from typing import Any, Final

from spanwise_schemas.rules import RULE, Budget, Rule

BUDGET: Final = Budget(alarms=1, days=30)
"""Of all of them together."""
_WITH_BUDGET: Final[tuple[dict[str, Any], ...]] = (
    {"id": "built-in-errors", "name": "Error rate", "type": "anomaly", "signal": "error_rate"},
    {"id": "built-in-latency", "name": "Latency", "type": "anomaly", "signal": "latency"},
    {"id": "built-in-slow", "name": "Slow requests", "type": "anomaly", "signal": "slow_share"},
    {"id": "built-in-cost", "name": "Cost per request", "type": "anomaly", "signal": "cost_per_request"},
    {"id": "built-in-refusals", "name": "Refusals", "type": "anomaly", "signal": "refusal_rate"},
    {"id": "built-in-failures", "name": "Failures, new or spiking", "type": "failure"},
)
_OTHERS: Final[tuple[dict[str, Any], ...]] = (
    {"id": "built-in-absence", "name": "No requests", "type": "absence"},
    {"id": "built-in-missing", "name": "Missing data", "type": "missing_data"},
    {"id": "built-in-release", "name": "New versions", "type": "release_watch"},
)


def built_in_rules(project: str) -> tuple[Rule, ...]:
    """The rules of a project that nobody wrote; those with a budget of false alarms share `BUDGET`."""
    share = {"alarms": BUDGET.alarms, "days": BUDGET.days * len(_WITH_BUDGET)}
    found = [{**one, "budget": share} for one in _WITH_BUDGET] + list(_OTHERS)
    return tuple(RULE.validate_python({**one, "project": project}) for one in found)
