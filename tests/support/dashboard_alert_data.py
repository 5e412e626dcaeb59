"""Alerts, rules, silences and channels for the dashboard's tests and screenshots, built from the API's models."""

import math
import random
from datetime import datetime, timedelta

from spanwise_schemas.api_alerts import (
    Alert,
    AlertDetail,
    AlertEvent,
    AlertState,
    Band,
    Channel,
    Delivery,
    RuleInfo,
    Silence,
)
from spanwise_schemas.rules import RuleType, Severity
from tests.support.dashboard_changes import what_changed
from tests.support.dashboard_data import HOSTILE, Dataset

FIRING_ID = "f1a0000000000001"
SILENCED_ID = "f1a0000000000003"
HOSTILE_ALERT_ID = "f1a0000000000005"
PROMISE = "expect one such false alarm in 30 days"


def band(now: datetime, *, usual: float, after: float, began: timedelta, hours: int = 48, seed: int = 3) -> Band:
    """Hourly steps around what is usual by day, and another level since the change."""
    rng = random.Random(seed)
    first = (now - timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0)
    times = [first + timedelta(hours=hour) for hour in range(hours)]
    expected = [usual * (1 + 0.25 * math.sin(moment.hour / 24 * 2 * math.pi)) for moment in times]
    level = [after / usual if moment >= now - began else 1.0 for moment in times]
    values = [each * factor * rng.uniform(0.88, 1.12) for each, factor in zip(expected, level, strict=True)]
    return Band(
        times=times,
        step_seconds=3600,
        values=[None if index == 11 else value for index, value in enumerate(values)],
        expected=list(expected),
        low=[each * 0.75 for each in expected],
        high=[each * 1.3 for each in expected],
    )


def open_alerts(data: Dataset) -> list[Alert]:
    """What has not ended: three that fire, one of them silenced, and one of each other state."""
    now = data.now
    return [
        _alert(now, FIRING_ID, "error-rate", "anomaly", "page", "error_rate", hours=6.4).model_copy(
            update={
                "sentence": "9.4% of the requests fail, where 1.3% are usual at this hour.",
                "value": 0.094,
                "expected": 0.013,
                "effect_low": 0.061,
                "effect_high": 0.102,
                "promise": PROMISE,
                "top_cause": "model gpt-4o, prompt answer@v7",
            }
        ),
        _alert(now, "f1a0000000000002", "slow-calls", "anomaly", "ticket", "call_latency", hours=9).model_copy(
            update={
                "sentence": "Calls of claude-sonnet-4-5 take 2.31 s, where 1.74 s are usual at this hour.",
                "series": {"model": "claude-sonnet-4-5"},
                "value": 2310.0,
                "expected": 1740.0,
                "effect_low": 410.0,
                "effect_high": 720.0,
                "promise": PROMISE,
                "top_cause": "provider anthropic",
                "acknowledged_by": "Ada",
                "acknowledged_at": now - timedelta(hours=8),
            }
        ),
        _alert(now, SILENCED_ID, "spend-per-group", "spend", "ticket", "spend", hours=5).model_copy(
            update={
                "sentence": "The user group free has spent $41.20 in 24 hours; the limit is $25.",
                "series": {"user_group": "free"},
                "value": 41.2e9,
                "expected": 25e9,
                "silenced_until": now + timedelta(hours=3),
            }
        ),
        _alert(now, "f1a0000000000004", "refusals", "anomaly", "ticket", "refusal_rate", "pending", 0.4).model_copy(
            update={
                "sentence": "4.1% of the answers decline, where 2.9% are usual; not yet sure.",
                "value": 0.041,
                "expected": 0.029,
            }
        ),
        _alert(now, HOSTILE_ALERT_ID, "nightly-batch", "absence", "ticket", "requests", "no_data", 7).model_copy(
            update={"sentence": f"No requests of {HOSTILE} since 02:00.", "series": {"route": HOSTILE}}
        ),
    ]


