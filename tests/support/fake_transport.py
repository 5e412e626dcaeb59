"""The one fake of the SDK's `Transport`: takes records, or behaves as a receiver that is away, refuses or hangs."""

import threading
from collections.abc import Callable, Sequence

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spanwise._transport import Outcome, Record, Sent, TransportUnavailableError
from spanwise_schemas.wire import LOGS_TOPIC, SPANS_TOPIC


class FakeTransport:
    """Remembers what it is given.

    Attributes:
        records: taken so far.
        away: while set, every delivery fails as with a broker that cannot be reached.
        answer: decides the outcome of a record; by default it is sent.
        hang: while set, a delivery waits; cleared at the end of the test.
    """

    def __init__(self, *, partitions: int = 2, away: bool = False) -> None:
        self.records: list[Record] = []
        self.away = away
        self.answer: Callable[[Record], Outcome] = lambda _: Sent()
        self.attempts = 0
        self.closed = False
        self.abandoned = False
        self.go_on = threading.Event()
        self.go_on.set()
        self._partitions = partitions

    def partitions(self, topic: str) -> int:
        self.attempts += 1
        if self.away:
            raise TransportUnavailableError("the fake is away")
        return self._partitions

    def deliver(self, records: Sequence[Record]) -> list[Outcome]:
        self.go_on.wait(60)
        if self.away:
            raise TransportUnavailableError("the fake is away")
        outcomes = [self.answer(record) for record in records]
        self.records.extend(
            record for record, outcome in zip(records, outcomes, strict=True) if isinstance(outcome, Sent)
        )
        return outcomes

    def close(self, timeout_s: float) -> None:
        self.closed = True

    def abandon(self) -> None:
        self.abandoned = True

    def spans(self) -> list[Span]:
        """All spans of the records."""
        return [span for record in self.records if record.topic == SPANS_TOPIC for span in spans_of(record)]

    def logs(self) -> list[LogRecord]:
        """All log records."""
        return [
            log
            for record in self.records
            if record.topic == LOGS_TOPIC
            for group in ExportLogsServiceRequest.FromString(record.value).resource_logs
            for scope in group.scope_logs
            for log in scope.log_records
        ]


def spans_of(record: Record) -> list[Span]:
    """The spans inside one record."""
    request = ExportTraceServiceRequest.FromString(record.value)
    return [span for group in request.resource_spans for scope in group.scope_spans for span in scope.spans]
