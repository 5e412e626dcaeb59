"""Spans, bodies and scores as rows for tests of the store: say what matters, the rest has plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from spanwise_collector.store.database import Database

T0 = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
"""A time of day in the middle of an hour's first minute, well away from now."""


def trace_id(number: int) -> bytes:
    """16 bytes that end in a number."""
    return number.to_bytes(16, "big")


def span_id(number: int) -> bytes:
    """8 bytes that end in a number."""
    return number.to_bytes(8, "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span; times in milliseconds after `T0`, ids as numbers, cost in nano-dollars (None: unknown)."""

    trace: int
    span: int
    parent: int = 0
    at_ms: float = 0.0
    took_ms: float = 100.0
    ttft_ms: float = 0.0
    project: str = "default"
    name: str = "step"
    kind: str = "other"
    status: str = "ok"
    error_type: str = ""
    env: str = "prod"
    release: str = "v1"
    user: str = ""
    session: str = ""
    tags: tuple[str, ...] = ()
    model: str = ""
    model_request: str = ""
    input: str = ""
    output: str = ""
    tokens: tuple[int, int] = (0, 0)
    cost: int | None = None
    cached: tuple[int, int] = (0, 0)
    reasoning: int = 0
    extra: Mapping[str, int] = field(default_factory=dict)
    reported: int | None = None
    computed: int | None = None
    counts: bool = False
    usage_reason: str = ""
    provider: str = ""
    prompt: tuple[str, str] = ("", "")
    scope: str = ""
    convention: str = ""
    mapping: str = ""
    streaming: bool = False
    params: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, str] = field(default_factory=dict)
    system: str = ""
    warnings: tuple[str, ...] = ()
    attrs: Mapping[str, str] = field(default_factory=dict)
    bodies_stored: bool = True
    tool: str = ""
    failure: tuple[str, str, str, int] = ("", "", "", 0)
    """Class, finer class, title and fingerprint."""

    @property
    def start(self) -> datetime:
        """UTC time of its start."""
        return T0 + timedelta(milliseconds=self.at_ms)


def llm(**values: object) -> Span:
    """A model call that bears usage: 100 tokens in, 20 out, 1,000,000 nano-dollars unless said otherwise."""
    call = Span(trace=0, span=0, kind="llm", name="chat", model="m-1", tokens=(100, 20), cost=1_000_000, counts=True)
    return replace(call, **values)  # type: ignore[arg-type]


def insert(database: Database, spans: Sequence[Span], *, token: str = "") -> None:
    """Insert spans and, where they have any, their bodies, as one batch."""
    name = (
        token
        or f"{min(s.span for s in spans)}-{max(s.span for s in spans)}-{spans[0].trace}-{spans[0].project}-{len(spans)}"
    )
    database.insert("spans", _batch([_span(span) for span in spans], _SPANS), token=f"{name}:spans")
    bodies = [_io(span) for span in spans if (span.input or span.output or span.raw) and span.bodies_stored]
    if bodies:
        database.insert("span_io", _batch(bodies, _SPAN_IO), token=f"{name}:span_io")


