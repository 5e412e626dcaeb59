"""Failures in the collector's API."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from spanwise_dashboard.client import Client, segment
from spanwise_dashboard.failures_place import STATES, FailuresPlace
from spanwise_schemas.api_failures import IssueChange, IssueDetail, IssueMerge, IssuePage, IssueSplit

Window = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class FailuresApi:
    """Asks one collector about one project. Every method raises an `ApiError` and nothing else."""

    client: Client
    project: str

    def issues(
        self,
        window: Window,
        place: FailuresPlace,
        *,
        text: str = "",
        environments: Sequence[str] = (),
        limit: int = 100,
    ) -> IssuePage:
        """Issues with failures in a window, as a place lists them; `text` is part of the title."""
        start, end = window
        return self.client.get(
            "/api/v1/failures",
            IssuePage,
            {
                "project": self.project,
                "from": start,
                "to": end,
                "class": place.classes,
                "state": STATES[place.shown],
                "q": text,
                "order": place.order,
                "environment": environments,
                "limit": limit,
            },
        )

    def issue(self, issue_id: str, window: Window) -> IssueDetail:
        """One issue, its course and examples from the window."""
        start, end = window
        path = f"/api/v1/failures/{segment(issue_id)}"
        return self.client.get(path, IssueDetail, {"project": self.project, "from": start, "to": end})

    def change(self, issue_id: str, said: IssueChange) -> None:
        """A person gives the issue a state."""
        self.client.change("POST", f"/api/v1/failures/{segment(issue_id)}", self._here, said)

    def merge(self, issue_id: str, said: IssueMerge) -> None:
        """Makes other issues a part of this one."""
        self.client.change("POST", f"/api/v1/failures/{segment(issue_id)}/merge", self._here, said)

    def split(self, issue_id: str, said: IssueSplit) -> str:
        """Makes fingerprints an issue of their own; returns its id."""
        path = f"/api/v1/failures/{segment(issue_id)}/split"
        return self.client.send("POST", path, IssueDetail, self._here, said).issue.issue_id

    @property
    def _here(self) -> dict[str, str]:
        return {"project": self.project}
