"""The tables that SQL of users can name: one project's rows of ours, with ids as text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PROJECT: Final = "spanwise_project"
"""Parameter with the project."""


@dataclass(frozen=True, slots=True)
class View:
    """A table as users see it.

    Attributes:
        about: for people.
        table: what it reads.
        select: columns, as SQL.
        tail: what follows the condition on the project.
    """

    about: str
    table: str
    select: str
    tail: str = ""

    def sql(self, database: str) -> str:
        """The confined query.

        Args:
            database: name, as SQL.
        """
        return f"SELECT {self.select} FROM {database}.{self.table} WHERE project_id = {{{PROJECT}:String}}{self.tail}"


def _hex(*columns: str) -> str:
    return ", ".join(f"lower(hex({column})) AS {column}" for column in columns)


_SUMS: Final = [
    "n_spans",
    "n_calls",
    "n_err",
    "tok_input",
    "tok_output",
    "cost_n",
    "n_unpriced",
]
_TRACE: Final = (
    "min(start_time) AS start_time, max(end_time) AS end_time, "
    + ", ".join(f"sum({name}) AS {name}" for name in _SUMS)
    + ", max(root_name) AS name, max(root_status) = 2 AS failed, max(user_id) AS user_id, "
    "max(session_id) AS session_id, max(env) AS env, max(release) AS release, "
    "groupUniqArrayArray(models) AS models, groupUniqArrayArray(tags) AS tags"
)
VIEWS: Final[Mapping[str, View]] = {
    "spans": View(
        "one row per span: times, model, tokens, cost in nano-dollars (sum where counts_usage), previews, attributes",
        "spans",
        f"* EXCEPT (project_id, trace_id, span_id, parent_span_id, ktopic, kpart, koff), "
        f"{_hex('trace_id', 'span_id', 'parent_span_id')}",
    ),
    "span_io": View(
        "the full inputs and outputs of spans, for 14 days",
        "span_io",
        f"* EXCEPT (project_id, trace_id, span_id), {_hex('trace_id', 'span_id')}",
    ),
    "traces": View(
        "one row per trace: spans, calls, errors, tokens, cost, models, user, session",
        "trace_agg",
        f"lower(hex(trace_id)) AS trace_id, {_TRACE}",
        " GROUP BY project_id, trace_id",
    ),
    "scores": View(
        "one row per score: of which span, trace or session, by whom, value or label",
        "scores FINAL",
        f"* EXCEPT (project_id, score_id, trace_id, span_id, judge_trace_id, version, is_deleted), "
        f"{_hex('score_id', 'trace_id', 'span_id')}",
        " AND is_deleted = 0",
    ),
    "failures": View(
        "one row per failing span: class, title, fingerprint",
        "failures",
        f"* EXCEPT (project_id, trace_id, span_id), {_hex('trace_id', 'span_id')}",
    ),
    "metrics_1m": View(
        "sums per minute, environment, kind, model and name: add them up with sum()",
        "metrics_1m",
        "* EXCEPT (project_id, lat, root_lat, ttft, users)",
    ),
}


def with_views(database: str, query: str) -> str:
    """A query over the views.

    Args:
        database: where the tables are, as SQL.
        query: one SELECT that was checked.
    """
    views = ", ".join(f"{name} AS ({view.sql(database)})" for name, view in VIEWS.items())
    return f"WITH {views} SELECT * FROM ({query})"
