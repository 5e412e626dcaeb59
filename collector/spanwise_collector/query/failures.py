"""Issues of a window: what fails for the same reason, how often, for whom, since when, and whether it is new."""

from collections.abc import Sequence
from typing import Any, Final

from spanwise_collector.query.failures_source import IN_WINDOW, SOURCE, FailureFilter, issue_id
from spanwise_collector.query.values import time_of
from spanwise_collector.query.window import DAY, Window
from spanwise_collector.stats.tables import poisson_above
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_failures import Issue, IssueOrder, IssuePage, IssueState

PARTS: Final = 24
"""Parts of a window in an issue's trend."""
MAX_ISSUES: Final = 5_000
NEW_WITHIN: Final = DAY
_RECENT: Final = 4
"""Parts at the end of a window in which a spike is looked for."""
_SPIKE_COUNT: Final = 5
_SPIKE_P: Final = 1e-4
_COLUMNS: Final = (
    "issue, argMax(failure_class, time), argMax(failure_sub, time), argMax(title, time), topKIf(1)(name, w)[1], "
    "topKIf(1)(kind, w)[1], countIf(w), uniqExactIf(trace_id, w), uniqExactIf(user_id, w AND user_id != ''), "
    "sumIf(cost_n, w), countIf(NOT w AND time >= fromUnixTimestamp64Micro({before:Int64}, 'UTC')), "
    "min(toUnixTimestamp64Micro(time)), max(toUnixTimestamp64Micro(time)), "
    "sumMapIf(map(toUInt16(intDiv(toUnixTimestamp64Micro(time) - {start:Int64}, {part:Int64})), toUInt64(1)), w), "
    "arraySort(groupUniqArrayIf(20)(toString(release), w AND release != '')), "
    "arraySort(groupUniqArrayIf(20)(toString(model), w AND model != '')), uniqExactIf(fingerprint, w)"
)
_STATES: Final = (
    "SELECT group_id, toString(argMax(state, version)), argMax(note, version), argMax(by, version), "
    "argMax(toUnixTimestamp64Milli(ts), version) FROM failure_states WHERE project_id = {project:String} "
    "GROUP BY group_id"
)


def get_issues(
    reader: Reader,
    wanted: FailureFilter,
    window: Window,
    *,
    states: Sequence[IssueState] = (),
    text: str = "",
    order: IssueOrder = "last_seen",
    limit: int = 100,
    timeout_s: float = 30.0,
) -> IssuePage:
    """Issues with failures in a window.

    Args:
        reader: the store.
        wanted: which failures.
        window: any.
        states: of issues, as alternatives; empty: all.
        text: part of the title, in any case.
        order: what comes first.
        limit: how many at most.
        timeout_s: for each query.

    Raises:
        StoreError: see `Reader.query`.
    """
    found = read_issues(reader, wanted, window, timeout_s=timeout_s)
    by_class: dict[str, int] = {}
    for one in found:
        by_class[one.failure_class] = by_class.get(one.failure_class, 0) + one.count
    part = text.casefold()
    kept = [one for one in found if (not states or one.state in states) and part in one.title.casefold()]
    kept.sort(key=lambda one: _ORDERS[order](one), reverse=True)
    return IssuePage(
        items=kept[:limit],
        total=len(kept),
        failures=sum(one.count for one in kept),
        spans=_spans(reader, wanted, window, timeout_s),
        by_class=dict(sorted(by_class.items(), key=lambda item: -item[1])),
    )


_ORDERS: Final = {
    "last_seen": lambda one: (one.last_seen, one.count),
    "first_seen": lambda one: (one.first_seen, one.count),
    "count": lambda one: (one.count, one.last_seen),
    "users": lambda one: (one.users, one.count),
    "cost": lambda one: (one.cost_nanousd, one.count),
}


def read_issues(
    reader: Reader, wanted: FailureFilter, window: Window, *, only: int | None = None, timeout_s: float = 30.0
) -> list[Issue]:
    """Every issue of a window with its state, most frequent first; with `only`, that one, in the window or before."""
    chosen, having = ("issue = {issue:UInt64}", "1") if only is not None else ("1", "countIf(w) > 0")
    part = max(1, -(-window.length // PARTS))
    parameters = wanted.parameters(window) | {"before": window.before.start, "part": part}
    if only is not None:
        parameters["issue"] = only
    sql = (
        f"SELECT {_COLUMNS} FROM (SELECT *, {IN_WINDOW} AS w FROM {SOURCE}) WHERE {wanted.condition()} AND {chosen} "
        f"GROUP BY issue HAVING {having} ORDER BY countIf(w) DESC, issue LIMIT {MAX_ISSUES}"
    )
    rows = reader.query(sql, parameters, timeout_s=timeout_s).rows
    states = {row[0]: row[1:] for row in reader.query(_STATES, {"project": wanted.project}, timeout_s=timeout_s).rows}
    return [_issue(row, states.get(row[0]), window) for row in rows]


def _issue(row: tuple[Any, ...], said: tuple[Any, ...] | None, window: Window) -> Issue:
    (
        issue,
        cls,
        sub,
        title,
        name,
        kind,
        count,
        traces,
        users,
        cost,
        before,
        first,
        last,
        parts,
        releases,
        models,
        prints,
    ) = row
    trend = [int(parts.get(part, 0)) for part in range(PARTS)]
    state, note, by, ts = said or ("open", "", "", 0)
    reopened = state == "resolved" and last > ts * 1000
    return Issue(
        issue_id=issue_id(issue),
        failure_class=cls,
        failure_sub=sub,
        title=title,
        name=name,
        kind=kind,
        state="open" if reopened else state,
        reopened=reopened,
        is_new=first >= max(window.start, window.end - NEW_WITHIN),
        is_spiking=is_spiking(trend),
        count=count,
        traces=traces,
        users=users,
        cost_nanousd=cost,
        previous_count=before,
        first_seen=time_of(first),
        last_seen=time_of(last),
        trend=trend,
        releases=releases,
        models=models,
        fingerprints=prints,
        note=note,
        changed_by=by,
        changed_at=time_of(ts * 1000) if said else None,
    )


def is_spiking(trend: Sequence[int]) -> bool:
    """Whether the last parts of a trend have far more than those before.

    The count of the last `_RECENT` parts against a Poisson distribution whose mean is that of the parts before, and
    whose spread is widened to theirs (index of dispersion), so that what always comes in bursts is no spike.

    Args:
        trend: counts of parts of equal length, oldest first.
    """
    usual, recent = trend[:-_RECENT], sum(trend[-_RECENT:])
    if recent < _SPIKE_COUNT or not usual or not any(usual):
        return False
    mean = (sum(usual) + 0.5) / len(usual)
    spread = max(1.0, sum((one - mean) ** 2 for one in usual) / len(usual) / mean)
    return bool(poisson_above(recent / spread - 1, mean * _RECENT / spread) < _SPIKE_P)


def _spans(reader: Reader, wanted: FailureFilter, window: Window, timeout_s: float) -> int:
    hour = 3600 * 1_000_000
    sql = (
        "SELECT sum(n) FROM signals_1h WHERE project_id = {project:String} AND "
        "time >= toDateTime({from:UInt32}, 'UTC') AND time < toDateTime({to:UInt32}, 'UTC')"
    )
    wide = window.aligned(hour)
    parameters = {"project": wanted.project, "from": wide.start // 1_000_000, "to": wide.end // 1_000_000}
    return int(reader.query(sql, parameters, timeout_s=timeout_s).rows[0][0] or 0)
