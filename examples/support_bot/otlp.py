"""Made-up traces as the Kafka records that the SDK would have written."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from examples.support_bot.made import AttributeValue, MadeScore, MadeSpan, MadeTrace
from spanwise_schemas import attributes as names
from spanwise_schemas.wire import LOGS_TOPIC, SPANS_TOPIC, Envelope, partition_for

SPANS_PER_RECORD = 300


@dataclass(frozen=True, slots=True)
class WireRecord:
    """One record, ready to be produced."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]
    items: int


class Producer:
    """What one producing process (one environment and release of the service) would have sent.

    It collects spans per partition and yields a record whenever one is full, numbered as the SDK numbers them.
    """

    def __init__(self, *, project: str, environment: str, release: str, producer_id: str, partitions: int) -> None:
        self._producer_id = producer_id
        self._partitions = partitions
        self._seq = 0
        self._spans: dict[int, list[tuple[bytes, MadeSpan]]] = defaultdict(list)
        self._scores: dict[int, list[tuple[bytes, MadeScore]]] = defaultdict(list)
        facts: dict[str, AttributeValue] = {
            names.PROJECT: project,
            names.SERVICE: "support-bot",
            names.ENVIRONMENT: environment,
            names.RELEASE: release,
            names.PRODUCER: producer_id,
            "telemetry.sdk.name": "spanwise",
            "telemetry.sdk.language": "python",
            "telemetry.sdk.version": version("spanwise"),
        }
        self._resource = Resource(attributes=_key_values(facts))
        self._scope = InstrumentationScope(name="spanwise", version=version("spanwise"))

    def add(self, trace: MadeTrace) -> Iterator[WireRecord]:
        """Take a trace; yields the record that became full by it, if one did."""
        partition = partition_for(trace.trace_id, self._partitions)
        self._spans[partition] += [(trace.trace_id, span) for span in trace.spans]
        self._scores[partition] += [(trace.trace_id, score) for score in trace.scores]
        if len(self._spans[partition]) >= SPANS_PER_RECORD:
            yield from self._records(partition)

    def rest(self) -> Iterator[WireRecord]:
        """Records of what is left."""
        for partition in range(self._partitions):
            yield from self._records(partition)

    def _records(self, partition: int) -> Iterator[WireRecord]:
        if spans := self._spans.pop(partition, []):
            scoped = ScopeSpans(scope=self._scope, spans=[_span(trace_id, span) for trace_id, span in spans])
            request = ExportTraceServiceRequest(
                resource_spans=[ResourceSpans(resource=self._resource, scope_spans=[scoped])]
            )
            yield self._record(SPANS_TOPIC, partition, spans[0][0], request.SerializeToString(), len(spans))
        if scores := self._scores.pop(partition, []):
            logs = ScopeLogs(scope=self._scope, log_records=[_log(trace_id, score) for trace_id, score in scores])
            events = ExportLogsServiceRequest(resource_logs=[ResourceLogs(resource=self._resource, scope_logs=[logs])])
            yield self._record(LOGS_TOPIC, partition, scores[0][0], events.SerializeToString(), len(scores))

    def _record(self, topic: str, partition: int, key: bytes, value: bytes, items: int) -> WireRecord:
        envelope = Envelope(self._producer_id, self._seq, items, dropped=0)
        self._seq += 1
        return WireRecord(topic, partition, key, value, envelope.to_headers(), items)


def records(traces: Iterable[MadeTrace], *, project: str, partitions: int, run: str) -> Iterator[WireRecord]:
    """The records of all traces, in order of time; one producing process per environment and release.

    Args:
        traces: in order of time.
        project: what they belong to.
        partitions: how many each topic has.
        run: up to 8 hex digits that tell the producers of this run from those of another.
    """
    producers: dict[tuple[str, str], Producer] = {}
    for trace in traces:
        source = (trace.environment, trace.release)
        if source not in producers:
            producers[source] = Producer(
                project=project,
                environment=trace.environment,
                release=trace.release,
                producer_id=f"{run:0>8}{len(producers):024x}",
                partitions=partitions,
            )
        yield from producers[source].add(trace)
    for producer in producers.values():
        yield from producer.rest()


def _span(trace_id: bytes, span: MadeSpan) -> Span:
    failed = bool(span.error_type)
    event = Span.Event(
        time_unix_nano=span.end_ns,
        name="exception",
        attributes=_key_values({"exception.type": span.error_type, "exception.message": span.error_message}),
    )
    return Span(
        trace_id=trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_id,
        name=span.name,
        kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=span.start_ns,
        end_time_unix_nano=span.end_ns,
        attributes=_key_values(span.attributes),
        status=Status(code=Status.STATUS_CODE_ERROR, message=span.error_message) if failed else None,
        events=[event] if failed else [],
    )


def _log(trace_id: bytes, score: MadeScore) -> LogRecord:
    facts: dict[str, AttributeValue] = {
        names.SCORE_NAME: score.name,
        names.SCORE_VALUE: score.value,
        names.SCORE_ID: score.score_id,
        names.SCORE_SOURCE: score.source,
    }
    more: dict[str, AttributeValue] = {
        names.SCORE_LABEL: score.label,
        names.SCORE_EVALUATOR: score.evaluator,
        names.SCORE_EVALUATOR_VERSION: score.version,
        names.SCORE_EXPLANATION: score.explanation,
        names.SCORE_STRATUM: score.stratum,
    }
    facts |= {name: value for name, value in more.items() if value}
    if score.inclusion < 1:
        facts[names.SCORE_INCLUSION] = score.inclusion
    return LogRecord(
        time_unix_nano=score.time_ns,
        observed_time_unix_nano=score.time_ns,
        event_name=names.SCORE_EVENT,
        attributes=_key_values(facts),
        trace_id=trace_id,
    )


def _key_values(facts: Mapping[str, AttributeValue]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_any(value)) for key, value in facts.items()]


def _any(value: AttributeValue | Sequence[str]) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case _:
            return AnyValue(array_value=ArrayValue(values=[AnyValue(string_value=item) for item in value]))
