"""Requests and responses of the collector's HTTP API.

Times are UTC and RFC 3339 with microseconds, durations are milliseconds, money is integer nano-dollars
(1 USD = 1e9), ids are lower-case hex. A cost is None where nothing is known of it; it is never guessed as zero.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from spanwise_schemas.attributes import Kind

Status = Literal["unset", "ok", "error"]
CostSource = Literal["none", "reported", "computed"]


class Model(BaseModel):
    """Base of all: unknown fields are ignored, so that an older dashboard reads a newer collector."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Problem(Model):
    """An error (RFC 9457 problem document, `application/problem+json`).

    Attributes:
        type: URI reference that names the kind of problem, `/problems/...`; documented in docs/api.md.
        title: the kind of problem in words.
        status: the HTTP status code.
        detail: what was wrong here and what to do about it.
        errors: for 422, one line per wrong parameter: `{"parameter": ..., "detail": ...}`.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    instance: str = ""
    errors: list[dict[str, str]] = Field(default_factory=list)


class Usage(Model):
    """Tokens of one or many model calls. `input` includes cached tokens, `output` includes reasoning tokens."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0


class TraceSummary(Model):
    """One row of the trace list."""

    trace_id: str
    name: str = Field(description="Name of the root span; empty while the root has not arrived.")
    start_time: datetime
    duration_ms: float
    status: Status
    environment: str = ""
    release: str = ""
    user_id: str = ""
    session_id: str = ""
    tags: list[str] = Field(default_factory=list)
    models: list[str] = Field(default_factory=list)
    spans: int
    llm_calls: int
    errors: int
    input_tokens: int
    output_tokens: int
    cost_nanousd: int | None = Field(description="Sum over priced calls; None when no call has a price.")
    unpriced_calls: int = Field(0, description="Model calls whose cost is unknown; the sum leaves them out.")
    input_preview: str = Field("", description="The root span's input, at most 256 characters.")
    output_preview: str = ""


class TracePage(Model):
    """A page of traces, newest first."""

    items: list[TraceSummary]
    next_cursor: str | None = Field(None, description="Pass as `cursor` for the page after this; None on the last.")


class Score(Model):
    """An evaluation result attached to a span, a trace or a session."""

    score_id: str
    target: Literal["span", "trace", "session"]
    trace_id: str = ""
    span_id: str = ""
    session_id: str = ""
    name: str
    value: float | None = None
    label: str = ""
    explanation: str = ""
    source: Literal["code", "llm", "human", "user"]
    evaluator: str = ""
    evaluator_version: str = ""
    inclusion_probability: float = Field(1.0, description="With which its target was chosen to be scored.")
    stratum: str = Field("", description="Out of which the target was chosen; empty where everything is scored.")
    time: datetime


class SpanSummary(Model):
    """One span in a trace, without its bodies."""

    span_id: str
    parent_span_id: str = Field("", description="Empty for a root.")
    name: str
    kind: Kind
    status: Status
    start_time: datetime
    offset_ms: float = Field(description="Start relative to the start of the trace.")
    duration_ms: float
    ttft_ms: float | None = Field(None, description="Time to first token; None where not streamed.")
    model: str = ""
    provider: str = ""
    tool_name: str = ""
    agent_name: str = ""
    usage: Usage = Field(default_factory=Usage)
    counts_usage: bool = Field(False, description="True on the one span that bears the bill for a provider call.")
    cost_nanousd: int | None = None
    error_type: str = ""
    status_message: str = ""
    input_preview: str = ""
    output_preview: str = ""


class TraceDetail(Model):
    """One trace: its totals, all its spans in order of start, its scores."""

    summary: TraceSummary
    spans: list[SpanSummary]
    scores: list[Score]
    truncated: bool = Field(
        False, description="True when the trace has more spans than the limit and the rest is left out."
    )


class CostDetail(Model):
    """How a span's cost came about."""

    source: CostSource
    input_nanousd: int | None = None
    output_nanousd: int | None = None
    total_nanousd: int | None = None
    reported_nanousd: int | None = Field(None, description="What the client said; it goes before a computed cost.")
    computed_nanousd: int | None = Field(None, description="What the price list said.")
    price_version: str = Field("", description="Price list and version that made it, e.g. `genai-prices 0.2.3`.")


class SpanDetail(Model):
    """One span with everything that is known of it. Bodies are as recorded: JSON text or plain text."""

    summary: SpanSummary
    trace_id: str
    project: str
    service: str = ""
    environment: str = ""
    release: str = ""
    user_id: str = ""
    session_id: str = ""
    tags: list[str] = Field(default_factory=list)
    prompt_name: str = ""
    prompt_version: str = ""
    model_request: str = ""
    model_response: str = ""
    finish_reason: str = ""
    response_id: str = ""
    parameters: dict[str, str] = Field(
        default_factory=dict, description="Of the request: temperature, token limit, ..."
    )
    streaming: bool = False
    tool_call_id: str = Field("", description="The model's id of the tool call that this span carried out.")
    usage_reason: str = Field("", description="Why a span with tokens does not bear the bill; a word.")
    usage_meaning: str = Field("", description="The same in a sentence.")
    scope: str = Field("", description="Instrumentation scope that made the span.")
    sdk: str = ""
    convention: str = Field("", description="Attribute convention recognised: gen_ai, openinference, ...")
    cost: CostDetail
    usage_extra: dict[str, int] = Field(default_factory=dict)
    input: str = ""
    output: str = ""
    bodies: Literal["stored", "none", "absent", "expired"] = Field(
        "stored",
        description="`none`: there was neither input nor output. `absent`: they are being stored, or the store refused "
        "them. `expired`: the bodies were kept for a shorter time than the span and are gone.",
    )
    input_bytes: int = 0
    output_bytes: int = 0
    system_instructions: str = ""
    tool_definitions: str = ""
    events: list[dict[str, object]] = Field(default_factory=list)
    attributes: dict[str, str] = Field(default_factory=dict)
    warnings: list[str] = Field(
        default_factory=list, description="What was wrong with the data and how it was treated."
    )
    scores: list[Score] = Field(default_factory=list)


