"""Scores of a trace or a span."""

from collections.abc import Sequence
from datetime import tzinfo

from spanwise_dashboard.components.table import Cell, Column, Row, table
from spanwise_dashboard.format import UNKNOWN, timestamp
from spanwise_schemas.api import Score


def scores_table(scores: Sequence[Score], zone: tzinfo, *, key: str) -> None:
    """Draws the scores, in the order given."""
    columns = (
        Column("Score", width="24%"),
        Column("Value", "right", width="72px"),
        Column("Label", width="18%"),
        Column("Explanation", wrap=True),
        Column("By", width="20%", hide=480),
    )
    rows = [
        Row(
            score.score_id,
            (
                Cell(score.name),
                Cell(UNKNOWN if score.value is None else f"{score.value:g}"),
                Cell(score.label),
                Cell(score.explanation),
                Cell(_by(score), title=timestamp(score.time, zone)),
            ),
        )
        for score in scores
    ]
    table("Scores", columns, rows, key=key, empty="No scores.")


def _by(score: Score) -> str:
    who = {"code": "a check", "llm": "a model", "human": "a reviewer", "user": "the user"}[score.source]
    version = f" {score.evaluator_version}" if score.evaluator_version else ""
    return f"{score.evaluator}{version}" if score.evaluator else who
