"""Why a span says what it says: the stored mapping, the table of conventions and the price list, put side by side."""

from collections.abc import Mapping
from typing import Any, Final

from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.query.explain_cost import bill_words, cost_origin, token_words
from spanwise_collector.query.explain_fields import field_origins, left_over
from spanwise_collector.query.trace import WITHIN_TRACE, within_trace
from spanwise_collector.query.traces import summary_of
from spanwise_collector.query.values import hex_id, time_of
from spanwise_collector.store.database import Reader
from spanwise_schemas.api import Usage
from spanwise_schemas.api_explain import SpanExplanation, TraceExplanation

MAX_SPANS: Final = 200
_COLUMNS: Final = """span_id, parent_span_id, toUnixTimestamp64Micro(start_time) AS start, name, kind, status, mapping,
scope, convention, sdk, service, env, release, provider, model_request, model_response, input_preview, output_preview,
tool_name, agent_name, finish_reason, response_id, tok_input, tok_output, tok_cache_read, tok_cache_write,
tok_reasoning, usage_extra, ttft_us, session_id, user_id, tags, prompt_name, prompt_version, error_type, status_message,
params, streaming, tool_call_id, cost_input_n, cost_output_n, cost_total_n, cost_source, cost_reported_n,
cost_computed_n, price_version, counts_usage, usage_reason, attrs, warnings"""


def explain_trace(
    reader: Reader,
    project: str,
    trace_id: bytes,
    prices: PriceBook,
    *,
    span_id: bytes | None = None,
    timeout_s: float = 30.0,
) -> TraceExplanation | None:
    """A trace's spans with where their values come from.

    Args:
        reader: the store.
        project: only a trace of this project is found.
        trace_id: 16 bytes.
        prices: the list in use, for unit prices.
        span_id: 8 bytes; only this span.
        timeout_s: for each query.

    Returns:
        None when the project has no such trace, or the trace no such span.

    Raises:
        StoreError: see `Reader.query`.
    """
    summary = summary_of(reader, project, trace_id, timeout_s=timeout_s)
    if summary is None:
        return None
    parameters = within_trace(project, trace_id, summary)
    only = WITHIN_TRACE
    if span_id is not None:
        only += " AND span_id = toFixedString(unhex({span:String}), 8)"
        parameters |= {"span": span_id.hex()}
    sql = (
        f"SELECT * FROM (SELECT {_COLUMNS} FROM spans WHERE {only} ORDER BY ingested_at DESC LIMIT 1 BY span_id) "
        f"ORDER BY start, span_id LIMIT {MAX_SPANS}"
    )
    rows = reader.query(sql, parameters, timeout_s=timeout_s).dicts()
    if not rows:
        return None
    sql = (
        "SELECT span_id, raw, length(system_instructions), length(tool_defs) FROM span_io "
        f"WHERE {only} ORDER BY ingested_at DESC LIMIT 1 BY span_id"
    )
    bodies = {row[0]: row[1:] for row in reader.query(sql, parameters, timeout_s=timeout_s).rows}
    return TraceExplanation(
        trace_id=trace_id.hex(),
        project=project,
        spans=[explained(row | _body(bodies.get(row["span_id"])), prices) for row in rows],
        left_out=max(0, summary.spans - MAX_SPANS) if span_id is None else 0,
    )


def _body(found: tuple[Any, ...] | None) -> dict[str, Any]:
    raw, system, tools = found or ({}, 0, 0)
    return {
        "raw": raw,
        "system_instructions": f"{system:,} bytes" if system else "",
        "tool_defs": f"{tools:,} bytes" if tools else "",
    }


def explained(row: Mapping[str, Any], prices: PriceBook) -> SpanExplanation:
    """A span from its row.

    Args:
        row: columns of `spans` by name, with `start` in microseconds since the epoch and `raw` of `span_io`.
        prices: the list in use.
    """
    fields = field_origins(row)
    unmapped, resource = left_over(row["attrs"], fields)
    return SpanExplanation(
        span_id=row["span_id"].hex(),
        parent_span_id=hex_id(row["parent_span_id"]),
        name=row["name"],
        kind=row["kind"],
        start_time=time_of(row["start"]),
        scope=row["scope"],
        convention=row["convention"],
        fields=fields,
        unmapped=unmapped,
        resource=resource,
        raw=row["raw"],
        usage=Usage(
            input=row["tok_input"],
            output=row["tok_output"],
            cache_read=row["tok_cache_read"],
            cache_write=row["tok_cache_write"],
            reasoning=row["tok_reasoning"],
        ),
        tokens=token_words(row, fields),
        cost=cost_origin(row, prices),
        counts_usage=row["counts_usage"],
        usage_reason=row["usage_reason"],
        bill=bill_words(row),
        warnings=row["warnings"],
    )
