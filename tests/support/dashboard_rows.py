"""The dashboard's test data as rows of the real tables."""

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
        counts=span.counts_usage,
        attrs=detail.attributes,
    )
