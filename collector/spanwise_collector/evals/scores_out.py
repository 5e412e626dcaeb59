"""Scores as OTLP log records, and judges' calls as spans of their own project. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spanwise_collector.evals.calls import Call
from spanwise_collector.evals.sampling import Chance
from spanwise_collector.evals.targets import NO_SPAN, Target
from spanwise_evaluators.model import Verdict
from spanwise_schemas import attributes as names
from spanwise_schemas.score_ids import score_id

SCOPE: Final = "spanwise.evals"
"""Of everything that the role `evals` writes; spans of it are never judged, whatever their project."""
SERVICE: Final = "spanwise-evals"
JUDGE_NAME: Final = "spanwise.judge.name"
JUDGE_VERSION: Final = "spanwise.judge.version"
JUDGED_TRACE: Final = "spanwise.judge.target.trace_id"
JUDGED_SPAN: Final = "spanwise.judge.target.span_id"


@dataclass(frozen=True, slots=True)
class ScoreOut:
    """A score on its way to Kafka.

    Attributes:
        target: what is scored.
        name: of the score.
        evaluator: who gave it.
        version: of the evaluator.
        verdict: value, label, reason.
        chance: with which the target was chosen.
        source: `code` or `llm`.
    """

    target: Target
    name: str
    evaluator: str
    version: str
    verdict: Verdict
    chance: Chance
    source: Literal["code", "llm"]


@dataclass(frozen=True, slots=True)
class CallOut:
    """A judge's call on its way to Kafka.

    Attributes:
        project: where it is traced.
        judge: name of the judge.
        version: of the judge.
        provider: of the model.
        model: as asked for.
        call: itself.
        trace_id: 16 bytes, one for all calls for one target.
        span_id: 8 bytes.
        judged_trace: hex id of what is judged; "" for an anchor.
        judged_span: likewise.
    """

    project: str
    judge: str
    version: str
    provider: str
    model: str
    call: Call
    trace_id: bytes
    span_id: bytes
    judged_trace: str = ""
    judged_span: str = ""


def scores_request(scores: Iterable[ScoreOut]) -> ExportLogsServiceRequest:
    """The scores as log records, one resource per project.

    A score bears the time of what it is of: being read late does not move it, and read again it is the same.
    """
    request = ExportLogsServiceRequest()
    scopes: dict[str, list[LogRecord]] = {}
    for score in scores:
        scopes.setdefault(score.target.project, []).append(_record(score))
    for project, records in scopes.items():
        group = request.resource_logs.add()
        group.resource.attributes.extend(_pairs({names.PROJECT: project, names.SERVICE: SERVICE}))
        scoped = group.scope_logs.add()
        scoped.scope.name = SCOPE
        scoped.log_records.extend(records)
    return request


def calls_request(calls: Iterable[CallOut]) -> ExportTraceServiceRequest:
    """The calls as spans, one resource per project."""
    request = ExportTraceServiceRequest()
    scopes: dict[str, list[Span]] = {}
    for call in calls:
        scopes.setdefault(call.project, []).append(_span(call))
    for project, spans in scopes.items():
        group = request.resource_spans.add()
        group.resource.attributes.extend(_pairs({names.PROJECT: project, names.SERVICE: SERVICE}))
        scoped = group.scope_spans.add()
        scoped.scope.name = SCOPE
        scoped.spans.extend(spans)
    return request


def _record(score: ScoreOut) -> LogRecord:
    target, verdict = score.target, score.verdict
    said: dict[str, object] = {
        names.SCORE_ID: score_id(
            project=target.project,
            trace_id=target.trace_id.hex(),
            span_id="" if target.span_id == NO_SPAN else target.span_id.hex(),
            name=score.name,
            evaluator=score.evaluator,
            version=score.version,
        ),
        names.SCORE_NAME: score.name,
        names.SCORE_SOURCE: score.source,
        names.SCORE_EVALUATOR: score.evaluator,
        names.SCORE_EVALUATOR_VERSION: score.version,
        names.SCORE_INCLUSION: score.chance.probability,
    }
    if score.chance.stratum:
        said[names.SCORE_STRATUM] = score.chance.stratum
    if verdict.value is not None:
        said[names.SCORE_VALUE] = float(verdict.value)
    if verdict.label:
        said[names.SCORE_LABEL] = verdict.label
    if verdict.explanation:
        said[names.SCORE_EXPLANATION] = verdict.explanation
    return LogRecord(
        time_unix_nano=target.start_us * 1000,
        event_name=names.SCORE_EVENT,
        trace_id=target.trace_id,
        span_id=b"" if target.span_id == NO_SPAN else target.span_id,
        attributes=_pairs(said),
    )


def _span(out: CallOut) -> Span:
    call, completion = out.call, out.call.completion
    said: dict[str, object] = {
        names.OPERATION: "chat",
        names.PROVIDER: out.provider,
        names.REQUEST_MODEL: out.model,
        names.INPUT_MESSAGES: json.dumps(
            [{"role": one["role"], "parts": [{"type": "text", "content": one["content"]}]} for one in call.messages],
            ensure_ascii=False,
        ),
        JUDGE_NAME: out.judge,
        JUDGE_VERSION: out.version,
        JUDGED_TRACE: out.judged_trace,
        JUDGED_SPAN: out.judged_span,
    }
    if call.text:
        said[names.OUTPUT_MESSAGES] = json.dumps(
            [{"role": "assistant", "parts": [{"type": "text", "content": call.text}]}], ensure_ascii=False
        )
    if completion is not None:
        said[names.RESPONSE_MODEL] = completion.model
        said[names.INPUT_TOKENS] = completion.input_tokens
        said[names.OUTPUT_TOKENS] = completion.output_tokens
        said[names.CACHE_READ_TOKENS] = completion.cached_tokens or None
        said[names.REASONING_TOKENS] = completion.reasoning_tokens or None
    span = Span(
        trace_id=out.trace_id,
        span_id=out.span_id,
        name=f"judge {out.judge}",
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=call.start_ns,
        end_time_unix_nano=max(call.end_ns, call.start_ns),
    )
    if call.error:
        said[names.ERROR_TYPE] = call.error
        span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=call.detail))
    span.attributes.extend(_pairs({key: value for key, value in said.items() if value not in (None, "")}))
    return span


def _pairs(values: Mapping[str, object]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_any(value)) for key, value in values.items()]


def _any(value: object) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case _:
            return AnyValue(string_value=_clean(str(value)))


def _clean(text: str) -> str:
    """Text that protobuf takes: a model may write half a surrogate pair."""
    return text.encode("utf-8", "replace").decode("utf-8")
