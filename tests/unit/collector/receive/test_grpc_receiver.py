"""OTLP/gRPC over real sockets: every status, from the outside."""

import gzip
import socket
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.limits import ReceiveLimits
from spanwise_collector.receive.split import Packed
from spanwise_schemas.wire import LOGS_TOPIC, SPANS_TOPIC, partition_for
from tests.support import otlp
from tests.support.receiving import MemoryLog, Receiving, key_file, receiving
from tests.support.running import eventually

ONE = otlp.traces(otlp.span())
DATA = ONE.SerializeToString()
LIMITS = ReceiveLimits(body_bytes=100_000, decoded_bytes=400_000, in_flight_bytes=1_000_000)
METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@pytest.fixture
def memory() -> MemoryLog:
    """An empty log."""
    return MemoryLog()


@pytest.fixture
def server(memory: MemoryLog) -> Iterator[Receiving]:
    """A receiver with small limits and no keys."""
    with receiving(memory, limits=LIMITS) as server:
        yield server


@contextmanager
def connected(server: Receiving) -> Iterator[Any]:
    """A channel, closed at the end."""
    with grpc.insecure_channel(server.grpc) as channel:
        yield channel


def export(server: Receiving, request: Any = ONE, **options: Any) -> Any:
    """One call with the generated client."""
    with connected(server) as channel:
        stub = LogsServiceStub if isinstance(request, ExportLogsServiceRequest) else TraceServiceStub
        return stub(channel).Export(request, timeout=60, **options)


def export_bytes(server: Receiving, data: bytes, **options: Any) -> ExportTraceServiceResponse:
    """One call with any bytes for a message."""
    with connected(server) as channel:
        return ExportTraceServiceResponse.FromString(channel.unary_unary(METHOD)(data, timeout=60, **options))