def past_alerts(data: Dataset, number: int = 70) -> list[Alert]:
    """What has ended, newest first."""
    rng = random.Random(11)
    rules: tuple[tuple[str, RuleType, Severity, str], ...] = (
        ("error-rate", "anomaly", "page", "error_rate"),
        ("slow-calls", "anomaly", "ticket", "call_latency"),
        ("new-failures", "failure", "ticket", "call_error_rate"),
        ("spend-per-group", "spend", "info", "spend"),
    )
    found = []
    for index in range(number):
        rule, kind, severity, signal = rules[index % len(rules)]
        hours = 20 + index * 9.0
        alert = _alert(data.now, f"{index + 1:016x}", rule, kind, severity, signal, "resolved", hours)
        found.append(
            alert.model_copy(
                update={
                    "sentence": f"{rng.uniform(3, 12):.1f}% of the requests failed, where 1.3% are usual.",
                    "ended_at": data.now - timedelta(hours=hours - rng.uniform(0.5, 6)),
                    "is_expected": index == 2,
                    "in_history": index > 60,
                    "top_cause": "release 2026.11.3" if index % 3 == 0 else "",
                }
            )
        )
    return found


def detail(data: Dataset, alert: Alert) -> AlertDetail:
    """The alert with evidence; those that fire have a chart and what changed."""
    fired = alert.fired_at
    events = [AlertEvent(time=alert.began, from_state="inactive", to_state="pending", value=alert.expected)]
    if fired is not None:
        events.append(AlertEvent(time=fired, from_state="pending", to_state="firing", value=alert.value))
    if alert.acknowledged_at is not None:
        events.append(
            AlertEvent(
                time=alert.acknowledged_at,
                from_state="firing",
                to_state="firing",
                by=alert.acknowledged_by,
                note="Acknowledged: looking at the provider's status page.",
            )
        )
    if alert.ended_at is not None:
        events.append(AlertEvent(time=alert.ended_at, from_state="recovering", to_state="resolved"))
    began = data.now - alert.began
    shown = alert.value is not None and alert.expected is not None
    return AlertDetail(
        alert=alert,
        band=band(data.now, usual=alert.expected or 0.01, after=alert.value or 0.1, began=began) if shown else None,
        evidence={
            "Requests in the stretch": "1,204, of which 113 failed",
            "Usual at this hour": "1.3%, from the same hours of four weeks",
            "Difference": "+8.1 pp, 95 % interval +6.1 to +10.2 pp",
            "Evidence against chance": "5,400 to 1; it fires from 720 to 1",
        }
        if shown
        else {},
        events=events,
        deliveries=[] if alert.state == "pending" else _deliveries(alert),
        what_changed=what_changed(data, alert.began) if alert.alert_id == FIRING_ID else None,
        filters={"status": ["error"]},
        runbook="https://wiki.invalid/runbooks/errors, or ask in #support-bot" if alert.severity == "page" else "",
    )


def channels(data: Dataset) -> list[Channel]:
    """One that works, one whose last delivery failed, one never used."""
    return [
        Channel(
            name="on-call",
            type="pagerduty",
            target="service …4f2a",
            severities=["page"],
            last_sent=data.now - timedelta(hours=2),
        ),
        Channel(
            name="team",
            type="slack",
            target="hooks.slack.com/…",
            severities=["page", "ticket"],
            last_sent=data.now - timedelta(hours=9),
            last_error="404 no_service: the webhook was removed",
            queued=2,
        ),
        Channel(name="office-mail", type="email", target="ops@example.invalid", severities=["ticket", "info"]),
    ]


def silences(data: Dataset) -> list[Silence]:
    """One that holds, one to come, one that has ended."""
    now = data.now
    return [
        Silence(
            silence_id="51e0000000000001",
            rule_id="spend-per-group",
            series={"user_group": "free"},
            starts_at=now - timedelta(hours=1),
            ends_at=now + timedelta(hours=3),
            reason="The load test of the free plan runs until noon.",
            by="Ada",
        ),
        Silence(
            silence_id="51e0000000000002",
            starts_at=now + timedelta(days=2),
            ends_at=now + timedelta(days=2, hours=4),
            reason="Move of the database",
            by="Grace",
        ),
        Silence(
            silence_id="51e0000000000003",
            rule_id="slow-calls",
            starts_at=now - timedelta(days=2),
            ends_at=now - timedelta(days=1),
            reason="",
            by="",
        ),
    ]


