"""The one fake of the collector's API: same paths, same models, data in memory, over loopback HTTP.

`tests/contract/test_dashboard_client.py` runs the same expectations against it and against the real API.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import get_args
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel

from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.query.explain import explained
from spanwise_schemas.api import (
    Facets,
    Group,
    Health,
    Metric,
    MetricSeries,
    Overview,
    PartitionState,
    Pipeline,
    PipelineTotals,
    Problem,
    ProducerState,
    ProjectInfo,
    Projects,
    Reject,
    Series,
    SpanSummary,
    Totals,
    TraceDetail,
    TracePage,
    Usage,
)
from spanwise_schemas.api_audit import Audit, AuditPartition
from spanwise_schemas.api_costs import CostDimension
from spanwise_schemas.api_explain import TraceExplanation
from tests.support import dashboard_alerts, dashboard_annotations, dashboard_costs, dashboard_failures
from tests.support.dashboard_data import Dataset
from tests.support.dashboard_rows import stored_columns

Parameters = Mapping[str, Sequence[str]]


class Refusal(Exception):  # noqa: N818 - an answer, not an error of the fake
    """Answers a problem document."""

    def __init__(self, status: int, title: str, detail: str = "", parameter: str = "") -> None:
        super().__init__(detail or title)
        errors = [{"parameter": parameter, "detail": detail}] if parameter else []
        self.problem = Problem(title=title, status=status, detail=detail, errors=errors)


@dataclass
class FakeApi:
    """Answers requests from a dataset.

    Attributes:
        data: what the collector holds.
        failing: when set, every request is answered with this.
        requests: paths with queries, as they came.
        told: alerts over the dataset, made when first asked for.
        failed: failures and comparisons over the dataset, made when first asked for.
        annotated: annotation queues over the dataset, made when first asked for.
    """

    data: Dataset
    failing: Problem | None = None
    requests: list[str] = field(default_factory=list)
    told: dashboard_alerts.FakeAlerts | None = None
    failed: dashboard_failures.FakeFailures | None = None
    annotated: dashboard_annotations.FakeAnnotations | None = None

    def answer(self, target: str, method: str = "GET", body: bytes = b"") -> BaseModel:
        """The answer to a request.

        Raises:
            Refusal: the answer is a problem.
        """
        self.requests.append(target if method == "GET" else f"{method} {target}")
        if self.failing is not None:
            raise Refusal(self.failing.status, self.failing.title, self.failing.detail)
        url = urlsplit(target)
        parameters = parse_qs(url.query)
        match url.path.strip("/").split("/"):
            case ["healthz" | "readyz"]:
                return Health(status="ok", version="0.1.0")
            case ["api", "v1", "traces", trace_id, "spans", span_id]:
                return self._span(trace_id, span_id)
            case ["api", "v1", "traces", trace_id, "explain"]:
                return self._explain(trace_id, _one(parameters, "span"))
            case ["api", "v1", *rest] if rest[0] in ("costs", "what-if", "prices"):
                return self._costs(rest, parameters)
            case ["api", "v1", *rest] if rest[0] in self._by_part():
                return self._by_part()[rest[0]](method, rest, parameters, body)
            case ["api", "v1", "traces", trace_id]:
                return self._trace(trace_id)
            case ["api", "v1", name] if name in self._by_name():
                return self._by_name()[name](parameters)
        raise Refusal(404, "Not found", f"There is nothing at {url.path}")

    def _by_part(self) -> dict[str, Callable[[str, Sequence[str], Parameters, bytes], BaseModel]]:
        return {
            **dict.fromkeys(dashboard_alerts.PATHS, self._alerts),
            **dict.fromkeys(dashboard_failures.PATHS, self._failures),
            **dict.fromkeys(dashboard_annotations.PATHS, self._annotations),
        }

    def _alerts(self, method: str, path: Sequence[str], parameters: Parameters, body: bytes) -> BaseModel:
        if self.told is None or self.told.data is not self.data:
            self.told = dashboard_alerts.FakeAlerts(self.data)
        try:
            found = self.told.answer(method, path, parameters, body)
        except dashboard_alerts.Refused as refused:
            raise Refusal(400, "Bad rule", str(refused)) from refused
        if found is None:
            raise Refusal(404, "Not found", f"There is nothing at {'/'.join(path)}")
        return found

    def _failures(self, method: str, path: Sequence[str], parameters: Parameters, body: bytes) -> BaseModel:
        if self.failed is None or self.failed.data is not self.data:
            self.failed = dashboard_failures.FakeFailures(self.data)
        found = self.failed.answer(method, path, parameters, body)
        if found is None:
            raise Refusal(404, "Not found", f"There is nothing at {'/'.join(path)}")
        return found

    def _annotations(self, method: str, path: Sequence[str], parameters: Parameters, body: bytes) -> BaseModel:
        if self.annotated is None or self.annotated.data is not self.data:
            self.annotated = dashboard_annotations.FakeAnnotations(self.data)
        found = self.annotated.answer(method, path, parameters, body)
        if found is None:
            raise Refusal(404, "Not found", f"There is nothing at {'/'.join(path)}")
        return found

    def _by_name(self) -> dict[str, Callable[[Parameters], BaseModel]]:
        return {
            "projects": self._projects,
            "traces": self._traces,
            "overview": self._overview,
            "metrics": self._metrics,
            "facets": self._facets,
            "pipeline": self._pipeline,
            "audit": self._audit,
        }

    def _projects(self, parameters: Parameters) -> Projects:
        total = sum(trace.summary.spans for trace in self.data.traces)
        return Projects(
            items=[
                ProjectInfo(name=name, last_seen=self.data.now, spans=total if name == "default" else 0)
                for name in self.data.projects
            ]
        )

    def _trace(self, trace_id: str) -> TraceDetail:
        for trace in self.data.traces:
            if trace.summary.trace_id == trace_id:
                return trace
        raise Refusal(404, "Trace not found", f"Trace {trace_id} is not in project default.")

    def _span(self, trace_id: str, span_id: str) -> BaseModel:
        found = self.data.spans.get((trace_id, span_id))
        if found is None:
            raise Refusal(404, "Span not found", f"Span {span_id} is not in trace {trace_id}.")
        return found

    def _explain(self, trace_id: str, span_id: str) -> BaseModel:
        found = self.data.spans.get((trace_id, span_id))
        if found is None:
            raise Refusal(404, "Span not found", f"Span {span_id} is not in trace {trace_id}.")
        return TraceExplanation(
            trace_id=trace_id, project="default", spans=[explained(stored_columns(found), PriceBook())]
        )

    def _costs(self, path: Sequence[str], parameters: Parameters) -> BaseModel:
        start, end = window = self._window(parameters)
        now, before = (self._selected(parameters, *each) for each in (window, (start - (end - start), start)))
        match path:
            case ["costs"]:
                return dashboard_costs.costs(self.data, window, now, before)
            case ["costs", "by", dimension] if dimension in get_args(CostDimension):
                return dashboard_costs.breakdown(self.data, window, now, before, dimension)  # type: ignore[arg-type]
            case ["costs", "unpriced"]:
                return dashboard_costs.unpriced(self.data, now)
            case ["costs", "duplicates"]:
                return dashboard_costs.duplicates(self.data, now)
            case ["prices", "models"]:
                return dashboard_costs.priced_models()
            case ["what-if", "model"]:
                provider, model = _one(parameters, "to_provider"), _one(parameters, "to_model")
                return dashboard_costs.what_if_model(self.data, window, now, provider, model)
            case ["what-if", "cache"]:
                return dashboard_costs.what_if_cache(
                    self.data, window, now, int(_one(parameters, "ttl_seconds", "3600"))
                )
        raise Refusal(404, "Not found", f"There is nothing at {'/'.join(path)}")

    def _selected(self, parameters: Parameters, start: datetime, end: datetime) -> list[TraceDetail]:
        if _one(parameters, "project", "default") != "default":
            return []
        return [
            trace
            for trace in self.data.traces
            if start <= trace.summary.start_time < end and _matches(trace, parameters)
        ]

    def _traces(self, parameters: Parameters) -> TracePage:
        start, end = self._window(parameters)
        found = [trace.summary for trace in self._selected(parameters, start, end)]
        found.sort(key=lambda summary: summary.start_time, reverse=True)
        limit = int(_one(parameters, "limit", "50"))
        cursor = _one(parameters, "cursor")
        if cursor and not cursor.isdigit():
            raise Refusal(422, "Invalid parameter", "is not a cursor of this API", "cursor")
        first = int(cursor or 0)
        more = first + limit < len(found)
        return TracePage(items=found[first : first + limit], next_cursor=str(first + limit) if more else None)

    def _overview(self, parameters: Parameters) -> Overview:
        start, end = self._window(parameters)
        current = self._selected(parameters, start, end)
        previous = self._selected(parameters, start - (end - start), start)
        return Overview(
            start=start,
            end=end,
            current=_totals(current),
            previous=_totals(previous),
            by_model=sorted(
                _groups(_calls(current), _calls(previous)), key=lambda group: group.cost_nanousd or 0, reverse=True
            ),
            by_name=sorted(_groups(_roots(current), _roots(previous)), key=lambda group: group.calls, reverse=True),
        )

    def _metrics(self, parameters: Parameters) -> MetricSeries:
        start, end = self._window(parameters)
        step = int(_one(parameters, "step_seconds", "3600"))
        metric = _one(parameters, "metric", "requests")
        group_by = _one(parameters, "group_by", "none")
        first = start.timestamp() // step * step
        count = int((end.timestamp() - first) // step) + 1
        times = [datetime.fromtimestamp(first + step * index, tz=start.tzinfo) for index in range(count)]
        selected = self._selected(parameters, start, end)
        keys = [""] if group_by == "none" else sorted({model for trace in selected for model in trace.summary.models})
        series = []
        for key in keys:
            buckets: list[list[TraceDetail]] = [[] for _ in times]
            for trace in selected:
                buckets[int((trace.summary.start_time.timestamp() - first) // step)].append(trace)
            series.append(Series(key=key, values=[_metric(metric, key, bucket) for bucket in buckets]))
        units: dict[str, str] = {"cost_nanousd": "nanousd", "error_rate": "ratio"}
        unit = units.get(metric, "tokens" if "tokens" in metric else "ms" if "_p" in metric else "1")
        return MetricSeries.model_validate(
            {"metric": metric, "unit": unit, "step_seconds": step, "times": times, "series": series}
        )

    def _facets(self, parameters: Parameters) -> Facets:
        summaries = [trace.summary for trace in self._selected({}, *self._window(parameters))]
        spans = [span for trace in self.data.traces for span in trace.spans]
        return Facets(
            environments=sorted({summary.environment for summary in summaries}),
            names=sorted({summary.name for summary in summaries}),
            models=sorted({model for summary in summaries for model in summary.models}),
            kinds=sorted({span.kind for span in spans}) if summaries else [],
            tags=sorted({tag for summary in summaries for tag in summary.tags}),
        )

    def _audit(self, parameters: Parameters) -> Audit:
        pipeline = self._pipeline(parameters)
        totals, now = pipeline.totals, self.data.now
        torn = [one for one in pipeline.producers if one.missing_records]
        return Audit(
            start=now - timedelta(hours=24),
            end=now,
            partitions=[
                AuditPartition(
                    topic=one.topic,
                    topic_id="id",
                    partition=one.partition,
                    first_offset=0,
                    last_offset=one.next_offset - 1,
                    batches=1,
                    records=one.next_offset,
                    spans=one.spans_stored,
                    scores=0,
                    contents=0,
                    rejected=0,
                    duplicates=0,
                    rejects_noted=0,
                    missing=[],
                    repeated=[],
                    empty=[],
                    surplus=[],
                )
                for one in (pipeline.partitions if totals.emitted else ())
            ],
            producers=[],
            producers_total=len(pipeline.producers),
            emitted=totals.emitted,
            stored=totals.stored,
            rejected=totals.rejected,
            duplicates=totals.duplicates,
            dropped=totals.dropped,
            waiting=totals.lag,
            problems=[
                *(["otlp_spans/1: offsets 812 to 815 were never stored (4 records)"] if totals.dropped else []),
                *(f"producer {one.producer}: {one.missing_records} of its records never arrived" for one in torn),
            ],
        )

    def _pipeline(self, parameters: Parameters) -> Pipeline:
        stored = sum(trace.summary.spans for trace in self.data.traces)
        if not stored:
            return Pipeline(
                totals=PipelineTotals(
                    emitted=0, stored=0, rejected=0, duplicates=0, dropped=0, lag=0, freshness_ms=None
                ),
                partitions=[_partition(self.data.now, number, 0) for number in range(2)],
                producers=[],
                rejects=[],
            )
        trouble = len(self.data.traces) > 2
        scores = sum(len(trace.scores) for trace in self.data.traces)
        rejected, duplicates, dropped, lag = (7, 12, 240, 3) if trouble else (0, 0, 0, 0)
        return Pipeline(
            totals=PipelineTotals(
                emitted=stored + scores + rejected + duplicates,
                stored=stored + scores,
                scores=scores,
                rejected=rejected,
                duplicates=duplicates,
                dropped=dropped,
                warnings=31 if trouble else 0,
                lag=lag,
                freshness_ms=1340.0,
            ),
            partitions=[_partition(self.data.now, number, stored // 2, lag=lag * number) for number in range(2)],
            producers=[
                _producer(self.data.now, number, stored, trouble=trouble) for number in range(3 if trouble else 1)
            ],
            rejects=_rejects(self.data.now) if trouble else [],
            tables={"spans": stored * 260, "span_io": stored * 1200, "trace_agg": stored * 9, "metrics_1m": 48_000},
        )

    def _window(self, parameters: Parameters) -> tuple[datetime, datetime]:
        end = datetime.fromisoformat(_one(parameters, "to", self.data.now.isoformat()))
        start = datetime.fromisoformat(_one(parameters, "from", (end - timedelta(days=1)).isoformat()))
        if start >= end:
            raise Refusal(422, "Invalid parameter", "must be before `to`", "from")
        return start, end


def _one(parameters: Parameters, key: str, default: str = "") -> str:
    values = parameters.get(key)
    return values[-1] if values else default


def _matches(trace: TraceDetail, parameters: Parameters) -> bool:
    summary = trace.summary
    lists: dict[str, set[str]] = {
        "environment": {summary.environment},
        "name": {summary.name},
        "status": {summary.status},
        "model": set(summary.models),
        "tag": set(summary.tags),
        "kind": {span.kind for span in trace.spans},
    }
    cost = (summary.cost_nanousd or 0) / 1e9
    text = " ".join((summary.name, summary.input_preview, summary.output_preview)).casefold()
    return (
        all(values & set(parameters[key]) for key, values in lists.items() if key in parameters)
        and _one(parameters, "user", summary.user_id) == summary.user_id
        and _one(parameters, "session", summary.session_id) == summary.session_id
        and _one(parameters, "q").casefold() in text
        and float(_one(parameters, "min_cost_usd", "0")) <= cost <= float(_one(parameters, "max_cost_usd", "inf"))
        and float(_one(parameters, "min_duration_ms", "0")) <= summary.duration_ms
        and summary.duration_ms <= float(_one(parameters, "max_duration_ms", "inf"))
    )


def _quantile(values: Sequence[float], share: float) -> float | None:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def _usage(usages: Sequence[Usage]) -> Usage:
    return Usage(**{name: sum(getattr(usage, name) for usage in usages) for name in Usage.model_fields})


def _cost(costs: Sequence[int | None]) -> int | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None


def _totals(traces: Sequence[TraceDetail]) -> Totals:
    billed = [span for trace in traces for span in trace.spans if span.counts_usage]
    latencies = [trace.summary.duration_ms for trace in traces]
    first_tokens = [span.ttft_ms for span in billed if span.ttft_ms is not None]
    return Totals(
        requests=len(traces),
        errors=sum(trace.summary.status == "error" for trace in traces),
        llm_calls=len(billed),
        usage=_usage([span.usage for span in billed]),
        cost_nanousd=_cost([span.cost_nanousd for span in billed]),
        unpriced_calls=sum(span.cost_nanousd is None for span in billed),
        users=len({trace.summary.user_id for trace in traces if trace.summary.user_id}),
        latency_ms_p50=_quantile(latencies, 0.5),
        latency_ms_p95=_quantile(latencies, 0.95),
        latency_ms_p99=_quantile(latencies, 0.99),
        ttft_ms_p50=_quantile(first_tokens, 0.5),
        ttft_ms_p95=_quantile(first_tokens, 0.95),
    )


def _calls(traces: Sequence[TraceDetail]) -> list[tuple[str, SpanSummary]]:
    return [(span.model, span) for trace in traces for span in trace.spans if span.kind in ("llm", "embedding")]


def _roots(traces: Sequence[TraceDetail]) -> list[tuple[str, SpanSummary]]:
    return [(trace.summary.name, span) for trace in traces for span in trace.spans if not span.parent_span_id]


def _groups(current: Sequence[tuple[str, SpanSummary]], previous: Sequence[tuple[str, SpanSummary]]) -> list[Group]:
    def group(key: str) -> Group:
        now = [span for name, span in current if name == key]
        before = [span for name, span in previous if name == key]
        latencies = [span.duration_ms for span in now]
        return Group(
            key=key,
            calls=len(now),
            errors=sum(span.status == "error" for span in now),
            usage=_usage([span.usage for span in now]),
            cost_nanousd=_cost([span.cost_nanousd for span in now]),
            unpriced_calls=sum(span.counts_usage and span.cost_nanousd is None for span in now),
            latency_ms_p50=_quantile(latencies, 0.5),
            latency_ms_p95=_quantile(latencies, 0.95),
            latency_ms_p99=_quantile(latencies, 0.99),
            previous_calls=len(before),
            previous_errors=sum(span.status == "error" for span in before),
            previous_cost_nanousd=_cost([span.cost_nanousd for span in before]),
            previous_latency_ms_p95=_quantile([span.duration_ms for span in before], 0.95),
        )

    return [group(key) for key in sorted({name for name, _ in current})]


def _metric(metric: str, key: str, traces: Sequence[TraceDetail]) -> float | None:
    if key:
        spans = [span for name, span in _calls(traces) if name == key]
        costs = [span.cost_nanousd for span in spans if span.cost_nanousd is not None]
        return float(sum(costs)) if costs else None
    totals = _totals(traces)
    values: dict[Metric, float | None] = {
        "requests": totals.requests,
        "errors": totals.errors,
        "error_rate": totals.errors / totals.requests if totals.requests else None,
        "llm_calls": totals.llm_calls,
        "latency_p50": totals.latency_ms_p50,
        "latency_p95": totals.latency_ms_p95,
        "latency_p99": totals.latency_ms_p99,
        "ttft_p50": totals.ttft_ms_p50,
        "ttft_p95": totals.ttft_ms_p95,
        "input_tokens": totals.usage.input,
        "output_tokens": totals.usage.output,
        "cache_read_tokens": totals.usage.cache_read,
        "cost_nanousd": totals.cost_nanousd,
        "users": totals.users,
    }
    return {str(name): value for name, value in values.items()}[metric]


def _partition(now: datetime, number: int, stored: int, *, lag: int = 0) -> PartitionState:
    return PartitionState(
        topic="otlp_spans",
        partition=number,
        owner="collector-1",
        next_offset=stored // 100,
        end_offset=stored // 100 + lag,
        lag=lag,
        spans_stored=stored,
        rejected=0,
        paused_reason="",
        last_batch=now - timedelta(seconds=4) if stored else None,
    )


def _producer(now: datetime, number: int, stored: int, *, trouble: bool) -> ProducerState:
    return ProducerState(
        producer=f"{number + 10:032x}",
        project="default",
        service=("support-bot", "support-bot", "batch-indexer")[number],
        sdk="spanwise/0.1.0",
        emitted=stored // 3,
        rejected=7 if trouble and number == 2 else 0,
        duplicates=12 if trouble and number == 2 else 0,
        dropped=240 if trouble and number == 1 else 0,
        missing_records=2 if trouble and number == 1 else 0,
        first_seen=now - timedelta(hours=20),
        last_seen=now - timedelta(seconds=5 + number * 400),
    )


def _rejects(now: datetime) -> list[Reject]:
    return [
        Reject(topic="otlp_spans", reason="bad_trace_id", count=5, last_seen=now - timedelta(minutes=12)),
        Reject(topic="otlp_spans", reason="not_protobuf", count=2, last_seen=now - timedelta(hours=3)),
    ]


@contextmanager
def serve(api: FakeApi) -> Iterator[str]:
    """The fake on a free port of the loopback interface; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                status, answer, mime = 200, api.answer(self.path, self.command, body), "application/json"
            except Refusal as refusal:
                status, answer, mime = refusal.problem.status, refusal.problem, "application/problem+json"
            document = answer.model_dump_json().encode()
            self.send_response(status)
            self.send_header("Content-Type", mime)
            self.send_header("Content-Length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

        do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - names of the base class

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of the base class
            """Stays quiet: requests are in `FakeApi.requests`."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(timeout=5)
