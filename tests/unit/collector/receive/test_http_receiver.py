"""OTLP/HTTP over real sockets: every answer, from the outside."""

import gzip
import json
import socket
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.limits import ReceiveLimits
from spanwise_collector.receive.split import Packed
from spanwise_schemas.wire import LOGS_TOPIC, SPANS_TOPIC, partition_for
from tests.support import otlp
from tests.support.receiving import MemoryLog, Receiving, key_file, receiving
from tests.support.running import eventually

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}
ONE = otlp.traces(otlp.span())
DATA = ONE.SerializeToString()
LIMITS = ReceiveLimits(body_bytes=100_000, decoded_bytes=400_000, in_flight_bytes=1_000_000)


@pytest.fixture
def memory() -> MemoryLog:
    """An empty log."""
    return MemoryLog()


@pytest.fixture
def server(memory: MemoryLog) -> Iterator[Receiving]:
    """A receiver with small limits and no keys."""
    with receiving(memory, limits=LIMITS) as server:
        yield server


def post(server: Receiving, path: str = "/v1/traces", *, body: Any = DATA, **headers: str) -> httpx.Response:
    """One request; header names with underscores for dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{server.url}{path}", content=body, headers={**PROTOBUF, **named}, timeout=60)


def status_of(answer: httpx.Response) -> Status:
    """The error in an answer, in either form."""
    if answer.headers["content-type"] == "application/json":
        found = answer.json()
        return Status(code=found["code"], message=found["message"])
    assert answer.headers["content-type"] == "application/x-protobuf"
    return Status.FromString(answer.content)


def field(number: int, data: bytes) -> bytes:
    """A protobuf field with a length below 128."""
    return bytes([number << 3 | 2, len(data)]) + data


def counted(server: Receiving) -> dict[str, float]:
    """The receiver's own metrics, without times."""
    lines = httpx.get(f"{server.url}/metrics", timeout=60).text.splitlines()
    return {
        line.rpartition(" ")[0].removeprefix("spanwise_otlp_"): float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith("spanwise_otlp_") and "_created" not in line and "_seconds" not in line
    }


@pytest.mark.parametrize("prefix", ["", "/api/public/otel", "/otel"])
def test_spans_and_log_records_are_taken_on_every_path(server: Receiving, memory: MemoryLog, prefix: str) -> None:
    """The standard paths, and those on which other SDKs insist."""
    entry = otlp.logs(LogRecord(trace_id=otlp.TRACE))

    first = post(server, f"{prefix}/v1/traces")
    second = post(server, f"{prefix}/v1/logs", body=entry.SerializeToString())

    partition = partition_for(otlp.TRACE, 4)
    assert (first.status_code, first.content, first.headers["content-type"]) == (200, b"", "application/x-protobuf")
    assert (second.status_code, second.content) == (200, b"")
    assert memory.records == {
        SPANS_TOPIC: [Packed(partition, "", otlp.TRACE, DATA, 1)],
        LOGS_TOPIC: [Packed(partition, "", otlp.TRACE, entry.SerializeToString(), 1)],
    }


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(DATA, mtime=0)),
        ("deflate", zlib.compress(DATA)),
        ("deflate", zlib.compress(DATA)[2:-4]),
        ("identity", DATA),
    ],
)
def test_compressed_and_chunked_bodies_are_the_same_request(
    server: Receiving, memory: MemoryLog, encoding: str, body: bytes
) -> None:
    """Content-Encoding, and bodies of unknown length."""
    pieces = iter([body[:10], body[10:]])

    answers = [
        post(server, body=body, content_encoding=encoding),
        post(server, body=pieces, content_encoding=encoding),
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [record.value for record in memory.records[SPANS_TOPIC]] == [DATA, DATA]


def test_json_is_answered_in_json(server: Receiving, memory: MemoryLog) -> None:
    """Content types have parameters; the record is protobuf."""
    span = {"traceId": otlp.TRACE.hex(), "spanId": otlp.SPAN.hex(), "name": "chat", "startTimeUnixNano": "7"}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})

    answer = post(server, body=body, content_type="application/json; charset=utf-8")

    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (200, "application/json", {})
    [record] = memory.records[SPANS_TOPIC]
    [group] = ExportTraceServiceRequest.FromString(record.value).resource_spans
    assert group.scope_spans[0].spans[0].trace_id == otlp.TRACE


