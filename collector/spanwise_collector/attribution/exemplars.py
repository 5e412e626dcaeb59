"""Traces that show a change: bad ones of the slice that moved, and good ones beside them."""

from typing import Any, Final

from spanwise_collector.alerts.sentences import shown
from spanwise_collector.attribution.model import Slice
from spanwise_collector.attribution.query import SETTINGS, Asked
from spanwise_collector.query.values import hex_id, time_of
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_changes import Exemplar

MAX_BAD: Final = 5
MAX_GOOD: Final = 2
_IDS: Final = "(SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16))"


def exemplars(
    reader: Reader, asked: Asked, one: Slice, *, usual: float | None, rising: bool, timeout_s: float = 30.0
) -> tuple[list[Exemplar], list[Exemplar]]:
    """Bad and good traces of the window after, from one slice.

    Of a rate that rose, bad are those that count; they are drawn by the hash of their ids, so that the same are shown
    again. Of a mean or a sum, bad are the most extreme, and good are those nearest to what was usual before.

    Args:
        reader: the store.
        asked: the question.
        one: the slice.
        usual: mean before, on the scale of the measure.
        rising: whether the number rose.
        timeout_s: for each query.

    Raises:
        StoreError: see `Reader.query`.
    """
    if asked.measure.kind == "rate":
        wanted = 1 if rising else 0
        bad = _pick(reader, asked, one, f"v = {wanted}", "cityHash64(trace_id, span_id)", MAX_BAD, timeout_s)
        good = _pick(reader, asked, one, f"v = {1 - wanted}", "cityHash64(trace_id, span_id)", MAX_GOOD, timeout_s)
    else:
        order = f"v {'DESC' if rising else 'ASC'}, cityHash64(trace_id, span_id)"
        bad = _pick(reader, asked, one, "1", order, MAX_BAD, timeout_s)
        near = f"abs(v - {float(usual or 0.0)!r}), cityHash64(trace_id, span_id)"
        good = _pick(reader, asked, one, "1", near, MAX_BAD + MAX_GOOD, timeout_s) if usual is not None else []
        shown_before = {(row[0], row[1]) for row in bad}
        good = [row for row in good if (row[0], row[1]) not in shown_before][:MAX_GOOD]
    told = _told(reader, asked.question.project, bad + good, timeout_s)
    return [_exemplar(asked, row, told) for row in bad], [_exemplar(asked, row, told) for row in good]


def _pick(
    reader: Reader, asked: Asked, one: Slice, only: str, order: str, most: int, timeout_s: float
) -> list[tuple[Any, ...]]:
    """Rows (trace, span, time, value), at most one per trace."""
    inside = " AND ".join(f"{name} = {{d{place}:String}}" for place, (name, _) in enumerate(one.dims)) or "1"
    values = {f"d{place}": value for place, (_, value) in enumerate(one.dims)}
    sql = (
        f"SELECT trace_id, span_id, at, toFloat64({asked.measure.value}) AS v FROM {asked.rows} "
        f"WHERE {asked.condition} AND now AND {inside} AND {only} ORDER BY {order} LIMIT 1 BY trace_id LIMIT {most}"
    )
    return reader.query(sql, asked.parameters | values, settings=SETTINGS, timeout_s=timeout_s).rows


def _told(
    reader: Reader, project: str, found: list[tuple[Any, ...]], timeout_s: float
) -> dict[bytes, tuple[str, str, str]]:
    """Name, preview and what failed, by trace."""
    if not found:
        return {}
    sql = (
        "SELECT trace_id, anyIf(name::String, is_root), if(anyIf(input_preview, is_root) != '', "
        "anyIf(input_preview, is_root), argMinIf(input_preview, (start_time, span_id), input_preview != '')), "
        "if(countIf(failure_title != '') > 0, argMinIf(failure_title, (start_time, span_id), failure_title != ''), "
        "argMaxIf(status_message, (start_time, span_id), status = 'error')) "
        f"FROM spans WHERE project_id = {{project:String}} AND trace_id IN {_IDS} GROUP BY trace_id"
    )
    ids = sorted({row[0].hex() for row in found})
    answer = reader.query(sql, {"project": project, "ids": ids}, timeout_s=timeout_s).rows
    return {trace: (name, preview, failed) for trace, name, preview, failed in answer}


def _exemplar(asked: Asked, row: tuple[Any, ...], told: dict[bytes, tuple[str, str, str]]) -> Exemplar:
    trace, span, at, found = row
    name, preview, failed = told.get(trace, ("", "", ""))
    signal, measure = asked.question.signal, asked.measure
    value = 2.718281828459045**found if measure.logarithm else found
    if measure.kind == "rate":
        detail = (failed or signal.title) if found else "Well."
    elif measure.value == "1":
        detail = failed
    else:
        detail = f"{signal.title}: {shown(value, signal.unit)}."
    return Exemplar(
        trace_id=hex_id(trace),
        span_id=hex_id(span),
        time=time_of(at),
        name=name,
        preview=preview,
        value=None if measure.value == "1" else value,
        detail=detail,
    )
