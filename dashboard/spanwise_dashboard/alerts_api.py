"""Alerts, rules, silences, channels and drift in the collector's API."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from urllib.parse import quote

from spanwise_dashboard.client import Client
from spanwise_dashboard.errors import NotFoundError
from spanwise_schemas.api_alerts import (
    Acknowledge,
    AlertDetail,
    AlertPage,
    AlertState,
    BackTest,
    Channels,
    ChannelTest,
    RuleCheck,
    RuleDraft,
    RulePage,
    Silence,
    Silences,
)
from spanwise_schemas.api_drift import DriftReport

OPEN: Final[tuple[AlertState, ...]] = ("firing", "recovering", "pending", "no_data", "error")
"""States of what has not ended."""
PAST: Final[tuple[AlertState, ...]] = ("firing", "recovering", "resolved", "no_data", "error")
"""States of what was once worth telling: pending alerts that came to nothing are none of these."""


@dataclass(frozen=True, slots=True)
class AlertsApi:
    """Asks one collector about one project. Every method raises an `ApiError` and nothing else."""

    client: Client
    project: str

    def alerts(
        self,
        states: Sequence[AlertState],
        *,
        rule_id: str = "",
        window: tuple[datetime, datetime] | None = None,
        limit: int = 50,
        cursor: str = "",
    ) -> AlertPage:
        """Alerts in these states, newest first; of one rule, and of a window, where these are given."""
        start, end = window or (None, None)
        parameters = {"project": self.project, "state": states, "rule": rule_id, "from": start, "to": end}
        return self.client.get("/api/v1/alerts", AlertPage, {**parameters, "limit": limit, "cursor": cursor})

    def alert(self, alert_id: str) -> AlertDetail:
        """One alert with its evidence."""
        return self.client.get(f"/api/v1/alerts/{_part(alert_id)}", AlertDetail, {"project": self.project})

    def acknowledge(self, alert_id: str, taken: Acknowledge) -> None:
        """A person takes the alert, or says that the change is wanted."""
        self.client.change("POST", f"/api/v1/alerts/{_part(alert_id)}/acknowledge", self._here, taken)

    def rules(self) -> RulePage:
        """All rules."""
        return self.client.get("/api/v1/rules", RulePage, self._here)

    def check(self, draft: RuleDraft) -> RuleCheck:
        """Whether a rule can be used, and what is wrong with it."""
        return self.client.send("POST", "/api/v1/rules/check", RuleCheck, self._here, draft)

    def back_test(self, draft: RuleDraft, start: datetime, end: datetime) -> BackTest:
        """When a rule would have fired in [start, end)."""
        path = "/api/v1/rules/back-test"
        return self.client.send("POST", path, BackTest, {"project": self.project, "from": start, "to": end}, draft)

    def save(self, rule_id: str, draft: RuleDraft) -> None:
        """Stores a rule under its id."""
        self.client.change("PUT", f"/api/v1/rules/{_part(rule_id)}", self._here, draft)

    def delete(self, rule_id: str) -> None:
        """Deletes a stored rule."""
        self.client.change("DELETE", f"/api/v1/rules/{_part(rule_id)}", self._here)

    def channels(self) -> Channels:
        """Where notifications go, and the newest of them."""
        return self.client.get("/api/v1/channels", Channels, self._here)

    def test_channel(self, name: str) -> ChannelTest:
        """Sends a test notification now."""
        return self.client.send("POST", f"/api/v1/channels/{_part(name)}/test", ChannelTest, self._here)

    def silences(self) -> Silences:
        """Silences that hold or will hold, and those of the last days."""
        return self.client.get("/api/v1/silences", Silences, self._here)

    def silence(self, wanted: Silence) -> None:
        """Tells nobody for a while."""
        self.client.change("POST", "/api/v1/silences", self._here, wanted)

    def lift(self, silence_id: str) -> None:
        """Ends a silence."""
        self.client.change("DELETE", f"/api/v1/silences/{_part(silence_id)}", self._here)

    def drift(self, day: date | None) -> DriftReport:
        """The digest of a day, of the newest without one."""
        return self.client.get("/api/v1/drift", DriftReport, {**self._here, "day": day.isoformat() if day else ""})

    @property
    def _here(self) -> dict[str, str]:
        return {"project": self.project}


def _part(identifier: str) -> str:
    # Ids come from the address bar: none may become more than one part of a path.
    if identifier.strip(".") == "":
        raise NotFoundError(f"{identifier!r} is not an id.", remedy="Open it from the list.")
    return quote(identifier, safe="")
