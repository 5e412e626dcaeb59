"""Content that came as log records, joined to its spans when they are read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from spanwise_collector.normalise.bodies import preview
from spanwise_collector.normalise.content_events import joined
from spanwise_collector.query.window import HOUR
from spanwise_collector.store.database import Reader

_MARGIN_US: Final = HOUR
"""A log record is written while its span runs or soon after; it may come in long before or after it."""
_WITHIN: Final = """project_id = {project:String} AND trace_id = toFixedString(unhex({id:String}), 16)
AND toStartOfFiveMinutes(time) >= fromUnixTimestamp64Micro({low:Int64} - {margin:Int64}, 'UTC')
AND toStartOfFiveMinutes(time) <= fromUnixTimestamp64Micro({high:Int64} + {margin:Int64}, 'UTC')"""


@dataclass(frozen=True, slots=True)
class Contents:
    """What log records tell of one span; "" where they tell nothing.

    Attributes:
        input: messages as JSON.
        output: messages as JSON.
        system: instructions.
        tools: definitions.
    """

    input: str = ""
    output: str = ""
    system: str = ""
    tools: str = ""

    @property
    def previews(self) -> tuple[str, str]:
        """Of input and output, as ingest makes them."""
        return preview(self.input, "input"), preview(self.output, "output")


def contents_of(reader: Reader, within: Mapping[str, object], *, timeout_s: float) -> dict[bytes, Contents]:
    """Contents of a trace's spans, by span id; only of spans that have some.

    Args:
        reader: the store.
        within: parameters of the trace, see `query.trace.within_trace`.
        timeout_s: for the query.

    Raises:
        StoreError: see `Reader.query`.
    """
    sql = (
        "SELECT span_id, toString(side), groupArray(body) FROM (SELECT span_id, side, time, seq, body "
        f"FROM span_content WHERE {_WITHIN} ORDER BY span_id, side, time, seq LIMIT 1 BY span_id, side, time, seq) "
        "GROUP BY span_id, side"
    )
    found: dict[bytes, dict[str, str]] = {}
    for span_id, side, texts in reader.query(sql, {**within, "margin": _MARGIN_US}, timeout_s=timeout_s).rows:
        found.setdefault(span_id, {})[side] = joined(texts)
    return {span_id: Contents(**sides) for span_id, sides in found.items()}


def root_contents(
    reader: Reader, project: str, roots: Mapping[bytes, tuple[bytes, int]], *, timeout_s: float
) -> dict[bytes, Contents]:
    """Contents of the root spans of a few traces, by trace id; only of those that have some.

    Args:
        reader: the store.
        project: of the traces.
        roots: trace id to the root's span id and its start, microseconds since the epoch.
        timeout_s: for the query.

    Raises:
        StoreError: see `Reader.query`.
    """
    if not roots:
        return {}
    starts = [start for _, start in roots.values()]
    sql = (
        "SELECT trace_id, span_id, toString(side), groupArray(body) FROM "
        "(SELECT trace_id, span_id, side, time, seq, body FROM span_content WHERE project_id = {project:String} "
        "AND toStartOfFiveMinutes(time) >= fromUnixTimestamp64Micro({low:Int64} - {margin:Int64}, 'UTC') "
        "AND toStartOfFiveMinutes(time) <= fromUnixTimestamp64Micro({high:Int64} + {margin:Int64}, 'UTC') "
        "AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16)) "
        "ORDER BY trace_id, span_id, side, time, seq LIMIT 1 BY trace_id, span_id, side, time, seq) "
        "GROUP BY trace_id, span_id, side"
    )
    parameters = {
        "project": project,
        "ids": [trace_id.hex() for trace_id in roots],
        "low": min(starts),
        "high": max(starts),
        "margin": _MARGIN_US,
    }
    found: dict[bytes, dict[str, str]] = {}
    for trace_id, span_id, side, texts in reader.query(sql, parameters, timeout_s=timeout_s).rows:
        if span_id == roots[trace_id][0]:
            found.setdefault(trace_id, {})[side] = joined(texts)
    return {trace_id: Contents(**sides) for trace_id, sides in found.items()}
