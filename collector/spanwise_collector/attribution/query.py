"""Leaf counts of two windows from the store."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from spanwise_collector.attribution.leaves import Leaves, Moments
from spanwise_collector.attribution.measures import SLOW_QUANTILE, Measure, measure_of
from spanwise_collector.attribution.populations import DIMENSIONS, Question, rows
from spanwise_collector.query.rollups import PARALLEL
from spanwise_collector.stats.arrays import Floats
from spanwise_collector.store.database import Reader

SETTINGS: Final[dict[str, object]] = {**PARALLEL, "distributed_product_mode": "global"}
"""A Distributed table inside a join is asked as a whole, not shard by shard."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with all that its SQL needs.

    Attributes:
        question: what is asked.
        measure: how it is counted.
        rows: subquery of all rows.
        condition: which of them count.
        parameters: values for all SQL of these.
    """

    question: Question
    measure: Measure
    rows: str
    condition: str
    parameters: dict[str, object]


def ask(reader: Reader, question: Question, *, timeout_s: float = 30.0) -> Asked:
    """Prepare a question. For `slow_share` this reads how slow the slowest 5 % were before.

    Raises:
        StoreError: see `Reader.query`.
    """
    measure = measure_of(question.signal)
    condition = f"{question.condition()} AND {measure.only}"
    parameters = question.parameters()
    found = rows(question)
    if question.signal.name == "slow_share":
        sql = f"SELECT quantile({SLOW_QUANTILE})(took_us) FROM {found} WHERE {condition} AND NOT now"
        edge = reader.query(sql, parameters, settings=SETTINGS, timeout_s=timeout_s).rows[0][0]
        parameters["slow"] = float(edge) if edge == edge else 0.0
    return Asked(question, measure, found, condition, parameters)


def leaf_table(reader: Reader, asked: Asked, *, timeout_s: float = 30.0) -> Leaves:
    """Counts and sums of both windows by all dimensions together, in one GROUP BY.

    Dimensions that nothing says anything of are left out.

    Raises:
        StoreError: see `Reader.query`.
    """
    dimensions = ", ".join(DIMENSIONS)
    sums = ", ".join(
        f"toFloat64({name}({arguments}{window}))"
        for window in ("NOT now", "now")
        for name, arguments in (("countIf", ""), ("sumIf", "v, "), ("sumIf", "v * v, "))
    )
    sql = (
        f"SELECT {dimensions}, {sums} FROM (SELECT {dimensions}, now, toFloat64({asked.measure.value}) AS v "
        f"FROM {asked.rows} WHERE {asked.condition}) GROUP BY {dimensions} ORDER BY {dimensions}"
    )
    answer = reader.query(sql, asked.parameters, settings=SETTINGS, timeout_s=timeout_s).rows
    columns: list[tuple[Any, ...]] = list(zip(*answer, strict=True)) or [()] * (len(DIMENSIONS) + 6)
    before, after = (
        Moments(*(np.array(column, dtype=np.float64) for column in columns[place : place + 3]))
        for place in (len(DIMENSIONS), len(DIMENSIONS) + 3)
    )
    named = [(name, column) for name, column in zip(DIMENSIONS, columns, strict=False) if any(column)]
    return Leaves.of(named, before, after, exposure_of(asked, before.n, after.n))


def exposure_of(asked: Asked, before: Floats, after: Floats) -> float:
    """What the window after would hold over what the one before held, had nothing changed.

    Args:
        asked: the question.
        before: events before.
        after: events after.
    """
    if asked.measure.shares:
        return float(after.sum()) / max(float(before.sum()), 1.0)
    return asked.question.after.length / asked.question.before.length