class Totals(Model):
    """Sums over a window."""

    requests: int = Field(description="Traces started (root spans).")
    errors: int = Field(description="Of these, failed.")
    llm_calls: int = Field(description="Model calls that bear usage.")
    usage: Usage
    cost_nanousd: int | None
    unpriced_calls: int = 0
    users: int = Field(0, description="Distinct users (estimate, standard error about 2 %).")
    latency_ms_p50: float | None = Field(None, description="Of root spans; relative error at most 1 %.")
    latency_ms_p95: float | None = None
    latency_ms_p99: float | None = None
    ttft_ms_p50: float | None = None
    ttft_ms_p95: float | None = None


class Group(Model):
    """One group (a model, a name) in a window, with the window before for comparison."""

    key: str
    calls: int
    errors: int
    usage: Usage
    cost_nanousd: int | None
    unpriced_calls: int = 0
    latency_ms_p50: float | None = None
    latency_ms_p95: float | None = None
    latency_ms_p99: float | None = None
    previous_calls: int = 0
    previous_errors: int = 0
    previous_cost_nanousd: int | None = None
    previous_latency_ms_p95: float | None = None


class Overview(Model):
    """Totals of a window and of the window of equal length before it, by model and by name."""

    start: datetime
    end: datetime
    current: Totals
    previous: Totals
    by_model: list[Group] = Field(description="Spans of kind llm and embedding by model, dearest first.")
    by_name: list[Group] = Field(description="Root spans by name, most frequent first.")


Metric = Literal[
    "requests",
    "errors",
    "error_rate",
    "llm_calls",
    "latency_p50",
    "latency_p95",
    "latency_p99",
    "ttft_p50",
    "ttft_p95",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cost_nanousd",
    "users",
]
GroupBy = Literal["none", "model", "name", "environment", "kind"]


class Series(Model):
    """One line of a chart. `values[i]` belongs to the step that starts at `MetricSeries.times[i]`; None: no data."""

    key: str
    values: list[float | None]


class MetricSeries(Model):
    """A metric over time from the roll-ups."""

    metric: Metric
    unit: Literal["1", "ms", "tokens", "nanousd", "ratio"]
    step_seconds: int
    times: list[datetime]
    series: list[Series]


class Facets(Model):
    """Values to filter by, most frequent first, at most 100 of each."""

    environments: list[str]
    names: list[str]
    models: list[str]
    kinds: list[str]
    tags: list[str]


class ProjectInfo(Model):
    """A project that has sent data."""

    name: str
    last_seen: datetime | None = None
    spans: int = 0


class Projects(Model):
    """All projects, most recently active first."""

    items: list[ProjectInfo]


class PartitionState(Model):
    """One Kafka partition, as this collector sees it."""

    topic: str
    partition: int
    owner: str = Field("", description="Id of the collector that reads it; empty when it is not assigned here.")
    next_offset: int
    end_offset: int | None = Field(None, description="None while the broker does not answer.")
    lag: int | None = None
    spans_stored: int = Field(0, description="Spans and scores stored since this collector took the partition.")
    rejected: int = 0
    duplicates: int = 0
    last_batch: datetime | None = None
    paused_reason: str = Field("", description="Why ingest waits, in words; empty while it runs.")


class ProducerState(Model):
    """One producing process: what it said it sent, and what arrived."""

    producer: str
    project: str
    service: str = ""
    sdk: str = ""
    emitted: int = Field(description="Spans and scores in the records that arrived from it.")
    rejected: int
    duplicates: int = 0
    erased: int = Field(0, description="Left out because they had been erased.")
    dropped: int = Field(description="Dropped at the source, as last reported.")
    missing_records: int = Field(description="Gaps in its record sequence: records that never arrived, or not yet.")
    first_seen: datetime
    last_seen: datetime


class Reject(Model):
    """Why data was refused, counted."""

    topic: str
    reason: str
    count: int
    last_seen: datetime | None = None


class PipelineTotals(Model):
    """The ledger in one line: emitted = stored + duplicates + rejected + erased; dropped is on top, at the source."""

    emitted: int
    stored: int
    scores: int = 0
    rejected: int
    duplicates: int
    erased: int = Field(0, description="Left out because they had been erased.")
    dropped: int
    warnings: int = 0
    lag: int | None = Field(None, description="Records in Kafka that are not yet stored.")
    freshness_ms: float | None = Field(None, description="Median age of records when they were stored, last 5 minutes.")


class Pipeline(Model):
    """State of the road from Kafka to ClickHouse."""

    totals: PipelineTotals
    partitions: list[PartitionState]
    producers: list[ProducerState] = Field(description="Most recently active first, at most 200.")
    rejects: list[Reject]
    tables: dict[str, int] = Field(default_factory=dict, description="Bytes on disk per table.")


class Health(Model):
    """Answer of /healthz and /readyz."""

    status: Literal["ok", "starting", "failing"]
    version: str
    checks: dict[str, str] = Field(
        default_factory=dict, description="Part to `ok` or what is wrong with it and what to do."
    )
