"""Values that a list or chart can be filtered by."""

from spanwise_collector.query.rollups import MetricFilter, source, whole_steps
from spanwise_collector.query.window import Window
from spanwise_collector.store.database import Reader
from spanwise_schemas.api import Facets


def get_facets(reader: Reader, project: str, window: Window, *, timeout_s: float = 30.0) -> Facets:
    """Environments, root names, models, kinds and tags in a window, most frequent first, at most 100 of each.

    Raises:
        StoreError: see `Reader.query`.
    """
    rows, parameters = source(
        ("env", "name", "model", "kind", "n", "n_root"), MetricFilter(project), [whole_steps(window)]
    )

    def most(column: str, weight: str) -> str:
        return (
            f"(SELECT groupArray(value) FROM (SELECT {column} AS value, sum({weight}) AS weight FROM rolled WHERE "
            f"value != '' "
            f"GROUP BY value HAVING weight > 0 ORDER BY weight DESC, value LIMIT 100))"
        )

    sql = (
        f"WITH rolled AS (SELECT env, name, model, kind, sum(n) AS n, sum(n_root) AS n_root FROM {rows} GROUP BY "
        f"env, name, model, kind) "
        f"SELECT {most('env', 'n')}, {most('name', 'n_root')}, {most('model', 'n')}, {most('kind', 'n')}"
    )
    environments, names, models, kinds = reader.query(sql, parameters, timeout_s=timeout_s).rows[0]
    tags = reader.query(
        "SELECT arrayJoin(tags) AS tag FROM trace_agg WHERE project_id = {project:String} "
        "AND bucket >= toStartOfHour(fromUnixTimestamp64Micro({start:Int64}, 'UTC')) "
        "AND bucket < fromUnixTimestamp64Micro({end:Int64}, 'UTC') "
        "GROUP BY tag ORDER BY count() DESC, tag LIMIT 100",
        {"project": project, "start": window.start, "end": window.end},
        timeout_s=timeout_s,
    )
    return Facets(
        environments=environments, names=names, models=models, kinds=kinds, tags=[tag for (tag,) in tags.rows]
    )
