"""Receivers of notifications on this machine: an HTTP server that records what it gets and answers as it is told."""

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True)
class Received:
    """A request."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `closes` gives none at all."""

    status: int = 200
    body: bytes = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    closes: bool = False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "HttpReceiver"

    def do_POST(self) -> None:
        received = Received(
            self.path,
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(int(self.headers.get("Content-Length", 0))),
        )
        reply = self.server.take(received)
        if reply.closes:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """No log line per request."""


class HttpReceiver(ThreadingHTTPServer):
    """The server.

    Attributes:
        received: every request, in order.
        replies: answers to give, the first first; without any, 200.
        on_request: is called before the answer.
    """

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.received: list[Received] = []
        self.replies: list[Reply] = []
        self.on_request: Callable[[Received], object] = lambda _: None
        self._lock = threading.Lock()

    @property
    def port(self) -> int:
        """TCP port."""
        return int(self.server_address[1])

    def url(self, path: str = "/hook") -> str:
        """An address."""
        return f"http://127.0.0.1:{self.port}{path}"

    def take(self, received: Received) -> Reply:
        """Record a request."""
        with self._lock:
            self.received.append(received)
            reply = self.replies.pop(0) if self.replies else Reply()
        self.on_request(received)
        return reply


@contextmanager
def http_receiver(context: ssl.SSLContext | None = None) -> Iterator[HttpReceiver]:
    """A server in a thread; with a context it speaks TLS."""
    server = HttpReceiver(context)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
