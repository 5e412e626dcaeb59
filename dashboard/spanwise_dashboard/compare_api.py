"""Comparisons, and what changed, in the collector's API."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from spanwise_dashboard.client import Client
from spanwise_schemas.api_changes import WhatChanged
from spanwise_schemas.api_compare import Candidates, CompareBy, Comparison

Window = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class CompareApi:
    """Asks one collector about one project. Every method raises an `ApiError` and nothing else."""

    client: Client
    project: str

    def candidates(self, by: CompareBy, window: Window) -> Candidates:
        """Releases, prompt versions or models of a window, the most recently first seen first."""
        start, end = window
        return self.client.get(f"/api/v1/compare/{by}", Candidates, {"project": self.project, "from": start, "to": end})

    def windows(self, first: Window, second: Window, environments: Sequence[str] = ()) -> Comparison:
        """Two windows beside each other."""
        return self._compare("window", "", "", first, second, environments)

    def values(self, by: CompareBy, a: str, b: str, window: Window, environments: Sequence[str] = ()) -> Comparison:
        """Two releases, prompt versions or models beside each other, both in one window."""
        return self._compare(by, a, b, window, window, environments)

    def what_changed(self, signal: str, before: Window, after: Window, environments: Sequence[str] = ()) -> WhatChanged:
        """Why a number moved between two windows, which must not overlap."""
        return self.client.get(
            "/api/v1/what-changed",
            WhatChanged,
            {
                "project": self.project,
                "signal": signal,
                "from": after[0],
                "to": after[1],
                "before_from": before[0],
                "before_to": before[1],
                "environment": environments,
            },
        )

    def _compare(
        self, by: CompareBy, a: str, b: str, first: Window, second: Window, environments: Sequence[str]
    ) -> Comparison:
        return self.client.get(
            "/api/v1/compare",
            Comparison,
            {
                "project": self.project,
                "by": by,
                "a": a,
                "b": b,
                "a_from": first[0],
                "a_to": first[1],
                "from": second[0],
                "to": second[1],
                "environment": environments,
            },
        )
