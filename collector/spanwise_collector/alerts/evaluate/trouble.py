"""A rule that cannot be evaluated: told when it lasts, and told when it is over."""

from datetime import UTC, datetime
from typing import Final

from spanwise_collector.alerts.evaluate.walk import Happening
from spanwise_collector.alerts.lifecycle import Life, Step
from spanwise_collector.alerts.state import RULE_SERIES, RuleBody, alert_hex, alert_id_of
from spanwise_schemas.api_alerts import Alert
from spanwise_schemas.rules import Rule

LASTS_S: Final = 600
"""A shorter failure is shown, but nobody is told."""


def troubled(rule: Rule, body: RuleBody, problem: str, now: datetime) -> Happening | None:
    """Take in that a rule was evaluated or could not be; `body.trouble` goes along.

    Args:
        rule: which.
        body: of its row.
        problem: why it could not be; empty where it was.
        now: the time of day, UTC.

    Returns:
        What people are told of; None for nothing.
    """
    at = int(now.timestamp())
    life = Life.of_record(body.trouble) if body.trouble else Life()
    if not problem:
        body.trouble = {}
        return _happening(rule, body, Life("resolved", at, at, life.started, seq=2), at) if life.told else None
    if not life.started:
        body.trouble = Life(started=at, at=at).record()
        return None
    if life.told or at - life.started < LASTS_S:
        return None
    told = Life("error", at, at, life.started, fired_at=at, seq=1, told=True, told_at=at)
    body.trouble = told.record()
    body.problem = problem
    return _happening(rule, body, told, at)


def _happening(rule: Rule, body: RuleBody, life: Life, at: int) -> Happening:
    began = datetime.fromtimestamp(life.started, UTC)
    alert_id = alert_id_of(rule.project, rule.id, RULE_SERIES, began)
    is_over = life.state == "resolved"
    alert = Alert(
        alert_id=alert_hex(alert_id),
        project=rule.project,
        rule_id=rule.id,
        rule_name=rule.title,
        rule_type=rule.type,
        severity=rule.severity,
        state=life.state,
        since=datetime.fromtimestamp(at, UTC),
        began=began,
        fired_at=datetime.fromtimestamp(began.timestamp() + LASTS_S, UTC),
        ended_at=datetime.fromtimestamp(at, UTC) if is_over else None,
        sentence=f"The rule cannot be evaluated: {body.problem}",
    )
    step = Step(
        "error" if is_over else "inactive", life.state, at, life.started, life.seq, "resolved" if is_over else "error"
    )
    return Happening(RULE_SERIES, step, life, alert)