def test_bad_spans_are_refused_and_the_others_stored(server: Receiving, memory: MemoryLog) -> None:
    """How many and why is said in the partial success of the answer, in its form; both are counted."""
    good, bad = otlp.span("good"), [otlp.span(trace_id=b"x"), otlp.span(span_id=bytes(8)), otlp.span(span_id=b"")]
    # A scope with two spans, the second of which says that it is longer than it is.
    scope = field(2, good.SerializeToString()) + field(2, b"\x0a\x7f")

    answer = post(server, body=otlp.traces(good, *bad).SerializeToString())
    mended = post(server, body=field(1, field(2, scope)))
    as_json = post(server, body='{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"?"}]}]}]}', **JSON)

    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, partial.rejected_spans) == (200, 3)
    assert partial.error_message.startswith("Refused 3 of 4 spans. bad_span_id (2): A span id is 8 bytes")
    partial = ExportTraceServiceResponse.FromString(mended.content).partial_success
    assert (mended.status_code, partial.rejected_spans) == (200, 1)
    assert partial.error_message.startswith("Refused 1 of 2 spans. bad_item (1): ")
    assert (as_json.status_code, as_json.json()["partialSuccess"]["rejectedSpans"]) == (200, "1")
    assert [record.items for record in memory.records[SPANS_TOPIC]] == [1, 1]
    found = counted(server)
    assert (found['items_total{outcome="accepted",signal="traces"}'], found["in_flight_bytes"]) == (2, 0)
    assert found['items_total{outcome="refused",signal="traces"}'] == 5
    assert found['requests_total{code="200",protocol="http",signal="traces"}'] == 3


def test_refused_log_records_have_their_own_field(server: Receiving) -> None:
    """The answer to a log request is another message."""
    body = otlp.logs(LogRecord(trace_id=b"x")).SerializeToString()

    protobuf = post(server, "/v1/logs", body=body)
    as_json = post(server, "/v1/logs", body='{"resourceLogs":[{"scopeLogs":[{"logRecords":[5]}]}]}', **JSON)

    assert ExportLogsServiceResponse.FromString(protobuf.content).partial_success.rejected_log_records == 1
    assert as_json.json()["partialSuccess"]["rejectedLogRecords"] == "1"


BAD: list[tuple[str, dict[str, str], Any, int, int, str]] = [
    ("no content type", {"content-type": ""}, DATA, 415, 3, "Content-Type '' is not supported"),
    ("text", {"content-type": "text/plain"}, DATA, 415, 3, "application/x-protobuf or application/json"),
    ("brotli", {"content-encoding": "br"}, DATA, 415, 3, "Content-Encoding 'br' is not supported"),
    ("no protobuf", {}, b"hello", 400, 3, "not an OTLP protobuf request with spans"),
    ("cut protobuf", {}, DATA[:-1], 400, 3, "truncated"),
    ("json as protobuf", {}, b"{}", 400, 3, "JSON as application/json"),
    ("protobuf as json", JSON, DATA, 400, 3, "The body is not JSON"),
    ("empty json", JSON, b"", 400, 3, "The body is not JSON"),
    ("wrong json", JSON, b'{"resourceSpans": 5}', 400, 3, "resourceSpans is 5, not an array"),
    ("no gzip", {"content-encoding": "gzip"}, DATA, 400, 3, "The body is not gzip"),
    ("cut gzip", {"content-encoding": "gzip"}, gzip.compress(DATA, mtime=0)[:-5], 400, 3, "ends too early"),
    ("large", {}, bytes(100_001), 413, 8, "SPANWISE_OTLP_BODY_BYTES"),
    ("large and chunked", {}, iter([bytes(60_000)] * 2), 413, 8, "SPANWISE_OTLP_BODY_BYTES"),
    (
        "bomb",
        {"content-encoding": "gzip"},
        gzip.compress(bytes(50_000_000), mtime=0),
        413,
        8,
        "SPANWISE_OTLP_DECODED_BYTES",
    ),
    ("forwarded", {"x-forwarded-for": "127.0.0.1"}, DATA, 401, 16, "spanwise keys create"),
    ("project", {"x-spanwise-project": "a:b"}, DATA, 400, 3, "no name of a project"),
]


