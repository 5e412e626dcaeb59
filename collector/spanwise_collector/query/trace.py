"""One trace with all its spans."""

from collections.abc import Mapping
from typing import Any, Final

from spanwise_collector.query.contents import Contents, contents_of
from spanwise_collector.query.scores import scores_of
from spanwise_collector.query.traces import summary_of
from spanwise_collector.query.values import hex_id, micros, milliseconds, time_of
from spanwise_collector.query.window import MINUTE
from spanwise_collector.store.database import Reader
from spanwise_schemas.api import SpanSummary, TraceDetail, TraceSummary, Usage

MAX_SPANS: Final = 20_000
# spans is ordered by buckets of five minutes.
_BUCKET: Final = 5 * MINUTE

SPAN_COLUMNS: Final = """span_id, parent_span_id, name, kind, status, toUnixTimestamp64Micro(start_time) AS start,
duration_us, ttft_us, if(model_response != '', model_response, model_request) AS model, provider, tool_name, agent_name,
tok_input, tok_output, tok_cache_read, tok_cache_write, tok_reasoning, counts_usage, cost_total_n, cost_source,
error_type, status_message, input_preview, output_preview"""

WITHIN_TRACE: Final = """project_id = {project:String} AND trace_id = toFixedString(unhex({id:String}), 16)
AND toStartOfFiveMinutes(start_time) >= fromUnixTimestamp64Micro({low:Int64}, 'UTC')
AND toStartOfFiveMinutes(start_time) <= fromUnixTimestamp64Micro({high:Int64}, 'UTC')"""


def get_trace(reader: Reader, project: str, trace_id: bytes, *, timeout_s: float = 30.0) -> TraceDetail | None:
    """A trace with its spans in order of start, and its scores.

    Args:
        reader: the store.
        project: only a trace of this project is found.
        trace_id: 16 bytes.
        timeout_s: for each query.

    Returns:
        None when the project has no such trace. Of more than 20,000 spans the first are returned and `truncated` is
        set.

    Raises:
        StoreError: see `Reader.query`.
    """
    summary = summary_of(reader, project, trace_id, timeout_s=timeout_s)
    if summary is None:
        return None
    # A span that was stored twice (a repair by hand; ingest prevents it) is shown once.
    sql = (
        f"SELECT {SPAN_COLUMNS} FROM spans WHERE {WITHIN_TRACE} "
        f"ORDER BY start, span_id LIMIT 1 BY span_id LIMIT {MAX_SPANS + 1}"
    )
    within = within_trace(project, trace_id, summary)
    answer = reader.query(sql, within, timeout_s=timeout_s)
    contents = contents_of(reader, within, timeout_s=timeout_s)
    start = micros(summary.start_time)
    spans = [_with_previews(span_summary(row, start), contents.get(row["span_id"])) for row in answer.dicts()]
    return TraceDetail(
        summary=summary,
        spans=spans[:MAX_SPANS],
        scores=scores_of(reader, project, trace_id, timeout_s=timeout_s),
        truncated=len(spans) > MAX_SPANS,
    )


def _with_previews(span: SpanSummary, contents: Contents | None) -> SpanSummary:
    """A span whose content may have come as log records."""
    if contents is None:
        return span
    input_, output = contents.previews
    return span.model_copy(
        update={"input_preview": span.input_preview or input_, "output_preview": span.output_preview or output}
    )


def within_trace(project: str, trace_id: bytes, summary: TraceSummary) -> dict[str, object]:
    """Parameters of `WITHIN_TRACE`: the id, and the time that the trace covers."""
    start = micros(summary.start_time)
    end = start + round(summary.duration_ms * 1000)
    return {"project": project, "id": trace_id.hex(), "low": start - start % _BUCKET, "high": end}


def span_summary(row: Mapping[str, Any], trace_start: int) -> SpanSummary:
    """A span from a row of `SPAN_COLUMNS`.

    Args:
        row: by column name.
        trace_start: microseconds since the epoch.
    """
    return SpanSummary(
        span_id=row["span_id"].hex(),
        parent_span_id=hex_id(row["parent_span_id"]),
        name=row["name"],
        kind=row["kind"],
        status=row["status"],
        start_time=time_of(row["start"]),
        offset_ms=milliseconds(row["start"] - trace_start),
        duration_ms=milliseconds(row["duration_us"]),
        ttft_ms=milliseconds(row["ttft_us"]) if row["ttft_us"] else None,
        model=row["model"],
        provider=row["provider"],
        tool_name=row["tool_name"],
        agent_name=row["agent_name"],
        usage=Usage(
            input=row["tok_input"],
            output=row["tok_output"],
            cache_read=row["tok_cache_read"],
            cache_write=row["tok_cache_write"],
            reasoning=row["tok_reasoning"],
        ),
        counts_usage=row["counts_usage"],
        cost_nanousd=None if row["cost_source"] == "none" else row["cost_total_n"],
        error_type=row["error_type"],
        status_message=row["status_message"],
        input_preview=row["input_preview"],
        output_preview=row["output_preview"],
    )
