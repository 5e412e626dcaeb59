"""Scores of a release in production."""

from typing import Final

from spanwise_collector.means.sides import SideMean
from spanwise_collector.query.side_scores import side_scores
from spanwise_collector.query.window import Window
from spanwise_collector.store.database import Reader

_TRACES: Final = (
    "SELECT trace_id, max(session_id) AS session FROM trace_agg WHERE project_id = {project:String} "
    "AND bucket >= toStartOfHour(fromUnixTimestamp64Micro({start:Int64}, 'UTC')) "
    "AND bucket < fromUnixTimestamp64Micro({end:Int64}, 'UTC') GROUP BY trace_id "
    "HAVING max(release) = {release:String}"
)


def release_scores(
    reader: Reader, project: str, release: str, window: Window, *, timeout_s: float
) -> dict[str, SideMean]:
    """Scores by code and by judges of the traces of a release, by name; judges' corrected where people labelled.

    Args:
        reader: the store.
        project: whose.
        release: its name.
        window: when its traces began.
        timeout_s: for the query.

    Raises:
        StoreError: see `Reader.query`.
    """
    return side_scores(
        reader,
        _TRACES,
        "source IN ('code', 'llm')",
        {"project": project, "release": release, "start": window.start, "end": window.end},
        timeout_s=timeout_s,
    )