@pytest.mark.parametrize(
    ("headers", "body", "code", "rpc", "says"), [row[1:] for row in BAD], ids=[row[0] for row in BAD]
)
def test_bad_input_has_its_status(
    server: Receiving, memory: MemoryLog, headers: dict[str, str], body: Any, code: int, rpc: int, says: str
) -> None:
    """With a `google.rpc.Status` in the form of the request; nothing is stored, nothing stays in flight."""
    answer = post(server, body=body, **{name.replace("-", "_"): value for name, value in headers.items()})

    status = status_of(answer)
    assert (answer.status_code, status.code) == (code, rpc)
    assert says in status.message
    assert "retry-after" not in answer.headers
    assert memory.records == {}
    found = counted(server)
    assert (found[f'requests_total{{code="{code}",protocol="http",signal="traces"}}'], found["in_flight_bytes"]) == (
        1,
        0,
    )


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_answered_with_the_right_one(server: Receiving, method: str) -> None:
    """405, with Allow."""
    answer = httpx.request(method, f"{server.url}/v1/traces", timeout=60)

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert status_of(answer).message == f"Send spans to /v1/traces with POST, not {method}."


def test_metrics_are_not_taken_and_other_paths_are_not_there(server: Receiving) -> None:
    """404; for metrics with the setting that ends the attempts."""
    metrics, other = post(server, "/v1/metrics"), post(server, "/v2/traces")

    assert (metrics.status_code, "OTEL_METRICS_EXPORTER=none" in status_of(metrics).message) == (404, True)
    assert (other.status_code, other.headers["content-type"]) == (404, "application/problem+json")


def test_a_collector_that_only_receives_has_no_query_api(server: Receiving) -> None:
    """Only health, metrics and the OTLP paths; readiness looks at Kafka."""
    paths = ["/healthz", "/readyz", "/metrics", "/api/v1/projects"]

    answers = [httpx.get(server.url + path, timeout=60) for path in paths]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 404]
    assert answers[1].json()["checks"] == {"otlp": "ok"}


@pytest.mark.parametrize("headers", [PROTOBUF, JSON], ids=["protobuf", "json"])
def test_while_kafka_is_away_the_sender_is_told_to_come_again(
    server: Receiving, memory: MemoryLog, headers: dict[str, str]
) -> None:
    """503 with Retry-After, in the header and in the body; nothing counts as stored, and readiness says why."""
    memory.away = NotTakenError(Reason.AWAY, "Kafka is away.")
    body = DATA if headers is PROTOBUF else b"{}"

    answer = post(server, body=body, content_type=headers["content-type"])
    ready = httpx.get(f"{server.url}/readyz", timeout=60)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert (status_of(answer).code, status_of(answer).message) == (14, "Kafka is away.")
    if headers is JSON:
        assert answer.json()["details"] == [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "5s"}]
    else:
        info = RetryInfo()
        assert status_of(answer).details[0].Unpack(info)
        assert info.retry_delay.seconds == 5
    assert (ready.status_code, ready.json()["checks"]) == (503, {"otlp": "Kafka is away."})
    assert counted(server)['items_total{outcome="accepted",signal="traces"}'] == 0