_TIME = pa.timestamp("us", tz="UTC")
_SPANS = pa.schema(
    [
        ("project_id", pa.string()),
        ("trace_id", pa.binary(16)),
        ("span_id", pa.binary(8)),
        ("parent_span_id", pa.binary(8)),
        ("start_time", _TIME),
        ("duration_us", pa.uint64()),
        ("ttft_us", pa.uint32()),
        ("is_root", pa.bool_()),
        ("name", pa.string()),
        ("kind", pa.string()),
        ("status", pa.string()),
        ("error_type", pa.string()),
        ("env", pa.string()),
        ("release", pa.string()),
        ("service", pa.string()),
        ("user_id", pa.string()),
        ("session_id", pa.string()),
        ("tags", pa.list_(pa.string())),
        ("model_request", pa.string()),
        ("model_response", pa.string()),
        ("tok_input", pa.uint32()),
        ("tok_output", pa.uint32()),
        ("cost_input_n", pa.int64()),
        ("cost_output_n", pa.int64()),
        ("cost_total_n", pa.int64()),
        ("cost_source", pa.string()),
        ("price_version", pa.string()),
        ("counts_usage", pa.bool_()),
        ("tok_cache_read", pa.uint32()),
        ("tok_cache_write", pa.uint32()),
        ("tok_reasoning", pa.uint32()),
        ("usage_extra", pa.map_(pa.string(), pa.uint64())),
        ("cost_reported_n", pa.int64()),
        ("cost_computed_n", pa.int64()),
        ("usage_reason", pa.string()),
        ("tool_name", pa.string()),
        ("failure_class", pa.string()),
        ("failure_sub", pa.string()),
        ("failure_title", pa.string()),
        ("fingerprint", pa.uint64()),
        ("provider", pa.string()),
        ("prompt_name", pa.string()),
        ("prompt_version", pa.string()),
        ("scope", pa.string()),
        ("convention", pa.string()),
        ("mapping", pa.string()),
        ("streaming", pa.bool_()),
        ("params", pa.map_(pa.string(), pa.string())),
        ("warnings", pa.list_(pa.string())),
        ("input_preview", pa.string()),
        ("output_preview", pa.string()),
        ("input_bytes", pa.uint32()),
        ("output_bytes", pa.uint32()),
        ("attrs", pa.map_(pa.string(), pa.string())),
        ("ingested_at", _TIME),
    ]
)
_SPAN_IO = pa.schema(
    [
        ("project_id", pa.string()),
        ("trace_id", pa.binary(16)),
        ("span_id", pa.binary(8)),
        ("start_time", _TIME),
        ("input", pa.string()),
        ("output", pa.string()),
        ("system_instructions", pa.string()),
        ("raw", pa.map_(pa.string(), pa.string())),
        ("ingested_at", _TIME),
    ]
)


def _batch(rows: list[dict[str, object]], schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(rows, schema=schema)


def _span(span: Span) -> dict[str, object]:
    known = span.cost is not None
    return {
        "project_id": span.project,
        "trace_id": trace_id(span.trace),
        "span_id": span_id(span.span),
        "parent_span_id": span_id(span.parent),
        "start_time": span.start,
        "duration_us": round(span.took_ms * 1000),
        "ttft_us": round(span.ttft_ms * 1000),
        "is_root": span.parent == 0,
        "name": span.name,
        "kind": span.kind,
        "status": span.status,
        "error_type": span.error_type,
        "env": span.env,
        "release": span.release,
        "service": "api",
        "user_id": span.user,
        "session_id": span.session,
        "tags": list(span.tags),
        "model_request": span.model_request or span.model,
        "model_response": span.model,
        "tok_input": span.tokens[0],
        "tok_output": span.tokens[1],
        "cost_input_n": (span.cost or 0) // 4,
        "cost_output_n": (span.cost or 0) - (span.cost or 0) // 4,
        "cost_total_n": span.cost or 0,
        "cost_source": ("computed" if span.reported is None else "reported") if known else "none",
        "price_version": ("prices 1" if span.reported is None else "reported") if known else "",
        "counts_usage": span.counts,
        "tok_cache_read": span.cached[0],
        "tok_cache_write": span.cached[1],
        "tok_reasoning": span.reasoning,
        "usage_extra": list(span.extra.items()),
        "cost_reported_n": -1 if span.reported is None else span.reported,
        "cost_computed_n": -1 if span.computed is None else span.computed,
        "usage_reason": span.usage_reason,
        "tool_name": span.tool,
        **dict(zip(("failure_class", "failure_sub", "failure_title", "fingerprint"), span.failure, strict=True)),
        "provider": span.provider,
        "prompt_name": span.prompt[0],
        "prompt_version": span.prompt[1],
        "scope": span.scope,
        "convention": span.convention,
        "mapping": span.mapping,
        "streaming": span.streaming,
        "params": list(span.params.items()),
        "warnings": list(span.warnings),
        "input_preview": span.input[:256],
        "output_preview": span.output[:256],
        "input_bytes": len(span.input.encode()),
        "output_bytes": len(span.output.encode()),
        "attrs": list(span.attrs.items()),
        "ingested_at": span.start,
    }


def _io(span: Span) -> dict[str, object]:
    return {
        "project_id": span.project,
        "trace_id": trace_id(span.trace),
        "span_id": span_id(span.span),
        "start_time": span.start,
        "input": span.input,
        "output": span.output,
        "system_instructions": span.system,
        "raw": list(span.raw.items()),
        "ingested_at": span.start,
    }
