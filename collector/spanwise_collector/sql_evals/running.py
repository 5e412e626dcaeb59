"""Scoring one slice in the engine, and what an error of it means."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanwise_collector.sql_evals.definitions import Definition, Store
from spanwise_collector.sql_evals.scoring import EVALUATOR, LIMITS, Outcome, Part, Scorer, evaluated_query
from spanwise_collector.store.errors import QUERY_LIMIT_CODES, QueryLimitError, StoreError, TransientStoreError

SLICE_S: Final = 30.0
"""What one slice may take: far less than the lease of who does it."""
_OF_THE_SPAN: Final = ("score_id", "trace_id", "span_id", "value", "label", "ts", "version")


class TooHeavyError(StoreError):
    """The slice took more time or memory than it may: take a smaller one."""


def score_slice(store: Store, definition: Definition, scorer: Scorer, part: Part, what: str) -> Outcome:
    """Score the spans of a slice; the same slice again stores nothing new.

    The expression is evaluated by a reader, with a reader's limits, once; what comes of it is counted and inserted. So
    an expression that fails or takes too long writes nothing, and no statement that writes has a word of the user's.

    Args:
        store: the database.
        definition: the evaluator.
        scorer: its expressions.
        part: the slice.
        what: names the slice in its insert token.

    Raises:
        TooHeavyError: it took too long or too much memory.
        TransientStoreError: the store is away.
        StoreError: the expression fails.
    """
    evaluator = {"name": definition.name, "evaluator": EVALUATOR + definition.name, "version": str(definition.version)}
    try:
        rows = store.query_arrow(
            evaluated_query(scorer, part), {**part.parameters, **evaluator}, settings=dict(LIMITS), timeout_s=SLICE_S
        )
    except QueryLimitError as error:
        raise TooHeavyError(str(error), code=error.code) from error
    except TransientStoreError as error:
        if error.code in QUERY_LIMIT_CODES:
            raise TooHeavyError(str(error), code=error.code) from error
        raise
    is_scored, outcome = counted(rows)
    if outcome.scored:
        token = f"sql-eval:{definition.project}:{definition.name}:{definition.version}:{what}"
        store.insert("scores", _scores(rows.filter(is_scored), definition.project, evaluator), token=token)
    return outcome


def counted(rows: pa.Table) -> tuple[pa.Array, Outcome]:
    """Which rows of `evaluated_query` are scores, and what became of all of them."""
    no_text, null = _column(rows, "has_no_text"), _column(rows, "is_null")
    has_value = ~np.asarray(pc.is_null(rows["value"]))
    is_scored = ~no_text & (has_value | np.asarray(pc.not_equal(rows["label"], "")))
    values = rows["value"].filter(pa.array(is_scored & has_value))
    left = ~is_scored & ~no_text
    outcome = Outcome(
        spans=rows.num_rows,
        scored=int(is_scored.sum()),
        null=int((left & null).sum()),
        not_finite=int((left & ~null).sum()),
        without_text=int(no_text.sum()),
        mean=pc.mean(values).as_py(),
    )
    return pa.array(is_scored), outcome


def _column(rows: pa.Table, name: str) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    return np.asarray(rows[name]).astype(np.bool_)


def _scores(rows: pa.Table, project: str, evaluator: dict[str, str]) -> pa.RecordBatch:
    """Rows of the table `scores`."""
    same = {
        "project_id": project,
        "target": "span",
        "source": "code",
        "name": evaluator["name"],
        "evaluator": evaluator["evaluator"],
        "evaluator_version": evaluator["version"],
    }
    columns = {name: rows[name].combine_chunks() for name in _OF_THE_SPAN}
    columns |= {name: pa.repeat(value, rows.num_rows) for name, value in same.items()}
    return pa.RecordBatch.from_pydict(columns)