def test_success_waits_for_the_acknowledgement_of_every_record(server: Receiving, memory: MemoryLog) -> None:
    """The answer comes after Kafka's, not before; meanwhile the bytes are in flight and others are answered."""
    memory.holding = True
    spans = [otlp.span(trace_id=bytes([n]) * 16) for n in range(1, 9)]

    with ThreadPoolExecutor(1) as threads:
        sent = threads.submit(post, server, body=otlp.traces(*spans).SerializeToString())
        eventually(lambda: True if len(memory.held) == 4 else None, what="four records")
        assert counted(server)["in_flight_bytes"] > 0
        assert not sent.done()
        for one in memory.held[:-1]:
            one.set_result(None)
        assert httpx.get(f"{server.url}/healthz", timeout=60).status_code == 200
        assert not sent.done()
        memory.held[-1].set_result(None)
        assert sent.result(60).status_code == 200

    assert counted(server)['items_total{outcome="accepted",signal="traces"}'] == 8


def test_one_record_that_fails_fails_the_request(server: Receiving, memory: MemoryLog) -> None:
    """Then all of it is to be sent again; ingest recognises what it has."""
    memory.holding = True
    spans = [otlp.span(trace_id=bytes([n]) * 16) for n in range(1, 9)]

    with ThreadPoolExecutor(1) as threads:
        sent = threads.submit(post, server, body=otlp.traces(*spans).SerializeToString())
        eventually(lambda: True if len(memory.held) == 4 else None, what="four records")
        memory.held[0].set_exception(NotTakenError(Reason.AWAY, "Kafka is slow."))
        for one in memory.held[1:]:
            one.set_result(None)
        answer = sent.result(60)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert counted(server)['items_total{outcome="accepted",signal="traces"}'] == 0


def test_a_record_that_the_brokers_find_too_large_is_a_partial_success(server: Receiving, memory: MemoryLog) -> None:
    """Sending it again would not help."""
    memory.refusal = NotTakenError(Reason.TOO_LARGE, "max.message.bytes")

    partial = ExportTraceServiceResponse.FromString(post(server).content).partial_success

    assert (partial.rejected_spans, "too_large (1)" in partial.error_message) == (1, True)


def test_kafka_that_never_answers_ends_in_503() -> None:
    """The receiver has a time limit of its own."""
    memory = MemoryLog()
    memory.holding = True
    with receiving(memory, limits=ReceiveLimits(ack_seconds=0.05)) as server:
        answer = post(server)
        memory.acknowledge()

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_under_pressure_requests_are_sent_away_until_kafka_follows(server: Receiving, memory: MemoryLog) -> None:
    """Beyond the bytes in flight 429 with Retry-After; those in flight succeed, and later ones again."""
    memory.holding = True
    body = otlp.traces(otlp.span(values={"input": "x" * 90_000})).SerializeToString()

    with ThreadPoolExecutor(9) as threads:
        waiting = [threads.submit(post, server, body=body) for _ in range(9)]
        eventually(lambda: True if len(memory.held) == 9 else None, what="nine requests in flight")
        late = post(server, body=body)
        memory.acknowledge()
        codes = [one.result(60).status_code for one in waiting]

    assert (late.status_code, late.headers["retry-after"], status_of(late).code) == (429, "1", 8)
    assert "SPANWISE_OTLP_IN_FLIGHT_BYTES" in status_of(late).message
    assert codes == [200] * 9
    assert post(server, body=body).status_code == 200


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    """408 after the time limit, and nothing stays in flight."""
    with receiving(MemoryLog(), limits=ReceiveLimits(body_seconds=0.05)) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(
                b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
            )
            answer = connection.makefile("rb").readline()

        assert answer.startswith(b"HTTP/1.1 408 ")
        assert counted(server)["in_flight_bytes"] == 0


