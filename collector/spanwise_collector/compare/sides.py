"""Reading what is known of a side: when it was, how much of it there is, its scores, its failures."""

from typing import Final

from spanwise_collector.means.sides import SideMean
from spanwise_collector.query.failures_source import IN_WINDOW, SOURCE, FailureFilter
from spanwise_collector.query.side_scores import side_scores
from spanwise_collector.query.values import time_of
from spanwise_collector.query.window import DAY, HOUR, Window
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_compare import Candidates, CompareBy, Side

MAX_CANDIDATES: Final = 100
COLUMN: Final[dict[CompareBy, str]] = {"release": "release", "prompt": "prompt", "model": "model"}
_SCORED: Final[dict[CompareBy, str]] = {
    "release": "release = {value:String}",
    "prompt": "if(prompt_name = '', prompt_version, if(prompt_version = '', prompt_name, "
    "concat(prompt_name, '@', prompt_version))) = {value:String}",
    "model": "if(model_response != '', model_response, model_request) = {value:String}",
}
FAILED: Final[dict[CompareBy, str]] = {**_SCORED, "model": "model = {value:String}"}


def candidates(reader: Reader, project: str, by: CompareBy, window: Window, *, timeout_s: float) -> Candidates:
    """Values of a dimension in a window with how often and when they were seen, the most recent first."""
    column = COLUMN[by]
    wide = window.aligned(HOUR)
    rows = reader.query(
        f"SELECT {column} AS value, sumIf(n, is_root), sumIf(n, kind = 'llm'), toUnixTimestamp(min(time)), "
        "toUnixTimestamp(max(time)) FROM signals_1h WHERE project_id = {project:String} AND value != '' "
        "AND time >= toDateTime({start:UInt32}, 'UTC') AND time < toDateTime({end:UInt32}, 'UTC') "
        f"GROUP BY value ORDER BY min(time) DESC, value LIMIT {MAX_CANDIDATES}",
        {"project": project, "start": wide.start // 1_000_000, "end": wide.end // 1_000_000},
        timeout_s=timeout_s,
    ).rows
    items = [
        Side(
            label=value,
            value=value,
            start=time_of(window.start),
            end=time_of(window.end),
            requests=requests,
            calls=calls,
            first_seen=time_of(first * 1_000_000),
            last_seen=time_of(last * 1_000_000 + HOUR),
        )
        for value, requests, calls, first, last in rows
    ]
    return Candidates(by=by, items=items)


def scores_of(
    reader: Reader, project: str, by: CompareBy, value: str, window: Window, *, timeout_s: float
) -> dict[str, SideMean]:
    """Numeric scores by name, of traces of a side. A score counts for the time of its trace, not of its judgement.

    What people said corrects the judge where one gives the score too, and is the score itself where none does.
    """
    traces = (
        "SELECT trace_id, max(session_id) AS session FROM spans WHERE project_id = {project:String} "
        "AND start_time >= fromUnixTimestamp64Micro({start:Int64}, 'UTC') "
        "AND start_time < fromUnixTimestamp64Micro({end:Int64}, 'UTC') "
        f"AND {_SCORED.get(by, 'is_root')} GROUP BY trace_id"
    )
    return side_scores(
        reader,
        traces,
        "ts < fromUnixTimestamp64Micro({end:Int64}, 'UTC') + INTERVAL 30 DAY AND (source != 'human' OR name NOT IN "
        "(SELECT name FROM scores WHERE project_id = {project:String} AND source = 'llm'))",
        {"project": project, "value": value, "start": window.start, "end": window.end},
        timeout_s=timeout_s,
    )


def failures_of(
    reader: Reader, project: str, by: CompareBy, value: str, window: Window, *, timeout_s: float
) -> dict[int, tuple[str, str, int]]:
    """Issues of a side: class, title and how many failures."""
    rows = reader.query(
        f"SELECT issue, argMax(failure_class, time), argMax(title, time), count() FROM {SOURCE} WHERE {IN_WINDOW} "
        f"AND {FAILED.get(by, '1')} GROUP BY issue ORDER BY count() DESC, issue LIMIT 1000",
        FailureFilter(project).parameters(window) | {"value": value, "oldest": window.start - DAY},
        timeout_s=timeout_s,
    ).rows
    return {issue: (cls, title, count) for issue, cls, title, count in rows}
