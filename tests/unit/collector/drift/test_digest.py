"""Digests on the real engine: what changed is found with its size and its beginning, quiet days are quiet."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from spanwise_collector.alerts.notice import Notice
from spanwise_collector.api.app import create_app
from spanwise_collector.drift.digest import digest, last_whole_day
from spanwise_collector.drift.digests import Digests
from spanwise_collector.drift.reports import store_report, stored_report
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Database
from spanwise_schemas.api_drift import DriftReport
from tests.support.signal_rows import START, insert_weeks

DAYS = 30
DAY = datetime.fromtimestamp(START, UTC).date() + timedelta(days=DAYS - 1)
FROM = (DAYS - 1) * 24
"""Midnight, when the day begins."""


def since_midnight(**factors: float) -> Callable[[int], Mapping[str, float]]:
    """A change that begins at `FROM`."""

    def change(hour: int) -> Mapping[str, float]:
        return factors if hour >= FROM else {}

    return change


def found(report: DriftReport) -> set[str]:
    """Signals of the findings."""
    return {one.signal for one in report.findings}


def test_quiet_days_are_quiet(database: Database) -> None:
    """Nothing is found on the last days of a steady application, and everything with data was tested."""
    insert_weeks(database, days=DAYS)
    reports = [digest(database, "default", DAY - timedelta(days=back)) for back in range(5)]
    assert [found(report) for report in reports] == [set()] * 5
    assert {"error_rate", "latency", "requests", "cost_per_call", "model_mix"} <= {
        one.signal for one in reports[0].watched if one.verdict == "usual"
    }
    assert reports[0].history_days >= 22


@pytest.mark.parametrize(
    ("factors", "signal", "direction", "size"),
    [
        ({"errors": 4.0}, "error_rate", "up", 3.0),
        ({"latency": 1.4}, "latency", "up", 0.4),
        ({"latency": 0.7}, "latency", "down", -0.3),
        ({"cost": 1.5}, "cost_per_call", "up", 0.5),
        ({"volume": 0.5}, "requests", "down", -0.5),
        ({"refusals": 6.0}, "refusal_rate", "up", 5.0),
    ],
)
def test_a_change_is_found(
    database: Database, factors: dict[str, float], signal: str, direction: str, size: float
) -> None:
    """With its direction, an interval that holds the truth, and the hour at which it began."""
    insert_weeks(database, days=DAYS, change=since_midnight(**factors))
    report = digest(database, "default", DAY)
    one = next(one for one in report.findings if one.signal == signal and not one.series)

    assert (one.direction, one.relative) == (direction, True)
    assert one.change_low is not None
    assert one.change_high is not None
    assert one.change_low - 0.1 < size < one.change_high + 0.1
    assert one.began is not None
    assert abs((one.began.timestamp() - START) / 3600 - FROM) <= 3
    assert one.band is not None
    assert len(one.band.times) * one.band.step_seconds == 8 * 86_400
    assert "is usual for these hours" in one.sentence


def test_a_category_that_moved_is_one_finding(database: Database) -> None:
    """However many of its values moved; with the share of each before and after."""
    insert_weeks(database, days=DAYS, change=since_midnight(model_b=0.6))
    report = digest(database, "default", DAY)
    (mix,) = [one for one in report.findings if one.signal == "model_mix"]
    assert (mix.form, mix.direction) == ("categorical", "changed")
    shares = {one.value: one for one in mix.shares}
    assert set(shares) == {"m-a", "m-b"}
    assert shares["m-b"].before == pytest.approx(0.3, abs=0.03)
    assert shares["m-b"].after == pytest.approx(0.6, abs=0.03)
    assert "error_rate" not in found(report)


def test_young_and_small_projects_are_told_so(database: Database) -> None:
    """Less than a week of history, or next to no traffic: nothing is claimed, and the reason is said."""
    insert_weeks(database, days=4)
    insert_weeks(database, days=DAYS, per_hour=1.0, project="small")
    young = digest(database, "default", datetime.fromtimestamp(START, UTC).date() + timedelta(days=3))
    small = digest(database, "small", DAY)
    empty = digest(database, "nobody", DAY)

    assert (young.findings, {one.verdict for one in young.watched}) == ([], {"too_new"})
    assert {one.verdict for one in small.watched if one.signal == "error_rate"} == {"too_few"}
    assert (empty.findings, empty.watched, empty.tested, empty.days) == ([], [], 0, [])


def test_reports_are_kept(database: Database) -> None:
    """What was stored is read back whole; a later digest of the day takes its place."""
    insert_weeks(database, days=DAYS, change=since_midnight(errors=4.0))
    report = digest(database, "default", DAY)
    assert stored_report(database, "default", DAY) is None
    store_report(database, report.model_copy(update={"tested": 1}), datetime(2026, 4, 1, 1, tzinfo=UTC))
    store_report(database, report, datetime(2026, 4, 1, 2, tzinfo=UTC))
    assert stored_report(database, "default", DAY) == report
    assert stored_report(database, "other", DAY) is None


class Told:
    """An outbox that remembers."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    def enqueue(self, notice: Notice) -> None:
        """Take a notice."""
        self.notices.append(notice)


def test_a_day_is_digested_once_and_people_are_told(database: Database) -> None:
    """Half an hour after midnight the digest is made and told; rounds after it have nothing to do."""
    insert_weeks(database, days=DAYS, change=since_midnight(errors=4.0))
    database.command("ALTER TABLE signals_1h UPDATE n_err = n_err WHERE 0")
    told = Told()
    clock = [datetime.combine(DAY + timedelta(days=1), datetime.min.time(), UTC)]
    digests = Digests(database, told, texts=None, now=lambda: clock[0])
    clock[0] += timedelta(minutes=20)
    early = dict(digests.step())
    clock[0] += timedelta(minutes=20)
    made = (dict(digests.step()), dict(digests.step()))

    assert early == {"digests": 1, "findings": 0, "more": 1}  # of the day before
    assert made == ({"digests": 1, "findings": made[0]["findings"], "more": 1}, {})
    (notice,) = told.notices
    assert (notice.key, notice.kind, notice.severity) == (f"digest:default:{DAY}", "digest", "info")
    assert "Error rate is" in notice.text
    assert "fewer than one is false" in notice.text


def test_the_api_makes_and_gives_digests(database: Database) -> None:
    """Of the last whole day unless asked for another, with the days that have data."""
    insert_weeks(database, days=DAYS, change=since_midnight(errors=4.0))
    now = datetime.combine(DAY + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=3)
    assert last_whole_day(now) == DAY
    app = create_app(database=database, settings=Settings(clickhouse="chdb:///unused"), clock=lambda: now)
    with TestClient(app) as client:
        answer = client.get("/api/v1/drift")
        other = client.get("/api/v1/drift", params={"day": str(date(2026, 3, 10))})
    report = DriftReport.model_validate_json(answer.content)
    assert (answer.status_code, report.day) == (200, DAY)
    assert "error_rate" in found(report)
    assert report.days[:2] == [DAY, DAY - timedelta(days=1)]
    assert DriftReport.model_validate_json(other.content).day == date(2026, 3, 10)