def rules(data: Dataset) -> list[RuleInfo]:
    """Built in, from a file, and stored through the API."""
    now = data.now
    return [
        _rule(
            {"id": "error-rate", "type": "anomaly", "signal": "error_rate", "severity": "page"},
            "file",
            "The error rate of requests leaves what is usual for its hour and day.",
            firing=1,
            last_fired=now - timedelta(hours=2),
        ),
        _rule(
            {"id": "slow-calls", "type": "anomaly", "signal": "call_latency", "by": ["model"], "name": "Slow calls"},
            "api",
            "The latency of calls, by model, leaves what is usual for its hour and day.",
            series=4,
            firing=1,
            last_fired=now - timedelta(hours=9),
        ),
        _rule(
            {"id": "spend-per-group", "type": "spend", "per": "user_group", "limit_usd": 25.0},
            "api",
            "A user group spends more than $25 in 24 hours; a second dollar $ is no formula.",
            series=6,
            firing=1,
            last_fired=now - timedelta(hours=5),
        ),
        _rule(
            {"id": "refusals", "type": "anomaly", "signal": "refusal_rate"},
            "built_in",
            "The share of answers that decline leaves what is usual for its hour and day.",
            pending=1,
        ),
        _rule(
            {"id": "groundedness", "type": "score_drop", "score": "groundedness"},
            "file",
            "The mean of the score groundedness falls by 0.02 or more.",
            problem="No score of this name has arrived in 14 days.",
            note="Judge not trusted yet (judge 1): kappa 0.31 with 64 labels is below 0.4; alerts on it are held back.",
        ),
        _rule(
            {"id": "weekend-traffic", "type": "threshold", "signal": "requests", "below": 10.0, "enabled": False},
            "api",
            "Requests in 15 minutes are below 10.",
        ),
        _rule(
            {"id": "new-releases", "type": "release_watch"},
            "built_in",
            "After a new prompt version, model or release: is anything worse than before?",
            last_fired=now - timedelta(days=6),
        ),
    ]


def _rule(
    rule: dict[str, object],
    source: str,
    sentence: str,
    *,
    series: int = 1,
    firing: int = 0,
    pending: int = 0,
    last_fired: datetime | None = None,
    problem: str = "",
    note: str = "",
) -> RuleInfo:
    return RuleInfo.model_validate(
        {
            "rule": rule,
            "rule_id": rule["id"],
            "name": rule.get("name", rule["id"]),
            "type": rule["type"],
            "project": "default",
            "severity": rule.get("severity", "ticket"),
            "source": source,
            "enabled": rule.get("enabled", True),
            "sentence": sentence,
            "promise": PROMISE if rule["type"] in ("anomaly", "score_drop") else "",
            "series": series,
            "firing": firing,
            "pending": pending,
            "last_fired": last_fired,
            "problem": problem,
            "note": note,
        }
    )


def _alert(
    now: datetime,
    alert_id: str,
    rule_id: str,
    rule_type: RuleType,
    severity: Severity,
    signal: str,
    state: AlertState = "firing",
    hours: float = 1.0,
) -> Alert:
    units = {"call_latency": "ms", "spend": "nanousd", "requests": "count"}
    began = now - timedelta(hours=hours)
    return Alert.model_validate(
        {
            "alert_id": alert_id,
            "project": "default",
            "rule_id": rule_id,
            "rule_name": rule_id.replace("-", " ").capitalize(),
            "rule_type": rule_type,
            "severity": severity,
            "signal": signal,
            "unit": units.get(signal, "ratio"),
            "state": state,
            "since": began + timedelta(minutes=20),
            "began": began,
            "fired_at": None if state == "pending" else began + timedelta(minutes=20),
            "sentence": "",
        }
    )


def _deliveries(alert: Alert) -> list[Delivery]:
    sent = alert.fired_at or alert.began
    return [
        Delivery(
            key=f"{alert.alert_id}-1", channel="on-call", kind="firing", created_at=sent, state="sent", attempts=1
        ),
        Delivery(
            key=f"{alert.alert_id}-2",
            channel="team",
            kind="firing",
            created_at=sent,
            state="failed",
            attempts=4,
            next_at=sent + timedelta(hours=3),
            error="404 no_service: the webhook was removed",
        ),
    ]


def deliveries(data: Dataset) -> list[Delivery]:
    """The newest notifications of all alerts."""
    return [each for alert in open_alerts(data)[:3] for each in _deliveries(alert)]
