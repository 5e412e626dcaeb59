"""Alerts and notices for tests."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from spanwise_collector.alerts.notice import Notice
from spanwise_schemas.api_alerts import Alert

HEADS = {
    "firing": "Firing",
    "repeat": "Still firing",
    "resolved": "Resolved",
    "acknowledged": "Acknowledged",
    "no_data": "No data",
    "error": "Not evaluated",
    "test": "Test",
    "digest": "Digest",
}
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def alert(number: int = 1, **values: Any) -> Alert:
    """An alert of the rule `errors` of the project shop."""
    made: dict[str, Any] = {
        "alert_id": f"{number:016x}",
        "project": "shop",
        "rule_id": "errors",
        "rule_name": "Errors",
        "rule_type": "anomaly",
        "severity": "page",
        "signal": "error_rate",
        "unit": "ratio",
        "series": {"model": f"m{number}"},
        "state": "firing",
        "since": NOW,
        "began": NOW - timedelta(hours=2),
        "fired_at": NOW,
        "sentence": "Error rate is 8.1 %, usual at this hour is 2.0 %.",
        "value": 0.081,
        "expected": 0.02,
        "promise": "expect one such false alarm in 30 days",
        "top_cause": "prompt ask@v2",
    }
    return Alert.model_validate(made | values)


def notice(number: int = 1, kind: str = "firing", **values: Any) -> Notice:
    """A notice about `alert(number)`."""
    found = Notice(
        key=f"{number:016x}:1:{kind}",
        project="shop",
        kind=kind,  # type: ignore[arg-type]
        at=NOW,
        severity="page",
        channels=("hook",),
        alert=alert(number),
        title=f"{HEADS[kind]}: Errors (model m{number})",
        text="Examples:\n- trace 0af7651916cd43dd8448eb211c80319c: timeout",
        url="/alerts?alert=1",
        runbook="https://runbooks.example/errors",
        labels=(("team", "search"),),
    )
    return replace(found, **values)
