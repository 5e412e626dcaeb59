"""Scores of a trace or a span."""

from collections.abc import Mapping
from typing import Any

from spanwise_collector.query.values import hex_id, time_of
from spanwise_collector.store.database import Reader
from spanwise_schemas.api import Score


def scores_of(reader: Reader, project: str, trace_id: bytes, *, timeout_s: float) -> list[Score]:
    """Scores of a trace and of its spans, oldest first: of a score sent again the newest version, deleted ones not."""
    sql = (
        "SELECT * FROM (SELECT score_id, target, trace_id, span_id, session_id, name, value, label, explanation, "
        "source, evaluator, "
        "evaluator_version, toUnixTimestamp64Micro(ts) AS time, is_deleted FROM scores WHERE project_id = "
        "{project:String} "
        "AND trace_id = toFixedString(unhex({id:String}), 16) ORDER BY version DESC LIMIT 1 BY score_id) "
        "WHERE is_deleted = 0 ORDER BY time, score_id LIMIT 1000"
    )
    answer = reader.query(sql, {"project": project, "id": trace_id.hex()}, timeout_s=timeout_s)
    return [_score(row) for row in answer.dicts()]


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
        time=time_of(row["time"]),
    )
