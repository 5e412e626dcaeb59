"""One message to one channel, and its words for people. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol
from urllib.parse import urljoin

from spanwise_collector.alerts.notice import Notice


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent at once.

    Attributes:
        key: the same for each attempt to send the same: what the receiver knows a repeat by. 32 hex digits.
        channel: name.
        notices: what it says, at least one, in order.
        keys: of the notices in the outbox, in the same order.
        dashboard_url: where the dashboard is, for links; empty where that is not configured.
    """

    key: str
    channel: str
    notices: tuple[Notice, ...]
    keys: tuple[str, ...]
    dashboard_url: str = ""


class SendError(Exception):
    """It was not delivered, as far as one can know; the message is for people and holds no secret.

    Attributes:
        retry_after_s: seconds that the receiver asks to wait; None where it does not say.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Sender(Protocol):
    """How a sort of channel sends."""

    def send(self, message: Message) -> str:
        """Deliver it; what is worth knowing although it was delivered, mostly nothing.

        Raises:
            SendError: it was not delivered.
        """
        ...


SEND_S: Final = 30.0
"""Longest time that one request may take, in seconds."""


def link(notice: Notice, dashboard_url: str) -> str:
    """Address of the dashboard's page about it; empty where none can be made."""
    url = urljoin(dashboard_url.rstrip("/") + "/", notice.url) if notice.url and dashboard_url else notice.url
    return url if url.startswith(("http://", "https://")) else ""


def headline(message: Message) -> str:
    """One line for the whole message: a mail's subject, a chat's preview."""
    more = len(message.notices) - 1
    return f"{heading(message.notices[0])}{f' and {more} more' if more else ''}"


def heading(notice: Notice) -> str:
    """What happened, in one line."""
    return " ".join(notice.title.split())


def facts(notice: Notice) -> list[tuple[str, str]]:
    """Label and words of what a person wants to know first; what the text says already is left out."""
    alert = notice.alert
    found = []
    if alert is not None:
        series = ", ".join(f"{name} {value}" for name, value in alert.series.items())
        ended = when(alert.ended_at) if alert.ended_at and notice.kind == "resolved" else ""
        found = [
            ("Where", series),
            ("Since", when(alert.began)),
            ("Until", ended),
            ("Moved most by", alert.top_cause),
            ("False alarms", alert.promise),
            ("Acknowledged by", alert.acknowledged_by),
        ]
    found += [("Project", notice.project), ("Runbook", notice.runbook), *notice.labels]
    said = notice.text.lower()
    return [(label, words) for label, words in found if words and words.lower() not in said]


def sentences(notice: Notice) -> str:
    """What is wrong, for people: the notice's text, with the alert's sentence before it where that is not in it."""
    first = notice.alert.sentence if notice.alert else ""
    return "\n\n".join(part for part in (first if first not in notice.text else "", notice.text.strip()) if part)


def plain(message: Message) -> str:
    """All of it as plain text."""
    parts = []
    for notice in message.notices:
        address = link(notice, message.dashboard_url)
        block = [
            heading(notice),
            *([sentences(notice)] if sentences(notice) else []),
            "\n".join(f"{label}: {words}" for label, words in facts(notice)),
            *([address] if address else []),
        ]
        parts.append("\n\n".join(block))
    return "\n\n---\n\n".join(parts) + "\n"


def when(time: datetime) -> str:
    """A time for people, UTC."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