def test_a_sender_that_hangs_up_leaves_nothing_behind(server: Receiving, memory: MemoryLog) -> None:
    """A cut body is not stored."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(
            b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        )
        eventually(lambda: True if counted(server)["in_flight_bytes"] else None, what="the request")

    eventually(lambda: None if counted(server)["in_flight_bytes"] else True, what="the end of the request")
    assert memory.records == {}


def test_many_senders_at_once_lose_nothing(server: Receiving, memory: MemoryLog) -> None:
    """200 requests from 16 threads: 200 records."""

    def send(number: int) -> int:
        body = otlp.traces(otlp.span(trace_id=(number + 1).to_bytes(16, "big"))).SerializeToString()
        return client.post("/v1/traces", content=body).status_code

    with httpx.Client(base_url=server.url, headers=PROTOBUF, timeout=60) as client, ThreadPoolExecutor(16) as threads:
        codes = list(threads.map(send, range(200)))

    assert codes == [200] * 200
    assert {record.key for record in memory.records[SPANS_TOPIC]} == {(n + 1).to_bytes(16, "big") for n in range(200)}


def test_a_mask_is_applied_before_kafka(memory: MemoryLog) -> None:
    """What the masker changes is what is written, also where the bytes could have been forwarded as they are."""

    class Masker:
        """Hides names that begin with `secret`."""

        def mask_request(self, message: Any) -> bool:
            """Change them."""
            spans = [span for group in message.resource_spans for scoped in group.scope_spans for span in scoped.spans]
            found = [span for span in spans if span.name.startswith("secret")]
            for span in found:
                span.name = "***"
            return bool(found)

    with receiving(memory, masker=Masker()) as server:
        codes = [
            post(server, body=otlp.traces(otlp.span("secret 42")).SerializeToString()).status_code,
            post(server).status_code,
        ]

    assert codes == [200, 200]
    masked, plain = memory.records[SPANS_TOPIC]
    assert b"secret" not in masked.value
    assert (masked.value.count(b"***"), plain.value) == (1, DATA)


def test_a_fault_of_ours_is_answered_and_logged(memory: MemoryLog, caplog: pytest.LogCaptureFixture) -> None:
    """500 without its reason, which is in the log."""

    class Masker:
        """Fails."""

        def mask_request(self, message: Any) -> bool:
            """Raise."""
            raise RuntimeError("xyzzy")

    with receiving(memory, masker=Masker()) as server:
        answer = post(server)

    assert (answer.status_code, "xyzzy" in answer.text) == (500, False)
    assert "xyzzy" in caplog.text


def test_keys_decide_over_the_project(memory: MemoryLog, tmp_path: Path) -> None:
    """The record's project is the key's; without a key 401, for others' projects 403, in this order before 415."""
    keys, secret = key_file(tmp_path, "shop", "lab")
    with receiving(memory, keys=keys) as server:
        answers = [
            post(server, content_type="text/plain"),
            post(server, x_api_key=secret, body=otlp.traces(otlp.span(), resource={}).SerializeToString()),
            post(server, authorization=f"Bearer {secret}"),
            post(server, authorization=f"Bearer {secret}", x_spanwise_project="lab"),
            post(server, x_api_key=secret, x_spanwise_project="hr"),
            post(
                server,
                x_api_key=secret,
                body=otlp.traces(otlp.span(), resource={"spanwise.project": "hr"}).SerializeToString(),
            ),
        ]

    assert [answer.status_code for answer in answers] == [401, 200, 200, 200, 403, 403]
    assert answers[0].headers["www-authenticate"] == 'Bearer realm="spanwise"'
    assert [record.project for record in memory.records[SPANS_TOPIC]] == ["shop", "shop", "lab"]


def test_while_it_stops_new_requests_are_sent_away(server: Receiving, memory: MemoryLog) -> None:
    """503 with Retry-After; what is in flight is answered."""
    memory.holding = True
    with ThreadPoolExecutor(1) as threads:
        sent = threads.submit(post, server)
        eventually(lambda: True if memory.held else None, what="a request in flight")
        server.receiver.refuse_more()
        late = post(server)
        assert server.receiver.busy
        memory.acknowledge()
        assert sent.result(60).status_code == 200

    assert (late.status_code, late.headers["retry-after"], server.receiver.busy) == (503, "5", False)


def test_nothing_is_left_running(memory: MemoryLog) -> None:
    """Threads and ports are given back."""
    before = set(threading.enumerate())

    def working() -> bool:
        return any(thread.name.startswith("otlp") for thread in set(threading.enumerate()) - before)

    with receiving(memory) as server:
        post(server)
        port = server.port
        assert working()
    eventually(lambda: None if working() else True, what="the end")
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
