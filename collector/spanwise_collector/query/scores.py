"""Scores: of a trace, by id, and by what they say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from spanwise_collector.query.cursor import Cursor
from spanwise_collector.query.values import hex_id, time_of
from spanwise_collector.query.window import Window
from spanwise_collector.store.database import Reader
from spanwise_schemas.api import Score

_COLUMNS: Final = (
    "score_id, target, trace_id, span_id, session_id, name, value, label, explanation, source, evaluator, "
    "evaluator_version, inclusion_p, stratum, toUnixTimestamp64Micro(ts) AS time"
)
_TRACE: Final = "trace_id = toFixedString(unhex({trace:String}), 16)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFilter:
    """Which scores are wanted; all filters must hold, values of one are alternatives, empty is no filter.

    Attributes:
        project: theirs.
        window: in which they were given.
        names: of scores.
        sources: who gave them, as stored.
        evaluators: the checks, judges or reviewers.
        trace_id: of the target, hex; None for any.
        span_id: likewise.
        session_id: likewise.
        labels: of scores.
        min_value: the least value; None for any.
        max_value: the largest value; None for any.
    """

    project: str
    window: Window
    names: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    evaluators: tuple[str, ...] = ()
    trace_id: str | None = None
    span_id: str | None = None
    session_id: str | None = None
    labels: tuple[str, ...] = ()
    min_value: float | None = None
    max_value: float | None = None


def scores_of(reader: Reader, project: str, trace_id: bytes, *, timeout_s: float) -> list[Score]:
    """Scores of a trace and of its spans, oldest first: of a score sent again the newest version, deleted ones not."""
    sql = (
        f"SELECT * FROM (SELECT {_COLUMNS}, is_deleted FROM scores WHERE project_id = {{project:String}} "
        f"AND {_TRACE} ORDER BY version DESC LIMIT 1 BY score_id) "
        "WHERE is_deleted = 0 ORDER BY time, score_id LIMIT 1000"
    )
    answer = reader.query(sql, {"project": project, "trace": trace_id.hex()}, timeout_s=timeout_s)
    return [_score(row) for row in answer.dicts()]


def score_named(reader: Reader, project: str, score_id: str, *, timeout_s: float) -> Score | None:
    """The newest version of a score; None where the project has none of this id, or it was taken back.

    Args:
        reader: the store.
        project: the score's.
        score_id: 32 hex digits.
        timeout_s: limit on the query.
    """
    sql = (
        f"SELECT * FROM (SELECT {_COLUMNS}, is_deleted FROM scores WHERE project_id = {{project:String}} "
        "AND score_id = toFixedString(unhex({id:String}), 16) ORDER BY version DESC LIMIT 1) WHERE is_deleted = 0"
    )
    rows = reader.query(sql, {"project": project, "id": score_id}, timeout_s=timeout_s).dicts()
    return _score(rows[0]) if rows else None


def list_scores(
    reader: Reader, wanted: ScoreFilter, *, limit: int, after: Cursor | None, timeout_s: float
) -> tuple[list[Score], Cursor | None]:
    """A page of scores, newest first.

    Args:
        reader: the store.
        wanted: which.
        limit: scores on the page.
        after: where the page before ended; None for the first.
        timeout_s: limit on the query.

    Returns:
        The scores, and where the next page begins; None when this is the last.
    """
    conditions, parameters = _conditions(wanted)
    if after is not None:
        conditions.append("(time < {after:Int64} OR (time = {after:Int64} AND score_id < unhex({after_id:String})))")
        parameters |= {"after": after.start, "after_id": after.trace_id.hex()}
    # FINAL keeps the newest version of each score, before the conditions: an older version must not come through.
    sql = (
        f"SELECT {_COLUMNS} FROM scores FINAL WHERE project_id = {{project:String}} AND {' AND '.join(conditions)} "
        "ORDER BY time DESC, score_id DESC LIMIT {limit:UInt32}"
    )
    rows = reader.query(sql, parameters | {"limit": limit + 1}, timeout_s=timeout_s).dicts()
    page = rows[:limit]
    following = Cursor(page[-1]["time"], page[-1]["score_id"]) if len(rows) > limit else None
    return [_score(row) for row in page], following


def _conditions(wanted: ScoreFilter) -> tuple[list[str], dict[str, object]]:
    found: list[tuple[str, str, object]] = [
        ("name IN {names:Array(String)}", "names", list(wanted.names)),
        ("toString(source) IN {sources:Array(String)}", "sources", list(wanted.sources)),
        ("evaluator IN {evaluators:Array(String)}", "evaluators", list(wanted.evaluators)),
        ("label IN {labels:Array(String)}", "labels", list(wanted.labels)),
        (_TRACE, "trace", wanted.trace_id),
        ("span_id = toFixedString(unhex({span:String}), 8)", "span", wanted.span_id),
        ("session_id = {session:String}", "session", wanted.session_id),
        ("value >= {least:Float64}", "least", wanted.min_value),
        ("value <= {most:Float64}", "most", wanted.max_value),
    ]
    used = [one for one in found if one[2] not in (None, [])]
    within = ["is_deleted = 0", "time >= {start:Int64}", "time < {end:Int64}"]
    parameters = {"project": wanted.project, "start": wanted.window.start, "end": wanted.window.end}
    return [*within, *(sql for sql, _, _ in used)], parameters | {name: value for _, name, value in used}


def _score(row: Mapping[str, Any]) -> Score:
    return Score(
        score_id=row["score_id"].hex(),
        target=row["target"],
        trace_id=hex_id(row["trace_id"]),
        span_id=hex_id(row["span_id"]),
        session_id=row["session_id"],
        name=row["name"],
        value=row["value"],
        label=row["label"],
        explanation=row["explanation"],
        source=row["source"],
        evaluator=row["evaluator"],
        evaluator_version=row["evaluator_version"],
        inclusion_probability=row["inclusion_p"],
        stratum=row["stratum"],
        time=time_of(row["time"]),
    )
