"""Digests as a part of the service: once a day for each project, some time after the day is over."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from spanwise_collector.alerts.notice import Notice
from spanwise_collector.drift.digest import Texts, digest, last_whole_day
from spanwise_collector.drift.reports import Store, store_report, stored_report
from spanwise_collector.periodic import MORE
from spanwise_schemas.api_drift import DriftReport

SETTLED_AFTER: Final = timedelta(minutes=30)
"""After midnight UTC, so that the day's last spans are stored."""
ACTIVE_WITHIN: Final = timedelta(days=3)
"""A project without data for so long gets no digest."""
_LINES: Final = 10
COUNTS: Final = {"digests": "Digests made.", "findings": "Findings in them."}


class Outbox(Protocol):
    """Where notices go; the same notice twice is told once."""

    def enqueue(self, notice: Notice) -> object:
        """Take a notice."""
        ...


class Digests:
    """Makes digests.

    What two collectors do at once is done once, since a day's digest is the same for both.

    Args:
        store: the database.
        outbox: is told of findings.
        texts: drift of texts; None leaves it out.
        now: the time of day, UTC.
    """

    def __init__(self, store: Store, outbox: Outbox, *, texts: Texts | None, now: Callable[[], datetime]) -> None:
        self._store = store
        self._outbox = outbox
        self._texts = texts
        self._now = now

    def step(self) -> Mapping[str, int]:
        """Make the digest of one project that is due; what was done.

        Raises:
            StoreError: as the store says; the next round tries again.
        """
        now = self._now().astimezone(UTC)
        day = last_whole_day(now - SETTLED_AFTER)
        due = (one for one in self._projects() if stored_report(self._store, one, day) is None)
        project = next(due, None)
        if project is None:
            return {}
        report = digest(self._store, project, day, self._texts)
        if report.findings:
            # Before the report is kept: after a crash in between it is told again under the same key, which is once.
            self._outbox.enqueue(notice_of(report, now))
        store_report(self._store, report, now)
        return {"digests": 1, "findings": len(report.findings), MORE: 1}

    def _projects(self) -> list[str]:
        since = int((self._now() - ACTIVE_WITHIN).timestamp())
        rows = self._store.query(
            "SELECT DISTINCT project_id FROM signals_1h WHERE time > toDateTime({since:UInt32}, 'UTC')",
            {"since": since},
        ).rows
        return sorted(project for (project,) in rows)


def notice_of(report: DriftReport, now: datetime) -> Notice:
    """What people are told of a digest; it never pages."""
    count = len(report.findings)
    lines = [f"- {one.sentence}" for one in report.findings[:_LINES]]
    if count > _LINES:
        lines.append(f"- and {count - _LINES} more")
    expected = (
        f"Of ten such findings fewer than one is false, on average ({report.tested} series were tested together)."
    )
    return Notice(
        key=f"digest:{report.project}:{report.day.isoformat()}",
        project=report.project,
        kind="digest",
        at=now,
        severity="info",
        channels=(),
        alert=None,
        title=f"{report.project}: {count} {'thing is' if count == 1 else 'things are'} different on {report.day}",
        text="\n".join([*lines, "", expected]),
        url=f"drift?project={report.project}&day={report.day.isoformat()}",
    )
