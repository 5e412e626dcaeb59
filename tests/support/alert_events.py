"""Alerts as the engine leaves them in the store, for tests that read them."""

from datetime import timedelta
from typing import Any

from spanwise_collector.alerts.evaluate.ledger import Event, write_events
from spanwise_collector.alerts.state import EventBody, series_key
from spanwise_collector.store.database import Database
from spanwise_schemas.api_alerts import Band
from tests.support.notices import NOW, alert

BAND = Band(times=[NOW], step_seconds=3600, values=[0.08], expected=[0.02], low=[0.01], high=[0.03])


def happened(
    database: Database | None, number: int, *states: str, minutes: int = 0, every: int = 10, **values: Any
) -> list[Event]:
    """Store that `alert(number)` went through states, from so many minutes after NOW on; of firing it is known why.

    Without a database the events are only made.
    """
    events = []
    before = "inactive"
    for seq, state in enumerate(states, 1):
        at = NOW + timedelta(minutes=minutes + (seq - 1) * every)
        known = {
            "state": state,
            "since": at,
            "fired_at": at if state == "firing" else None,
            "ended_at": at if state == "resolved" else None,
        }
        body = EventBody(alert=alert(number, **{**known, **values}), filters={"model": [f"m{number}"]})
        if state == "firing":
            body = body.model_copy(update={"band": BAND, "evidence": {"Samples": "1,200"}, "note": "why"})
        told = body.alert
        events.append(
            Event(
                told.project,
                told.rule_id,
                series_key(told.series),
                int(told.alert_id, 16),
                seq,
                int(at.timestamp()),
                before,
                state,
                "",
                body,
            )
        )
        before = state
    if database is not None:
        write_events(database, events)
    return events
