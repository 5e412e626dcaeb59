"""Which scores a question is about, and what of their traces they can be split by, as SQL."""

from dataclasses import dataclass
from typing import Any, Final

from spanwise_collector.means.sums import Sums
from spanwise_collector.query.rollups import PARALLEL
from spanwise_collector.query.window import DAY, Window
from spanwise_schemas.api_evals import ScoreSource, SplitBy

LATE: Final = 7 * DAY
"""A score may come so long after its trace began and still be split by what the trace knows."""
SETTINGS: Final[dict[str, object]] = {**PARALLEL, "distributed_product_mode": "global"}
"""Of every question: scores and spans of a cluster are spread by different keys."""
KNOWN_CHANCE: Final = "inclusion_p > 0 AND inclusion_p <= 1"
IN_WINDOW: Final = (
    "project_id = {project:String} AND ts >= fromUnixTimestamp64Micro({start:Int64}, 'UTC') "
    "AND ts < fromUnixTimestamp64Micro({end:Int64}, 'UTC')"
)
_PROMPT: Final = (
    "if(prompt_name = '', toString(prompt_version), if(prompt_version = '', toString(prompt_name), "
    "concat(prompt_name, '@', prompt_version)))"
)
_ON_SPANS: Final = {
    "prompt": (_PROMPT, "(prompt_name != '' OR prompt_version != '')"),
    "model": (
        "toString(if(model_response != '', model_response, model_request))",
        "(model_response != '' OR model_request != '')",
    ),
}
"""What single spans know: the SQL, and which spans have it."""
SUMS: Final = (
    "countIf(ok) AS n, sumIf(w, ok) AS w1, sumIf(w * w, ok) AS w2, sumIf(w * x, ok) AS wx, "
    "sumIf(w * w * x, ok) AS w2x, sumIf(w * w * x * x, ok) AS w2xx, minIf(x, ok) AS low, maxIf(x, ok) AS high, "
    "countIf(ok AND x != 0 AND x != 1) = 0 AS yes_no, countIf(NOT ok) AS dropped"
)
"""Columns that `sums_of` reads, over rows of `scored`."""
N_SUMS: Final = 10


@dataclass(frozen=True, slots=True)
class ScoreFilter:
    """Which scores.

    Attributes:
        project: whose.
        name: of the score.
        source: who gives it.
        evaluator: empty for all.
        version: of the evaluator; empty for all.
        environments: of the trace; empty for all.
        label: of scores that are words, whose share is asked for; empty for numbers.
    """

    project: str
    name: str
    source: ScoreSource
    evaluator: str = ""
    version: str = ""
    environments: tuple[str, ...] = ()
    label: str = ""

    def parameters(self, window: Window) -> dict[str, object]:
        """Values for the SQL of this module."""
        return {
            "project": self.project,
            "name": self.name,
            "source": self.source,
            "evaluator": self.evaluator,
            "version": self.version,
            "environments": list(self.environments),
            "label": self.label,
            "start": window.start,
            "end": window.end,
            "traces_from": window.start - LATE,
        }

    def condition(self) -> str:
        """SQL on a row of `scores`."""
        parts = [IN_WINDOW, "name = {name:String}", "source = {source:String}"]
        if self.evaluator:
            parts.append("evaluator = {evaluator:String}")
        if self.version:
            parts.append("evaluator_version = {version:String}")
        if self.environments:
            parts.append(in_environments())
        return " AND ".join(parts)


def in_environments() -> str:
    """SQL on a row of `scores`: its trace ran in one of `{environments}`. Scores of sessions have no trace."""
    return (
        "trace_id IN (SELECT trace_id FROM trace_agg WHERE project_id = {project:String} AND "
        "bucket >= fromUnixTimestamp64Micro({traces_from:Int64}, 'UTC') - INTERVAL 1 HOUR "
        "AND bucket < fromUnixTimestamp64Micro({end:Int64}, 'UTC') AND env IN {environments:Array(String)})"
    )


def scored(wanted: ScoreFilter, split: SplitBy = "none") -> str:
    """Scores as rows (ts, x, w, ok, key): x is the value, w the inverse of its chance, ok whether both can be used."""
    x = "toFloat64(label = {label:String})" if wanted.label else "ifNull(value, nan)"
    own = "toString(evaluator_version)" if split == "version" else "''"
    rows = (
        f"SELECT ts, target, trace_id, span_id, {own} AS own, {x} AS x, if({KNOWN_CHANCE}, 1 / inclusion_p, 0) AS w, "
        f"isFinite(x) AND {KNOWN_CHANCE} AS ok FROM scores FINAL WHERE {wanted.condition()}"
    )
    if split in ("none", "version"):
        return f"(SELECT ts, x, w, ok, own AS key FROM ({rows}))"
    if split in ("release", "environment"):
        column = "release" if split == "release" else "env"
        known = (
            f"SELECT trace_id AS t_id, max({column}) AS key FROM trace_agg WHERE project_id = {{project:String}} "
            "AND bucket >= fromUnixTimestamp64Micro({traces_from:Int64}, 'UTC') - INTERVAL 1 HOUR "
            f"AND bucket < fromUnixTimestamp64Micro({{end:Int64}}, 'UTC') AND {_only(wanted)} GROUP BY trace_id"
        )
        return f"(SELECT ts, x, w, ok, key FROM ({rows}) AS c LEFT JOIN ({known}) AS t ON c.trace_id = t.t_id)"
    value, has = _ON_SPANS[split]
    known = (
        f"SELECT trace_id AS t_id, groupUniqArray(200)((span_id, {value})) AS found FROM spans "
        "WHERE project_id = {project:String} AND start_time >= fromUnixTimestamp64Micro({traces_from:Int64}, 'UTC') "
        f"AND start_time < fromUnixTimestamp64Micro({{end:Int64}}, 'UTC') AND {has} AND {_only(wanted)} "
        "GROUP BY trace_id"
    )
    # A span is split by its own, a trace, or a span without one, by all that its trace has.
    mine = "arrayFirst(one -> one.1 = span_id, found).2"
    all_ = "arrayStringConcat(arraySort(arrayDistinct(arrayMap(one -> one.2, found))), ', ')"
    key = f"if(target = 'span' AND {mine} != '', {mine}, {all_})"
    return f"(SELECT ts, x, w, ok, {key} AS key FROM ({rows}) AS c LEFT JOIN ({known}) AS t ON c.trace_id = t.t_id)"


def _only(wanted: ScoreFilter) -> str:
    """Traces that have such a score: few of many, where a sample is judged."""
    return f"trace_id IN (SELECT trace_id FROM scores WHERE {wanted.condition()})"


def sums_of(row: tuple[Any, ...]) -> Sums:
    """From the columns of `SUMS`."""
    n, w, w2, wx, w2x, w2xx, low, high, yes_no, dropped = row
    return Sums(n, w, w2, wx, w2x, w2xx, low, high, bool(yes_no) and n > 0, dropped)
