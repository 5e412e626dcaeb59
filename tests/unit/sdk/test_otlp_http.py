"""The OTLP/HTTP transport against a loopback receiver."""

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

import spanwise
from spanwise._client import Client, start_client
from spanwise._config import load


class Receiver(ThreadingHTTPServer):
    """Remembers requests; answers with the statuses it is given, then 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.statuses: list[int] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Quiet."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on a free port."""
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


@spanwise.observe
def work() -> None:
    """An observed call."""


def start(address: str, **settings: Any) -> None:
    """Set up with this receiver on a provider of its own."""
    provider = TracerProvider(resource=Resource.get_empty(), shutdown_on_exit=False)
    start_client(
        Client(
            load(
                {"endpoint": address, "tracer_provider": provider, "handle_sigterm": False, "linger_ms": 1, **settings}
            )
        )
    )


def test_spans_and_scores_are_posted_as_otlp(receiver: Receiver) -> None:
    """To the signals' paths, with key, own headers and the envelope; standard OTLP inside."""
    start(receiver.address, api_key="k-1", headers={"x-team": "a"})

    work()
    assert spanwise.flush(10)
    spanwise.score("q", 1.0, trace_id="ab" * 16)
    assert spanwise.flush(10)

    (path, headers, body), (log_path, _, log_body) = receiver.requests
    assert (path, log_path) == ("/v1/traces", "/v1/logs")
    assert headers["authorization"] == "Bearer k-1"
    assert (headers["x-team"], headers["content-type"], headers["spanwise-spans"]) == (
        "a",
        "application/x-protobuf",
        "1",
    )
    request = ExportTraceServiceRequest.FromString(gzip.decompress(body))
    assert request.resource_spans[0].scope_spans[0].spans[0].name == "work"
    logs = ExportLogsServiceRequest.FromString(gzip.decompress(log_body))
    assert logs.resource_logs[0].scope_logs[0].log_records[0].trace_id.hex() == "ab" * 16


def test_what_may_pass_with_time_is_tried_again(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    """Overload, errors of the server, and a wrong key, which its operator may put right."""
    receiver.statuses = [503, 429, 401]
    start(receiver.address)

    work()
    assert spanwise.flush(20)

    assert (spanwise.stats().sent, len(receiver.requests)) == (1, 4)
    assert "answered 503 Service Unavailable" in caplog.text


def test_a_refused_request_is_counted(receiver: Receiver) -> None:
    """A receiver that does not want the content will not want it later."""
    receiver.statuses = [400]
    start(receiver.address)

    work()
    assert spanwise.flush(10)

    assert (spanwise.stats().sent, spanwise.stats().dropped) == (0, {"refused": 1})


def test_a_receiver_that_is_away_is_awaited(receiver: Receiver) -> None:
    """Nothing listens: spans are kept."""
    start("http://127.0.0.1:9")

    work()
    assert not spanwise.flush(0.3)

    assert spanwise.stats().queued == 1
    assert "no answer from http://127.0.0.1:9" in (spanwise.stats().last_error or "")
