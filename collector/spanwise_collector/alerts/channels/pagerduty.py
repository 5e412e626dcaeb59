"""PagerDuty, Events API v2: one incident per alert, told apart by its `dedup_key`.

https://developer.pagerduty.com/docs/send-alert-event
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from spanwise_collector.alerts.channels.http import Poster
from spanwise_collector.alerts.channels.message import Message, SendError, facts, link, sentences
from spanwise_collector.alerts.channels.secrets import Secret, without
from spanwise_collector.alerts.notice import Notice

EVENTS_URL: Final = "https://events.pagerduty.com/v2/enqueue"
_ACTIONS: Final = {"resolved": "resolve", "acknowledged": "acknowledge"}
_SEVERITIES: Final = {"page": "critical", "ticket": "warning", "info": "info"}
_SUMMARY: Final = 1024
_KEY: Final = 255


@dataclass(frozen=True, slots=True)
class PagerDuty:
    """Sends events; each message has one notice.

    Attributes:
        url: of the Events API.
        routing_key: of the service's integration.
        poster: sends it.
    """

    url: Callable[[], str]
    routing_key: Secret
    poster: Poster

    def send(self, message: Message) -> str:
        """See `Sender.send`. A test opens an incident and closes it."""
        key = self.routing_key.read()
        for notice, item in zip(message.notices, message.keys, strict=True):
            actions = ["trigger", "resolve"] if notice.kind == "test" else [_ACTIONS.get(notice.kind, "trigger")]
            for action in actions:
                document = {"routing_key": key, **event(notice, action, item, message.dashboard_url)}
                try:
                    self.poster.post(self.url(), json.dumps(document).encode(), {"Content-Type": "application/json"})
                except SendError as error:
                    raise SendError(without(str(error), key), retry_after_s=error.retry_after_s) from None
        return ""


def event(notice: Notice, action: str, item: str, dashboard_url: str) -> dict[str, Any]:
    """An event without its routing key.

    Args:
        notice: what happened.
        action: trigger, acknowledge or resolve.
        item: the notice's key in the outbox, for what is about no alert.
        dashboard_url: for the link.
    """
    found: dict[str, Any] = {"event_action": action, "dedup_key": dedup_key(notice, item)}
    if action != "trigger":
        return found
    alert, address = notice.alert, link(notice, dashboard_url)
    found |= {
        "payload": {
            "summary": _cut(f"{alert.rule_name}: {alert.sentence}" if alert else notice.title),
            "source": notice.project,
            "severity": _SEVERITIES[notice.severity] if notice.kind not in ("no_data", "error") else "warning",
            "timestamp": (alert.began if alert else notice.at).isoformat(),
            "component": alert.signal if alert else "",
            "group": alert.rule_id if alert else "",
            "class": alert.rule_type if alert else notice.kind,
            "custom_details": {"text": sentences(notice), **dict(facts(notice))},
        },
        "client": "Spanwise",
    }
    if address:
        found |= {"client_url": address, "links": [{"href": address, "text": "Open in Spanwise"}]}
    return found


def _cut(summary: str) -> str:
    return " ".join(summary.split())[:_SUMMARY]


def dedup_key(notice: Notice, item: str) -> str:
    """The same for everything about one alert."""
    return f"spanwise:{notice.project[:200]}:{notice.alert.alert_id}" if notice.alert else f"spanwise:{item}"[:_KEY]
