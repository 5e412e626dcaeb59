"""A webhook: JSON with a signature. docs/alerts.md has the form of both, for those who receive them."""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from spanwise_collector.alerts.channels.http import Poster
from spanwise_collector.alerts.channels.message import Message, link
from spanwise_collector.alerts.channels.secrets import Secret

SIGNATURE: Final = "Spanwise-Signature"
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Webhook:
    """Posts JSON to an address.

    Attributes:
        url: where; may itself be a secret.
        secret: what it is signed with; without, it is not signed.
        poster: sends it.
        now: the time of day, UTC.
    """

    url: Callable[[], str]
    secret: Secret
    poster: Poster
    now: Callable[[], datetime]

    def send(self, message: Message) -> str:
        """See `Sender.send`."""
        content = body(message)
        headers = {"Content-Type": "application/json", "Idempotency-Key": message.key}
        if self.secret.is_given:
            headers[SIGNATURE] = signature(content, self.secret.read(), int(self.now().timestamp()))
        self.poster.post(self.url(), content, headers)
        return ""


def signature(content: bytes, secret: str, time_s: int) -> str:
    """The header's value: when it was made, and HMAC-SHA256 of `<time>.<body>`.

    Args:
        content: the body as it is sent.
        secret: shared with the receiver.
        time_s: seconds since the epoch.
    """
    made = hmac.new(secret.encode(), f"{time_s}.".encode() + content, hashlib.sha256)
    return f"t={time_s},v1={made.hexdigest()}"


def body(message: Message) -> bytes:
    """The document; the same for each attempt."""
    document = {
        "version": VERSION,
        "id": message.key,
        "channel": message.channel,
        "project": message.notices[0].project,
        "notifications": [
            {
                "key": key,
                "kind": notice.kind,
                "at": notice.at.isoformat(),
                "severity": notice.severity,
                "title": notice.title,
                "text": notice.text,
                "url": link(notice, message.dashboard_url),
                "runbook": notice.runbook,
                "labels": dict(notice.labels),
                "alert": notice.alert.model_dump(mode="json") if notice.alert else None,
            }
            for key, notice in zip(message.keys, message.notices, strict=True)
        ],
    }
    return json.dumps(document, ensure_ascii=False).encode()
