"""What the alert engine keeps and what it asks of people's side: names, records and narrow Protocols.

Every series of a rule has a key, every stretch in which it is not well an alert id, and every change of an alert's
state a number from 1. What people do to an alert is numbered from `PEOPLE_SEQ` on, so that it never takes an engine's
number.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from pydantic import ConfigDict, Field

from spanwise_schemas.api import Model
from spanwise_schemas.api_alerts import Alert, AlertDetail

RULE_SERIES: Final = "(rule)"
"""Series of the row in `alert_state` that is about a rule as a whole: state "ok" or "error", as body a `RuleBody`."""
REST: Final = "(rest)"
"""Value of each dimension of the series that pools what is beyond `max_series`."""
PEOPLE_SEQ: Final = 1 << 31
"""Numbers of events that people make (acknowledgements) begin here."""


class EventBody(AlertDetail):
    """Body of a row of `alert_events` as JSON: the alert as it stood after the event, and what was known then.

    `events` and `deliveries` stay empty. Only the event that fires has a band, evidence and what changed.
    """

    note: str = Field("", description="Why, where the verdict does not say so.")
    life: dict[str, Any] = Field(default_factory=dict, description="Where the series stood afterwards.")
    tells: str = Field("", description="Kind of the notification that goes with it; empty for none.")


class SeriesBody(Model):
    """Body of the rows of `alert_state` that are about a series."""

    life: dict[str, Any] = Field(description="See `lifecycle.Life`.")
    alert: Alert | None = Field(None, description="The alert as it stood at its last change.")


class RuleBody(Model):
    """Body of the row of `alert_state` whose series is `RULE_SERIES`."""

    model_config = ConfigDict(frozen=False)

    rule_key: str = Field("", description="The rule's id and what it says; another one begins anew.")
    series: int = Field(0, description="How many are watched.")
    firing: int = Field(0, description="How many are firing or recovering.")
    pending: int = 0
    problem: str = Field("", description="Why the last evaluation failed; empty where it did not.")
    note: str = Field("", description="What limits the last evaluation, such as too little history.")
    channels: list[str] = Field(default_factory=list, description="Of the rule, for when it is gone.")
    carried: dict[str, Any] = Field(default_factory=dict, description="Of the rule's evaluator.")
    trouble: dict[str, Any] = Field(default_factory=dict, description="Of its failures: a `lifecycle.Life`.")


@dataclass(frozen=True, slots=True)
class Silencing:
    """A silence as the engine sees it.

    Attributes:
        rule_id: empty for all rules of the project.
        series: dimension to value; all must fit, empty for all series.
        starts_at: UTC.
        ends_at: UTC.
    """

    rule_id: str
    series: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime

    def covers(self, rule_id: str, series: Mapping[str, str], at: datetime) -> bool:
        """Whether a notification about this series at this time is silenced."""
        return (
            self.starts_at <= at < self.ends_at
            and self.rule_id in ("", rule_id)
            and all(series.get(name) == value for name, value in self.series.items())
        )


@dataclass(frozen=True, slots=True)
class Restart:
    """From when on a series is measured against itself anew.

    Attributes:
        rule_id: of the rule; empty for all of the project.
        series: its key (see `series_key`); for all series of the rule: `RULE_SERIES`.
        restart_at: data from here on is the new normal, UTC: for an alert that was expected, when its change began.
        decided_at: when a person said so, UTC.
    """

    rule_id: str
    series: str
    restart_at: datetime
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A person took an alert.

    Attributes:
        by: who.
        at: when, UTC.
        expected: the change is wanted: the alert ends, and what is usual begins anew (a `Restart` is stored too).
        note: what they said.
    """

    by: str
    at: datetime
    expected: bool
    note: str = ""


class People(Protocol):
    """What people have said; read once per project and round."""

    def silences(self, project: str, now: datetime) -> Sequence[Silencing]:
        """Those that hold at `now`."""
        ...

    def restarts(self, project: str) -> Sequence[Restart]:
        """All of the last 60 days."""
        ...

    def acknowledged(self, project: str, alert_ids: Sequence[int]) -> Mapping[int, Acknowledgement]:
        """The newest acknowledgement of each of these alerts that has one."""
        ...


def series_key(series: Mapping[str, str]) -> str:
    """A series as the tables name it: JSON with sorted names; empty for a rule that is not split."""
    return json.dumps(dict(series), sort_keys=True, ensure_ascii=False, separators=(",", ":")) if series else ""


def series_of(key: str) -> dict[str, str]:
    """What `series_key` was made of."""
    return {str(name): str(value) for name, value in json.loads(key).items()} if key else {}


def alert_id_of(project: str, rule_key: str, series: str, start: datetime) -> int:
    """The alert of a series that begins with the evaluation at `start`: the same for whoever computes it."""
    text = "\0".join((project, rule_key, series, str(int(start.timestamp() * 1000))))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def alert_hex(alert_id: int) -> str:
    """An alert's id as the API writes it: 16 hex digits."""
    return f"{alert_id:016x}"
