"""The two OTLP signals that are received; their requests have the same form under different names."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from spanwise_schemas.wire import LOGS_TOPIC, SPANS_TOPIC


@dataclass(frozen=True, slots=True)
class Signal:
    """One sort of telemetry.

    Attributes:
        name: last part of its path.
        topic: Kafka topic.
        request: message type of an export request.
        response: message type of the answer.
        groups: field of the request with one entry per resource.
        scopes: field of a group with one entry per instrumentation scope.
        items: field of a scope's entry with the spans or log records.
        rejected: field of the answer's partial success that counts what was refused.
        noun: what an item is called in sentences, in the plural.
        service: full name of its gRPC service.
    """

    name: Literal["traces", "logs"]
    topic: str
    request: Any
    response: Any
    groups: str
    scopes: str
    items: str
    rejected: str
    noun: str
    service: str


TRACES: Final = Signal(
    "traces",
    SPANS_TOPIC,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
    "resource_spans",
    "scope_spans",
    "spans",
    "rejected_spans",
    "spans",
    "opentelemetry.proto.collector.trace.v1.TraceService",
)
LOGS: Final = Signal(
    "logs",
    LOGS_TOPIC,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
    "resource_logs",
    "scope_logs",
    "log_records",
    "rejected_log_records",
    "log records",
    "opentelemetry.proto.collector.logs.v1.LogsService",
)
SIGNALS: Final = (TRACES, LOGS)
