"""Looking before storing: what an evaluator gives on newest spans, and how two of them differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from spanwise_collector.query.values import time_of
from spanwise_collector.query.window import Window
from spanwise_collector.sql_evals.scoring import (
    LIMITS,
    Outcome,
    Part,
    Scorer,
    count,
    label_sql,
    newest,
    no_text_sql,
    spans_sql,
    value_sql,
)
from spanwise_collector.store.database import Reader

PREVIEW_SPANS: Final = 10_000
DIFF_SPANS: Final = 100_000
EXAMPLES: Final = 20
MAX_LABELS: Final = 20


@dataclass(frozen=True, slots=True)
class Given:
    """What one span was given; both empty for no score."""

    value: float | None
    label: str


@dataclass(frozen=True, slots=True)
class Example:
    """One span and what it is given.

    Attributes:
        time: of its start, UTC.
        trace_id: hex.
        span_id: hex.
        name: of the span.
        given: by the evaluator, or by the first of two.
        after: by the second of two.
    """

    time: datetime
    trace_id: str
    span_id: str
    name: str
    given: Given
    after: Given | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What an evaluator gives.

    Attributes:
        outcome: of the newest spans.
        quantiles: 0, 5, 25, 50, 75, 95, 100 % of the values; empty without values.
        labels: the most frequent ones, with how often.
        examples: some of the newest.
    """

    outcome: Outcome
    quantiles: tuple[float, ...]
    labels: tuple[tuple[str, int], ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """How two evaluators differ on the same spans.

    Attributes:
        spans: that were looked at: the newest of the range, at most `DIFF_SPANS`.
        is_cut: there were more in the range.
        both: scored by both.
        changed: of these, with another value or label.
        only_before: scored by the first alone.
        only_after: scored by the second alone.
        mean_before: of the first's values; None without values.
        mean_after: of the second's.
        examples: spans that changed, the largest changes first.
    """

    spans: int
    is_cut: bool
    both: int
    changed: int
    only_before: int
    only_after: int
    mean_before: float | None
    mean_after: float | None
    examples: tuple[Example, ...]


def preview(reader: Reader, scorer: Scorer, project: str, window: Window, *, timeout_s: float) -> Preview:
    """What an evaluator gives on the newest spans of a range; nothing is stored.

    Raises:
        StoreError: as the store says: a limit, or the expression fails on a span.
    """
    part = newest(reader, project, window, PREVIEW_SPANS, timeout_s=timeout_s)
    outcome = count(reader, scorer, part, timeout_s=timeout_s)
    scored = _scored(scorer, part)
    settings = dict(LIMITS)
    quantiles: tuple[float, ...] = ()
    labels: tuple[tuple[str, int], ...] = ()
    if outcome.mean is not None:
        (row,) = reader.query(
            f"SELECT quantilesExact(0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)(number) FROM ({scored})",
            part.parameters,
            settings=settings,
            timeout_s=timeout_s,
        ).rows
        quantiles = tuple(map(float, row[0]))
    if outcome.scored and scorer.kind != "numeric":
        rows = reader.query(
            f"SELECT word, count() AS n FROM ({scored}) GROUP BY word ORDER BY n DESC, word LIMIT {MAX_LABELS}",
            part.parameters,
            settings=settings,
            timeout_s=timeout_s,
        ).rows
        labels = tuple((str(word), int(n)) for word, n in rows)
    rows = reader.query(
        f"SELECT toUnixTimestamp64Micro(began), trace_id, span_id, number, word FROM ({scored}) "
        f"ORDER BY began DESC, trace_id, span_id LIMIT {EXAMPLES}",
        part.parameters,
        settings=settings,
        timeout_s=timeout_s,
    ).rows
    found = [(began, trace, span, Given(number, word), None) for began, trace, span, number, word in rows]
    return Preview(outcome, quantiles, labels, _examples(reader, project, window, found, timeout_s))


def difference(
    reader: Reader, before: Scorer, after: Scorer, project: str, window: Window, *, timeout_s: float
) -> Difference:
    """How two evaluators differ on the newest spans of a range; nothing is stored.

    Raises:
        StoreError: as the store says: a limit, or an expression fails on a span.
    """
    part = newest(reader, project, window, DIFF_SPANS, timeout_s=timeout_s)
    columns = tuple(sorted({*before.columns, *after.columns}))
    sides = f"{_side(before, 'a')}, {_side(after, 'b')}"
    both = (
        f"SELECT began, trace_id, span_id, {sides}, isNotNull(number_a) OR word_a != '' AS has_a, "
        "isNotNull(number_b) OR word_b != '' AS has_b, "
        "isNull(number_a) != isNull(number_b) OR ifNull(number_a != number_b, 0) OR word_a != word_b AS differs "
        f"FROM ({spans_sql(columns, part)})"
    )
    settings = dict(LIMITS)
    (row,) = reader.query(
        "SELECT count(), countIf(has_a AND has_b), countIf(has_a AND has_b AND differs), countIf(has_a AND NOT has_b), "
        f"countIf(has_b AND NOT has_a), avg(number_a), avg(number_b) FROM ({both})",
        part.parameters,
        settings=settings,
        timeout_s=timeout_s,
    ).rows
    *counts, mean_a, mean_b = row
    rows = reader.query(
        "SELECT toUnixTimestamp64Micro(began), trace_id, span_id, number_a, word_a, number_b, word_b "
        f"FROM ({both}) WHERE differs ORDER BY abs(ifNull(number_b - number_a, 0)) DESC, began DESC, trace_id, span_id "
        f"LIMIT {EXAMPLES}",
        part.parameters,
        settings=settings,
        timeout_s=timeout_s,
    ).rows
    found = [
        (began, trace, span, Given(value_a, word_a), Given(value_b, word_b))
        for began, trace, span, value_a, word_a, value_b, word_b in rows
    ]
    spans, scored_both, changed, only_a, only_b = map(int, counts)
    return Difference(
        spans,
        spans >= DIFF_SPANS,
        scored_both,
        changed,
        only_a,
        only_b,
        _number(mean_a),
        _number(mean_b),
        _examples(reader, project, window, found, timeout_s),
    )


def _side(scorer: Scorer, side: str) -> str:
    value = f"({scorer.expression.sql})"
    applies = f"{scorer.where} AND NOT {no_text_sql(scorer.bodies)}"
    return (
        f"if({applies}, {value_sql(value, scorer.kind)}, NULL) AS number_{side}, "
        f"if({applies}, {label_sql(value, scorer.kind)}, '') AS word_{side}"
    )


def _scored(scorer: Scorer, part: Part) -> str:
    return (
        "SELECT * FROM (SELECT began, trace_id, span_id, has_no_text, "
        f"{value_sql('value', scorer.kind)} AS number, {label_sql('value', scorer.kind)} AS word FROM "
        f"(SELECT began, trace_id, span_id, has_no_text, ({scorer.expression.sql}) AS value "
        f"FROM ({spans_sql(scorer.columns, part)}) WHERE {scorer.where})) "
        "WHERE NOT has_no_text AND (isNotNull(number) OR word != '')"
    )


def _examples(
    reader: Reader,
    project: str,
    window: Window,
    found: Sequence[tuple[int, bytes, bytes, Given, Given | None]],
    timeout_s: float,
) -> tuple[Example, ...]:
    """With the names of the spans."""
    if not found:
        return ()
    rows = reader.query(
        "SELECT trace_id, span_id, any(name) FROM spans WHERE project_id = {project:String} "
        "AND start_time >= fromUnixTimestamp64Micro({from:Int64}, 'UTC') "
        "AND start_time < fromUnixTimestamp64Micro({to:Int64}, 'UTC') "
        "AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16)) GROUP BY ALL",
        {
            "project": project,
            "from": window.start,
            "to": window.end,
            "traces": sorted({trace.hex() for _, trace, *_ in found}),
        },
        timeout_s=timeout_s,
    ).rows
    names: dict[tuple[Any, Any], str] = {(trace, span): name for trace, span, name in rows}
    return tuple(
        Example(time_of(began), trace.hex(), span.hex(), names.get((trace, span), ""), given, after)
        for began, trace, span, given, after in found
    )


def _number(mean: float | None) -> float | None:
    return None if mean is None or mean != mean else float(mean)
