"""An S3 endpoint for ClickHouse's own client: takes objects, and keeps what was sent and by whom."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Bucket:
    """What was put.

    Attributes:
        url: of the endpoint.
        objects: bytes by path.
        keys: access keys that signed.
        refuses: whether it answers 403.
    """

    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    refuses: bool = False


@contextmanager
def s3_server() -> Iterator[Bucket]:
    """A server on a free port of this machine."""
    bucket = Bucket()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if bucket.refuses:
                self._answer(403, b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")
                return
            bucket.keys.add(self.headers["Authorization"].partition("Credential=")[2].partition("/")[0])
            bucket.objects[self.path] = body
            self._answer(200)

        def do_GET(self) -> None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

        def do_HEAD(self) -> None:
            self._answer(404)

        def _answer(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """No log line per request."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    bucket.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield bucket
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
