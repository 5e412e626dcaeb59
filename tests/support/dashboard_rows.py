"""The dashboard's test data as rows of the real tables."""

import json
from typing import Any

from spanwise_collector.query.values import micros
from spanwise_collector.store.database import Database
from spanwise_schemas.api import SpanDetail
from tests.support.dashboard_data import Dataset
from tests.support.rows import T0, Span, insert


def store(database: Database, data: Dataset) -> None:
    """Inserts every span with its bodies."""
    insert(database, [_row(detail) for detail in data.spans.values()], token="dashboard")


def _row(detail: SpanDetail) -> Span:
    span = detail.summary
    return Span(
        trace=int(detail.trace_id, 16),
        span=int(span.span_id, 16),
        parent=int(span.parent_span_id or "0", 16),
        at_ms=(span.start_time - T0).total_seconds() * 1000,
        took_ms=span.duration_ms,
        ttft_ms=span.ttft_ms or 0.0,
        name=span.name,
        kind=span.kind,
        status=span.status,
        error_type=span.error_type,
        env=detail.environment,
        release=detail.release,
        user=detail.user_id,
        session=detail.session_id,
        tags=tuple(detail.tags),
        model=span.model,
        input=detail.input,
        output=detail.output,
        tokens=(span.usage.input, span.usage.output),
        cost=span.cost_nanousd,
        cached=(span.usage.cache_read, span.usage.cache_write),
        reasoning=span.usage.reasoning,
        computed=span.cost_nanousd,
        counts=span.counts_usage,
        usage_reason=detail.usage_reason,
        provider=span.provider,
        prompt=(detail.prompt_name, detail.prompt_version),
        scope=detail.scope,
        convention=detail.convention,
        mapping=detail_mapping(detail),
        streaming=detail.streaming,
        params=detail.parameters,
        warnings=tuple(detail.warnings),
        attrs=detail.attributes,
    )


def detail_mapping(detail: SpanDetail) -> str:
    """Which attributes gave a span's fields, as ingest stores it."""
    given = {
        "kind": "gen_ai.operation.name",
        "model_request": "gen_ai.request.model" if detail.model_request else "",
        "tok_input": "gen_ai.usage.input_tokens" if detail.summary.usage.input else "",
        "tok_output": "gen_ai.usage.output_tokens" if detail.summary.usage.output else "",
        "input": "gen_ai.input.messages" if detail.input else "",
        "finish_reason": "@output" if detail.finish_reason else "",
    }
    return json.dumps({field: attribute for field, attribute in given.items() if attribute})


def stored_columns(detail: SpanDetail) -> dict[str, Any]:
    """A span as the query of `explain` reads it: for the fake, whose explanation is then made by the same code."""
    span, usage = detail.summary, detail.summary.usage
    return {
        "span_id": bytes.fromhex(span.span_id),
        "parent_span_id": bytes.fromhex(span.parent_span_id or "0" * 16),
        "start": micros(span.start_time),
        "name": span.name,
        "kind": span.kind,
        "status": span.status,
        "mapping": detail_mapping(detail),
        "scope": detail.scope,
        "convention": detail.convention,
        "sdk": detail.sdk,
        "service": detail.service,
        "env": detail.environment,
        "release": detail.release,
        "provider": span.provider,
        "model_request": detail.model_request,
        "model_response": detail.model_response,
        "input_preview": span.input_preview,
        "output_preview": span.output_preview,
        "tool_name": span.tool_name,
        "agent_name": span.agent_name,
        "finish_reason": detail.finish_reason,
        "response_id": detail.response_id,
        "tok_input": usage.input,
        "tok_output": usage.output,
        "tok_cache_read": usage.cache_read,
        "tok_cache_write": usage.cache_write,
        "tok_reasoning": usage.reasoning,
        "usage_extra": detail.usage_extra,
        "ttft_us": round((span.ttft_ms or 0) * 1000),
        "session_id": detail.session_id,
        "user_id": detail.user_id,
        "tags": detail.tags,
        "prompt_name": detail.prompt_name,
        "prompt_version": detail.prompt_version,
        "error_type": span.error_type,
        "status_message": span.status_message,
        "params": detail.parameters,
        "streaming": detail.streaming,
        "tool_call_id": detail.tool_call_id,
        "cost_input_n": detail.cost.input_nanousd or 0,
        "cost_output_n": detail.cost.output_nanousd or 0,
        "cost_total_n": detail.cost.total_nanousd or 0,
        "cost_source": detail.cost.source,
        "cost_reported_n": -1,
        "cost_computed_n": -1 if detail.cost.total_nanousd is None else detail.cost.total_nanousd,
        "price_version": detail.cost.price_version,
        "counts_usage": span.counts_usage,
        "usage_reason": detail.usage_reason,
        "attrs": detail.attributes,
        "warnings": detail.warnings,
        "raw": {},
        "system_instructions": detail.system_instructions,
        "tool_defs": detail.tool_definitions,
    }
