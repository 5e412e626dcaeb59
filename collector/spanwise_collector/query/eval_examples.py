"""The worst answers by a score, with what is needed to look at them."""

from typing import Any

from spanwise_collector.query.eval_source import SETTINGS, ScoreFilter
from spanwise_collector.query.values import hex_id, time_of
from spanwise_collector.query.window import Window
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_evals import ScoredExample, ScoredExamples, ScoreShape, WorstOrder


def examples(
    reader: Reader,
    wanted: ScoreFilter,
    shape: ScoreShape,
    window: Window,
    order: WorstOrder,
    limit: int,
    *,
    timeout_s: float,
) -> ScoredExamples:
    """Scores with the lowest or highest value, the newest first among equal ones; of labels, one label's."""
    which = "label = {label:String}" if shape == "label" else "isFinite(value)"
    by = "ts DESC" if shape == "label" else f"value {'ASC' if order == 'lowest' else 'DESC'}, ts DESC"
    rows = reader.query(
        "SELECT score_id, toUnixTimestamp64Micro(ts) AS time, value, toString(label) AS label_, explanation, "
        "toString(source) AS source_, evaluator, evaluator_version, trace_id, span_id, session_id FROM scores FINAL "
        f"WHERE {wanted.condition()} AND {which} ORDER BY {by}, score_id LIMIT {{limit:UInt32}}",
        wanted.parameters(window) | {"limit": limit},
        settings=SETTINGS,
        timeout_s=timeout_s,
    ).dicts()
    traces = _traces(reader, wanted, window, sorted({row["trace_id"] for row in rows}), timeout_s=timeout_s)
    items = [_example(row, traces) for row in rows]
    return ScoredExamples(name=wanted.name, source=wanted.source, order=order, items=items)


def _traces(
    reader: Reader, wanted: ScoreFilter, window: Window, ids: list[bytes], *, timeout_s: float
) -> dict[tuple[bytes, bytes], dict[str, Any]]:
    """Root spans (under the id of no span) and all other spans of these traces."""
    if not ids:
        return {}
    rows = reader.query(
        "SELECT trace_id, span_id, is_root, name, env, release, input_preview, output_preview FROM spans "
        "WHERE project_id = {project:String} AND start_time >= fromUnixTimestamp64Micro({traces_from:Int64}, 'UTC') "
        "AND start_time < fromUnixTimestamp64Micro({end:Int64}, 'UTC') "
        "AND lower(hex(trace_id)) IN {ids:Array(String)} LIMIT 1 BY trace_id, span_id LIMIT 20000",
        wanted.parameters(window) | {"ids": [one.hex() for one in ids]},
        settings=SETTINGS,
        timeout_s=timeout_s,
    ).dicts()
    found: dict[tuple[bytes, bytes], dict[str, Any]] = {}
    for row in rows:
        found[row["trace_id"], row["span_id"]] = row
        if row["is_root"]:
            found[row["trace_id"], bytes(8)] = row
    return found


def _example(row: dict[str, Any], traces: dict[tuple[bytes, bytes], dict[str, Any]]) -> ScoredExample:
    root = traces.get((row["trace_id"], bytes(8)), {})
    own = traces.get((row["trace_id"], row["span_id"]), root)
    return ScoredExample(
        score_id=row["score_id"].hex(),
        time=time_of(row["time"]),
        value=row["value"],
        label=row["label_"],
        explanation=row["explanation"],
        source=row["source_"],
        evaluator=row["evaluator"],
        evaluator_version=row["evaluator_version"],
        trace_id=hex_id(row["trace_id"]),
        span_id=hex_id(row["span_id"]),
        session_id=row["session_id"],
        trace_name=root.get("name", ""),
        environment=root.get("env", ""),
        release=root.get("release", ""),
        input_preview=own.get("input_preview", ""),
        output_preview=own.get("output_preview", ""),
    )
