"""What judges of a project did, cost, and got wrong; whether they have changed."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final

from spanwise_collector.evals import anchor_change
from spanwise_collector.evals.anchors import ANCHOR
from spanwise_collector.evals.outcomes import ERROR, OVER_BUDGET
from spanwise_collector.query.values import EPOCH
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_judges import (
    AnchorReport,
    AnchorReports,
    JudgeBudget,
    JudgeError,
    JudgeErrors,
    JudgeStatus,
    Measured,
)

MAX_RUNS: Final = 500_000


def statuses(
    reader: Reader, project: str, start: datetime, end: datetime, now: datetime, timeout_s: float
) -> list[JudgeStatus]:
    """What each judge and evaluator did, by name.

    Raises:
        StoreError: as the store says.
    """
    rows = reader.query(
        "SELECT judge, outcome, sum(n), sum(cost_n), max(toUnixTimestamp(time)) FROM judge_outcomes "
        "WHERE project_id = {project:String} AND time >= {start:DateTime} AND time < {end:DateTime} "
        "GROUP BY judge, outcome ORDER BY judge, outcome",
        {"project": project, "start": start, "end": end},
        timeout_s=timeout_s,
    ).rows
    by_judge = defaultdict(list)
    for judge, outcome, n, cost_n, last in rows:
        by_judge[judge].append((outcome, int(n), int(cost_n), int(last)))
    budgets = _budgets(reader, project, now, timeout_s)
    return [
        JudgeStatus(
            judge=judge,
            outcomes={outcome: n for outcome, n, _, _ in found},
            cost_nanousd=sum(cost_n for _, _, cost_n, _ in found),
            last_at=EPOCH + timedelta(seconds=max(last for *_, last in found)),
            budget=budgets.get(judge),
        )
        for judge, found in by_judge.items()
    ]


def errors(reader: Reader, project: str, start: datetime, end: datetime, timeout_s: float) -> JudgeErrors:
    """Errors by judge and class, the most frequent first.

    Raises:
        StoreError: as the store says.
    """
    rows = reader.query(
        # Whether it was an anchor's makes no other error of it.
        f"SELECT judge, replaceOne(outcome, '{ANCHOR}_', '') AS error, sum(n) AS count, max(toUnixTimestamp(time)), "
        "argMax(message, time) FROM judge_outcomes "
        "WHERE project_id = {project:String} AND time >= {start:DateTime} AND time < {end:DateTime} "
        f"AND position(outcome, '{ERROR}') > 0 GROUP BY judge, error ORDER BY count DESC, judge, error",
        {"project": project, "start": start, "end": end},
        timeout_s=timeout_s,
    ).rows
    return JudgeErrors(
        items=[
            JudgeError(
                judge=judge,
                error=error.removeprefix(ERROR),
                count=int(n),
                last_at=EPOCH + timedelta(seconds=int(last)),
                last_message=message,
            )
            for judge, error, n, last, message in rows
        ]
    )


def anchor_reports(reader: Reader, project: str, since: datetime, timeout_s: float) -> AnchorReports:
    """Of each judge with anchors, in its newest version, whether it has changed.

    Args:
        reader: the store.
        project: of the judges.
        since: verdicts from here on are compared with the first ones.
        timeout_s: of the query.

    Raises:
        StoreError: as the store says.
    """
    rows = reader.query(
        "SELECT judge, judge_version, model, anchor_id, human, value, toUnixTimestamp64Milli(slot) AS at "
        "FROM judge_anchors FINAL WHERE project_id = {project:String} AND (judge, judge_version) IN "
        "(SELECT judge, argMax(judge_version, ts) FROM judge_anchors WHERE project_id = {project:String} "
        "GROUP BY judge) "
        f"ORDER BY judge, at DESC LIMIT {MAX_RUNS}",
        {"project": project},
        timeout_s=timeout_s,
    ).rows
    runs = defaultdict(list)
    for judge, version, model, anchor_id, human, value, at in rows:
        slot = EPOCH + timedelta(milliseconds=int(at))
        runs[judge, version, model].append(anchor_change.Run(anchor_id, slot, float(human), float(value)))
    return AnchorReports(since=since, items=[_report(*key, found, since) for key, found in runs.items()])


def _report(judge: str, version: str, model: str, runs: list[anchor_change.Run], since: datetime) -> AnchorReport:
    moved = anchor_change.change(runs, since)
    n_items = len({run.anchor_id for run in runs})
    return AnchorReport(
        judge=judge,
        version=version,
        model=model,
        n_items=n_items,
        n_runs=len(runs),
        first_at=min(run.slot for run in runs),
        last_at=max(run.slot for run in runs),
        agreement=_measured(anchor_change.agreement(runs, since)),
        bias=_measured(anchor_change.bias(runs, since)),
        change=_measured(moved),
        finding=anchor_change.finding(moved),
        sentence=anchor_change.sentence(moved, n_items),
    )


def _measured(found: anchor_change.Interval | None) -> Measured | None:
    return None if found is None else Measured(value=found.value, low=found.low, high=found.high, n=found.n)


def _budgets(reader: Reader, project: str, now: datetime, timeout_s: float) -> dict[str, JudgeBudget]:
    today = now.date()
    rows = reader.query(
        "SELECT judge, argMax(limit_n, term), argMax(granted_n, term), argMax(spent_n, term) FROM judge_money "
        "WHERE project_id = {project:String} AND day = {day:Date} GROUP BY judge",
        {"project": project, "day": today},
        timeout_s=timeout_s,
    ).rows
    skipped = {
        judge
        for (judge,) in reader.query(
            "SELECT DISTINCT judge FROM judge_outcomes WHERE project_id = {project:String} "
            f"AND toDate(time, 'UTC') = {{day:Date}} AND endsWith(outcome, '{OVER_BUDGET}')",
            {"project": project, "day": today},
            timeout_s=timeout_s,
        ).rows
    }
    return {
        judge: JudgeBudget(
            day=today.isoformat(),
            limit_nanousd=int(limit_n),
            granted_nanousd=int(granted_n),
            spent_nanousd=int(spent_n),
            is_exhausted=judge in skipped,
        )
        for judge, limit_n, granted_n, spent_n in rows
    }