def failure(call: Callable[[], Any]) -> tuple[grpc.StatusCode, str, int | None]:
    """Status, sentence, and after how many seconds to try again."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    error: Any = caught.value
    trailing = dict(error.trailing_metadata() or ())
    status = Status.FromString(trailing.get("grpc-status-details-bin", b""))
    info = RetryInfo()
    retry = info.retry_delay.seconds if status.details and status.details[0].Unpack(info) else None
    return error.code(), error.details(), retry


def test_spans_and_log_records_are_taken(server: Receiving, memory: MemoryLog) -> None:
    """Both services, byte for byte."""
    entry = otlp.logs(LogRecord(trace_id=otlp.TRACE))

    answers = [export(server), export(server, entry)]

    assert [answer.ByteSize() for answer in answers] == [0, 0]
    partition = partition_for(otlp.TRACE, 4)
    assert memory.records == {
        SPANS_TOPIC: [Packed(partition, "", otlp.TRACE, DATA, 1)],
        LOGS_TOPIC: [Packed(partition, "", otlp.TRACE, entry.SerializeToString(), 1)],
    }


@pytest.mark.parametrize(
    "compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip, grpc.Compression.Deflate]
)
def test_compressed_messages_are_the_same_request(server: Receiving, memory: MemoryLog, compression: Any) -> None:
    """As OTEL_EXPORTER_OTLP_COMPRESSION=gzip makes them."""
    request = otlp.traces(otlp.span(values={"input": "x" * 50_000}))

    export(server, request, compression=compression)

    [record] = memory.records[SPANS_TOPIC]
    assert ExportTraceServiceRequest.FromString(record.value) == request


def test_bad_spans_are_refused_and_the_others_stored(server: Receiving, memory: MemoryLog) -> None:
    """The answer has the partial success."""
    answer = export(server, otlp.traces(otlp.span(), otlp.span(trace_id=b"x")))

    assert answer.partial_success.rejected_spans == 1
    assert answer.partial_success.error_message.startswith("Refused 1 of 2 spans. bad_trace_id (1): ")
    assert [record.items for record in memory.records[SPANS_TOPIC]] == [1]


@pytest.mark.parametrize(
    ("data", "options", "code", "says"),
    [
        (b"hello", {}, grpc.StatusCode.INVALID_ARGUMENT, "not an OTLP protobuf request with spans"),
        (DATA[:-1], {}, grpc.StatusCode.INVALID_ARGUMENT, "truncated"),
        (gzip.compress(DATA, mtime=0)[:-3], {}, grpc.StatusCode.INVALID_ARGUMENT, "ends too early"),
        (zlib.compress(bytes(50_000_000)), {}, grpc.StatusCode.RESOURCE_EXHAUSTED, "SPANWISE_OTLP_DECODED_BYTES"),
        (
            bytes(50_000_000),
            {"compression": grpc.Compression.Gzip},
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "SPANWISE_OTLP_DECODED_BYTES",
        ),
        (bytes(100_001), {}, grpc.StatusCode.RESOURCE_EXHAUSTED, "SPANWISE_OTLP_BODY_BYTES"),
        (bytes(200_000), {}, grpc.StatusCode.RESOURCE_EXHAUSTED, "larger than max"),
        (
            DATA,
            {"metadata": [("x-forwarded-for", "127.0.0.1")]},
            grpc.StatusCode.UNAUTHENTICATED,
            "spanwise keys create",
        ),
        (DATA, {"metadata": [("x-spanwise-project", "a:b")]}, grpc.StatusCode.INVALID_ARGUMENT, "no name of a project"),
    ],
    ids=["garbage", "cut", "cut gzip", "zlib bomb", "gzip bomb", "large", "larger", "forwarded", "project"],
)
def test_bad_input_has_its_status(
    server: Receiving, memory: MemoryLog, data: bytes, options: dict[str, Any], code: grpc.StatusCode, says: str
) -> None:
    """Without RetryInfo: sending it again would not help."""
    found, sentence, retry = failure(lambda: export_bytes(server, data, **options))

    assert (found, retry) == (code, None)
    assert says in sentence
    assert (memory.records, server.receiver.busy) == ({}, False)


def test_a_call_without_a_message_is_refused(server: Receiving) -> None:
    """A client that closes its side at once."""
    with connected(server) as channel:
        call = channel.stream_unary(METHOD)
        code, sentence, _ = failure(lambda: call(iter(()), timeout=60))

    assert (code, sentence) == (grpc.StatusCode.INVALID_ARGUMENT, "The call has no message.")


def test_other_services_are_not_there(server: Receiving) -> None:
    """Metrics are not taken."""
    with connected(server) as channel:
        call = channel.unary_unary("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export")
        assert failure(lambda: call(b"", timeout=60))[0] is grpc.StatusCode.UNIMPLEMENTED


def test_keys_decide_over_the_project(memory: MemoryLog, tmp_path: Path) -> None:
    """In the call's metadata, under the names of HTTP's headers; the key is looked at before the message."""
    keys, secret = key_file(tmp_path, "shop", "lab")
    key = ("x-api-key", secret)
    with receiving(memory, keys=keys, limits=LIMITS) as server:
        plain = otlp.traces(otlp.span(), resource={})
        export(server, plain, metadata=[key])
        export(server, plain, metadata=[("authorization", f"Bearer {secret}"), ("x-spanwise-project", "lab")])
        none = failure(lambda: export_bytes(server, bytes(100_001)))
        other = failure(lambda: export(server, plain, metadata=[key, ("x-spanwise-project", "hr")]))

    assert [record.project for record in memory.records[SPANS_TOPIC]] == ["shop", "lab"]
    assert none[0] is grpc.StatusCode.UNAUTHENTICATED
    assert (other[0], "names the project 'hr'" in other[1]) == (grpc.StatusCode.PERMISSION_DENIED, True)


def test_while_kafka_is_away_the_sender_is_told_to_come_again(server: Receiving, memory: MemoryLog) -> None:
    """UNAVAILABLE with RetryInfo."""
    memory.away = NotTakenError(Reason.AWAY, "Kafka is away.")

    assert failure(lambda: export(server)) == (grpc.StatusCode.UNAVAILABLE, "Kafka is away.", 5)


def test_under_pressure_calls_are_sent_away_until_kafka_follows(server: Receiving, memory: MemoryLog) -> None:
    """RESOURCE_EXHAUSTED with RetryInfo, which tells exporters to try again; HTTP shares the limit."""
    memory.holding = True
    request = otlp.traces(otlp.span(values={"input": "x" * 90_000}))

    with ThreadPoolExecutor(9) as threads:
        waiting = [threads.submit(export, server, request) for _ in range(9)]
        eventually(lambda: True if len(memory.held) == 9 else None, what="nine calls in flight")
        code, sentence, retry = failure(lambda: export(server, request))
        memory.acknowledge()
        answers = [one.result(60).ByteSize() for one in waiting]

    assert (code, retry, answers) == (grpc.StatusCode.RESOURCE_EXHAUSTED, 1, [0] * 9)
    assert "SPANWISE_OTLP_IN_FLIGHT_BYTES" in sentence
    export(server, request)


def test_a_message_that_does_not_come_is_not_waited_for(memory: MemoryLog) -> None:
    """DEADLINE_EXCEEDED after the time limit of bodies, without a deadline of the client's."""
    with receiving(memory, limits=ReceiveLimits(body_seconds=0.05)) as server, connected(server) as channel:
        held = socket.socketpair()

        def nothing() -> Iterator[bytes]:
            yield from [piece for piece in [held[1].recv(1)] if piece]

        code, sentence, _ = failure(lambda: channel.stream_unary(METHOD)(nothing()))
        held[0].close()
        held[1].close()

    assert (code, "SPANWISE_OTLP_BODY_SECONDS" in sentence) == (grpc.StatusCode.DEADLINE_EXCEEDED, True)


def test_a_call_that_is_given_up_leaves_nothing_behind(server: Receiving, memory: MemoryLog) -> None:
    """The client's deadline passes while Kafka is slow."""
    memory.holding = True
    with connected(server) as channel:
        call = channel.unary_unary(METHOD).future(DATA)
        eventually(lambda: True if memory.held else None, what="the call in flight")
        call.cancel()
        eventually(lambda: None if server.receiver.busy else True, what="the end of the call")
    memory.acknowledge()

    export(server)


def test_a_port_is_not_shared(server: Receiving) -> None:
    """A second server on the same port fails, instead of taking every other call."""
    other = grpc.server(ThreadPoolExecutor(1), options=[("grpc.so_reuseport", 0)])

    with pytest.raises(RuntimeError):
        other.add_insecure_port(server.grpc)
