"""A day's digest: everything is tried, and of all trials so many are reported that few of them are false."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol

import numpy as np

from spanwise_collector.alerts.evaluate.base import DAY_S, HOUR_S
from spanwise_collector.alerts.signals import Source, read
from spanwise_collector.drift.findings import mix_finding, numeric_finding, watched
from spanwise_collector.drift.subjects import subjects
from spanwise_collector.drift.trial import Trial, tried, window_of
from spanwise_collector.stats.eprocess import e_bh
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_drift import DriftReport, Finding

FALSE_DISCOVERIES: Final = 0.05
MAX_SCORES: Final = 20
SHOWN_DAYS: Final = 28


@dataclass(frozen=True, slots=True)
class TextTrial:
    """Texts of one side on a day.

    Attributes:
        log_e: logarithm of the e-value.
        finding: what to report, if it is.
    """

    log_e: float
    finding: Finding


class Texts(Protocol):
    """What is known of a project's texts."""

    def trials(self, project: str, start: int, end: int) -> tuple[Sequence[TextTrial], Mapping[str, str]]:
        """What to test, and for `input` and `output` how it is compared or why it is not."""
        ...


class NoTexts:
    """Where texts are not read."""

    def trials(self, project: str, start: int, end: int) -> tuple[Sequence[TextTrial], Mapping[str, str]]:
        """None."""
        return [], dict.fromkeys(("input", "output"), "Texts are not read by this collector.")


def digest(reader: Reader, project: str, day: date, texts: Texts | None = None) -> DriftReport:
    """What drifted on a day.

    Args:
        reader: the store.
        project: whose.
        day: a whole day, UTC.
        texts: for drift of texts; None leaves it out.

    Raises:
        StoreError: see `Reader.query`.
    """
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    trials: list[Trial] = []
    first, last = window_of(start)
    wanted = subjects(project, _scores(reader, project, start))
    columns: dict[Source, set[str]] = {}
    for subject in wanted:
        columns.setdefault(subject.source, set()).update(subject.columns)
    blocks = {source: read(reader, source, found, first, last, HOUR_S) for source, found in columns.items()}
    for subject in wanted:
        trials += tried(subject, blocks[subject.source], start)
    known, compared = (texts or NoTexts()).trials(project, start, start + DAY_S)
    tested = [one for one in trials if one.verdict == "tested"]
    log_e = np.array([*(one.log_e for one in tested), *(one.log_e for one in known)])
    reported = e_bh(log_e, FALSE_DISCOVERIES) if log_e.size else np.zeros(0, dtype=np.bool_)
    drifted = [one for one, chosen in zip(tested, reported, strict=False) if chosen and one.is_large]
    texts_found = [one.finding for one, chosen in zip(known, reported[len(tested) :], strict=True) if chosen]
    findings = [*_findings(drifted, trials, day.isoformat()), *texts_found]
    findings.sort(key=lambda one: -one.e_value)
    told = {id(one) for one in drifted}
    return DriftReport(
        project=project,
        day=day,
        start=datetime.fromtimestamp(start, UTC),
        end=datetime.fromtimestamp(start + DAY_S, UTC),
        findings=findings,
        tested=int(log_e.size),
        false_discovery_rate=FALSE_DISCOVERIES,
        history_days=max((one.days for one in trials), default=0.0),
        watched=[watched(one) for one in trials if id(one) not in told],
        texts=dict(compared),
        days=days_with_data(reader, project, start + DAY_S),
    )


def _findings(drifted: Sequence[Trial], trials: Sequence[Trial], day: str) -> list[Finding]:
    found = [numeric_finding(one, day) for one in drifted if one.subject.signal.form != "shares"]
    for name in dict.fromkeys(one.subject.signal.name for one in drifted if one.subject.signal.form == "shares"):
        of_signal = [one for one in trials if one.subject.signal.name == name and one.verdict == "tested"]
        found.append(mix_finding(of_signal, [one for one in drifted if one.subject.signal.name == name], day))
    return found


def days_with_data(reader: Reader, project: str, end: int) -> list[date]:
    """Whole days with requests, of the last four weeks before `end` (seconds since the epoch), newest first."""
    rows = reader.query(
        "SELECT DISTINCT toUnixTimestamp(toStartOfDay(time)) AS day FROM signals_1h "
        "WHERE project_id = {project:String} AND time >= toDateTime({start:UInt32}, 'UTC') "
        "AND time < toDateTime({end:UInt32}, 'UTC') ORDER BY day DESC",
        {"project": project, "start": end - SHOWN_DAYS * DAY_S, "end": end},
    ).rows
    return [datetime.fromtimestamp(day, UTC).date() for (day,) in rows]


def last_whole_day(now: datetime) -> date:
    """The last day that is over, UTC."""
    return (now.astimezone(UTC) - timedelta(days=1)).date()


def _scores(reader: Reader, project: str, start: int) -> list[str]:
    rows = reader.query(
        "SELECT name FROM scores WHERE project_id = {project:String} AND value IS NOT NULL "
        "AND ts >= toDateTime({start:UInt32}, 'UTC') - INTERVAL 14 DAY AND ts < toDateTime({start:UInt32}, 'UTC') "
        f"+ INTERVAL 1 DAY GROUP BY name ORDER BY count() DESC, name LIMIT {MAX_SCORES}",
        {"project": project, "start": start},
    ).rows
    return [name for (name,) in rows]
