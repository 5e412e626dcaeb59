"""Projects that have sent data."""

from spanwise_collector.query.values import time_of
from spanwise_collector.store.database import Reader
from spanwise_schemas.api import ProjectInfo, Projects


def list_projects(reader: Reader, *, timeout_s: float = 30.0) -> Projects:
    """All projects, most recently active first, at most 1,000.

    `last_seen` is the end of the last span, `spans` counts those that are stored. Both come from `trace_agg`, which has
    one row where `spans` has many.

    Raises:
        StoreError: see `Reader.query`.
    """
    answer = reader.query(
        "SELECT project_id, max(toUnixTimestamp64Micro(end_time)) AS last, sum(n_spans) FROM trace_agg "
        "GROUP BY project_id ORDER BY last DESC, project_id LIMIT 1000",
        timeout_s=timeout_s,
    )
    return Projects(
        items=[ProjectInfo(name=name, last_seen=time_of(last), spans=count) for name, last, count in answer.rows]
    )
