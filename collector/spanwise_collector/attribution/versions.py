"""Models, prompt versions and releases that were first seen near a change."""

from typing import Final, Literal

from spanwise_collector.attribution.populations import Question
from spanwise_collector.query.costs_source import MODEL
from spanwise_collector.query.values import time_of
from spanwise_collector.query.window import DAY, HOUR
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_changes import NewVersion

BEFORE_CHANGE: Final = DAY
"""So long before the change a version may have appeared to be named with it."""
HISTORY: Final = 30 * DAY
"""A version that was not seen for so long counts as new."""
MAX_VERSIONS: Final = 10
_COLUMNS: Final[tuple[tuple[Literal["model", "prompt", "release"], str], ...]] = (
    ("model", f"{MODEL}::String"),
    (
        "prompt",
        "if(prompt_name = '', prompt_version, if(prompt_version = '', prompt_name, "
        "concat(prompt_name, '@', prompt_version)))::String",
    ),
    ("release", "release::String"),
)


def new_versions(reader: Reader, question: Question, *, timeout_s: float = 30.0) -> list[NewVersion]:
    """Versions first seen between a day before the change and its end, the most frequent first.

    What a project starts with is not new: nothing is, in the first hour of its history.

    Raises:
        StoreError: see `Reader.query`.
    """
    near = question.after.start - BEFORE_CHANGE
    # The roll-up has whole hours; what was seen in the hour in which the search begins is looked at itself.
    known = (
        "SELECT DISTINCT {column} FROM signals_1h WHERE project_id = {{project:String}} "
        "AND time >= fromUnixTimestamp64Micro({{oldest:Int64}}, 'UTC') "
        "AND time < toStartOfHour(fromUnixTimestamp64Micro({{near:Int64}}, 'UTC'))"
    )
    found: list[NewVersion] = []
    parameters: dict[str, object] = {
        "project": question.project,
        "oldest": near - HISTORY,
        "near": near,
        "start": question.after.start,
        "end": question.after.end,
        "hour": HOUR,
    }
    for dimension, column in _COLUMNS:
        sql = (
            f"SELECT {column} AS value, toUnixTimestamp64Micro(min(start_time)) AS first, "
            "countIf(toUnixTimestamp64Micro(start_time) >= {start:Int64}) AS n, sum(n) OVER () AS n_all "
            "FROM spans WHERE project_id = {project:String} "
            "AND start_time >= toStartOfHour(fromUnixTimestamp64Micro({near:Int64}, 'UTC')) "
            "AND start_time < fromUnixTimestamp64Micro({end:Int64}, 'UTC') AND value != '' GROUP BY value "
            f"QUALIFY value NOT IN ({known.format(column=dimension)}) AND first >= {{near:Int64}} "
            "AND first >= (SELECT toUnixTimestamp64Micro(min(start_time)) FROM trace_agg "
            "WHERE project_id = {project:String} AND bucket >= fromUnixTimestamp64Micro({oldest:Int64}, 'UTC')) "
            f"+ {{hour:Int64}} ORDER BY n DESC, value LIMIT {MAX_VERSIONS}"
        )
        for value, first, n, n_all in reader.query(sql, parameters, timeout_s=timeout_s).rows:
            found.append(
                NewVersion(
                    dimension=dimension, value=value, first_seen=time_of(first), share=n / n_all if n_all else 0.0
                )
            )
    return sorted(found, key=lambda one: -one.share)[:MAX_VERSIONS]
