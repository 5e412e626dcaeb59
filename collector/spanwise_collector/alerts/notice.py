"""What is told to people: the seam between evaluating rules and delivering."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from spanwise_schemas.api_alerts import Alert
from spanwise_schemas.rules import Severity

NoticeKind = Literal["firing", "repeat", "resolved", "acknowledged", "no_data", "error", "test", "digest"]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell once, on each channel that it goes to.

    Attributes:
        key: the same for the same event however often and by whomever it is made: alert, number of the event, kind, and
            for repeats which one. With a channel's name it is the key of the outbox.
        project: whose alert.
        kind: what happened.
        at: when, UTC.
        severity: decides the channels where the rule names none.
        channels: names of channels; empty for all that take the severity.
        alert: as it stood then; None for a digest.
        title: the first line.
        text: the rest, plain text.
        url: of the dashboard's page about it; relative where no address is configured.
        runbook: address or words; may be empty.
        labels: of the rule.
    """

    key: str
    project: str
    kind: NoticeKind
    at: datetime
    severity: Severity
    channels: tuple[str, ...]
    alert: Alert | None
    title: str
    text: str
    url: str = ""
    runbook: str = ""
    labels: tuple[tuple[str, str], ...] = ()
