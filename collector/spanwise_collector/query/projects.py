"""Projects that have sent data."""

from spanwise_collector.query.values import time_of
from spanwise_collector.store.database import Reader
from spanwise_schemas.api import ProjectInfo, Projects


def list_projects(reader: Reader, *, timeout_s: float = 30.0) -> Projects:
    """All projects, most recently active first, at most 1,000; `spans` counts those that are stored now.

    Raises:
        StoreError: see `Reader.query`.
    """
    answer = reader.query(
        "SELECT project_id, toInt64(max(toUnixTimestamp64Micro(start_time))) AS last, count() FROM spans "
        "GROUP BY project_id ORDER BY last DESC, project_id LIMIT 1000",
        timeout_s=timeout_s,
    )
    return Projects(
        items=[ProjectInfo(name=name, last_seen=time_of(last), spans=count) for name, last, count in answer.rows]
    )
