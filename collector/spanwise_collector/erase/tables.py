"""Which rows of which table an erasure removes, as SQL. Every table that holds anything of a trace has its line here.

What is not here: roll-ups, which are made anew (`rollups`), and documents that quote traces (`scrub`). The order is
that of removing: what is found through another table goes before it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from spanwise_collector.erase.book import TRACES, Erasure
from spanwise_collector.ingest.erased import digest_of
from spanwise_collector.store.change import literal

NO_TRACE: Final = "toFixedString('', 16)"


@dataclass(frozen=True, slots=True)
class Removal:
    """Rows to remove.

    Attributes:
        table: its name.
        where: SQL on its rows.
    """

    table: str
    where: str


def digest_sql(project: str, kind: str, column: str) -> str:
    """`digest_of` as SQL on a column.

    tests/unit/collector/erase/test_tables.py holds it against the Python one.
    """
    return f"lower(hex(SHA256(concat({literal(project)}, char(0), {literal(kind)}, char(0), {column}))))"


def traces_of(erasure: Erasure) -> str:
    """SELECT that finds the traces of an erasure in what is stored."""
    if erasure.kind == "trace":
        return f"SELECT toFixedString(unhex({literal(erasure.digest)}), 16) AS trace_id"
    column = f"{erasure.kind}_id"
    where = (
        f"project_id = {literal(erasure.project)} AND {column} != '' "
        f"AND {digest_sql(erasure.project, erasure.kind, column)} = {literal(erasure.digest)}"
    )
    before = f"fromUnixTimestamp64Micro({erasure.before_us}, 'UTC')"
    return (
        f"SELECT DISTINCT trace_id FROM spans WHERE {where} AND start_time < {before} "
        f"UNION DISTINCT SELECT DISTINCT trace_id FROM failures WHERE {where} AND time < {before} "
        "UNION DISTINCT SELECT DISTINCT trace_id FROM erasure_drops WHERE trace_id != toFixedString('', 16) "
        f"AND number IN (SELECT number FROM erasure_marks WHERE erasure_id = {literal(erasure.id)})"
    )


def remembered(erasure: Erasure) -> str:
    """SELECT of the traces that were found so far."""
    return (
        f"SELECT trace_id FROM {TRACES} WHERE project_id = {literal(erasure.project)} "
        f"AND erasure_id = {literal(erasure.id)}"
    )


def removals(erasure: Erasure, traces: str) -> Iterator[Removal]:
    """What to remove before the spans themselves, in order.

    Args:
        erasure: which.
        traces: SELECT of trace ids.
    """
    project = f"project_id = {literal(erasure.project)}"
    own = f"{project} AND trace_id IN ({traces})"
    others = f"trace_id NOT IN ({traces})"
    sessions = (
        f"session_id IN (SELECT session_id FROM spans WHERE {project} AND session_id != '' GROUP BY session_id "
        f"HAVING countIf({others}) = 0)"
    )
    if erasure.kind == "session":
        digest = digest_sql(erasure.project, "session", "session_id")
        sessions = f"({sessions} OR {digest} = {literal(erasure.digest)})"
    answers = f"response_id IN (SELECT response_id FROM spans WHERE {own} AND response_id != '')"
    yield Removal(
        "scores",
        f"{project} AND (trace_id IN ({traces}) OR (trace_id = {NO_TRACE} AND ((session_id != '' AND {sessions}) "
        f"OR (session_id = '' AND response_id != '' AND {answers}))))",
    )
    yield Removal(
        "annotation_reviews",
        f"{project} AND (queue_id, item_id) IN (SELECT queue_id, item_id FROM annotation_items WHERE {own})",
    )
    yield Removal("annotation_items", own)
    yield Removal("corrections", own)
    yield Removal(
        "experiment_results",
        f"{project} AND (trace_id IN ({traces}) OR (experiment_id, item_id) IN (SELECT e.experiment_id, i.item_id "
        f"FROM experiments AS e INNER JOIN dataset_items AS i ON e.project_id = i.project_id AND e.dataset = i.dataset "
        f"WHERE e.{project} AND i.trace_id IN ({traces})))",
    )
    yield Removal(
        "dataset_items",
        f"{project} AND (dataset, item_id) IN (SELECT dataset, item_id FROM dataset_items WHERE {own})",
    )
    gone = f"SELECT fingerprint FROM failures WHERE {project} GROUP BY fingerprint HAVING countIf({others}) = 0"
    yield Removal(
        "failure_states",
        f"{project} AND group_id IN (SELECT group_id FROM failure_groups WHERE {project} GROUP BY group_id "
        f"HAVING countIf(fingerprint NOT IN ({gone})) = 0)",
    )
    yield Removal("failure_groups", f"{project} AND fingerprint IN ({gone})")
    for table in ("failures", "text_features", "span_content", "span_io"):
        yield Removal(table, own)
    # Verdicts are kept by what they are of, so that whose they are cannot be told; the cache fills itself anew.
    yield Removal("judge_cache", project)


REMOVED: Final = (
    *("scores", "annotation_reviews", "annotation_items", "corrections", "experiment_results", "dataset_items"),
    *("failure_states", "failure_groups", "failures", "text_features", "span_content", "span_io", "judge_cache"),
)
"""The tables of `removals`."""
OF_SPANS: Final = ("spans", "trace_agg")
"""Removed day by day, together with making the roll-ups anew."""


def trace_digest(erasure_kind: str, project: str, value: str) -> str:
    """What is remembered of what was asked to be erased: of a trace its id, which is no person's name."""
    return value.lower() if erasure_kind == "trace" else digest_of(project, erasure_kind, value)
