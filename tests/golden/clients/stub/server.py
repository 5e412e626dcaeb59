"""The HTTP server of the stub: one port for the provider's APIs and for what clients send elsewhere."""

import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from tests.golden.clients.stub import anthropic, gemini, openai_chat, openai_responses
from tests.golden.clients.stub.answers import answer
from tests.golden.clients.stub.cases import SLOW_S, SLOW_WORDS, TIMEOUT_S, case_of
from tests.golden.clients.stub.receiver import Receiver
from tests.golden.clients.stub.truth import Answer, Asked, Entry, TruthLog

_GEMINI: Final = re.compile(
    r"/models/([^/:]+):(generateContent|streamGenerateContent|embedContent|batchEmbedContents)$"
)
_PROVIDERS: Final = {"openai": "openai", "anthropic": "anthropic", "gemini": "google"}
_CUT_AFTER: Final = 4
"""Pieces of a stream that is cut."""


@dataclass(frozen=True, slots=True)
class Stub:
    """A running stub.

    Attributes:
        url: where it listens.
        truth: what it answered.
        receiver: what it was sent besides.
    """

    url: str = ""
    truth: TruthLog = field(default_factory=TruthLog)
    receiver: Receiver = field(default_factory=Receiver)


def read_request(path: str, body: dict[str, Any]) -> Asked | None:
    """A request to one of the provider's APIs; None for another path."""
    if path.endswith("/chat/completions"):
        return openai_chat.read_chat(body)
    if path.endswith("/responses"):
        return openai_responses.read_responses(body)
    if path.endswith("/embeddings"):
        return openai_chat.read_embeddings(body)
    if path.endswith("/messages"):
        return anthropic.read_messages(body)
    if found := _GEMINI.search(path):
        model, method = found.groups()
        if "mbed" in method:
            return gemini.read_embed(body, model)
        return gemini.read_generate(body, model, stream=method.startswith("stream"))
    return None


def usage_of(found: Answer, asked: Asked) -> dict[str, Any]:
    """The usage object as the request's API writes it."""
    render = {
        "openai.chat": openai_chat.usage,
        "openai.responses": openai_responses.usage,
        "openai.embeddings": openai_chat.embeddings_usage,
        "anthropic.messages": anthropic.usage,
        "gemini.generate": gemini.usage,
    }.get(asked.api)
    return render(found) if render else {}


def whole(found: Answer, asked: Asked) -> dict[str, Any]:
    """The answer in one piece, as the request's API writes it."""
    match asked.api:
        case "openai.chat":
            return openai_chat.completion(found)
        case "openai.responses":
            return openai_responses.response(found, asked)
        case "openai.embeddings":
            return openai_chat.embeddings(found, asked)
        case "anthropic.messages":
            return anthropic.message(found)
        case "gemini.generate":
            return gemini.generated(found)
        case _:
            return gemini.embedded(asked)


def pieces(found: Answer, asked: Asked) -> Iterator[bytes]:
    """The answer as server-sent events of the request's API."""
    match asked.api:
        case "openai.chat":
            yield from (_event(one) for one in openai_chat.chunks(found, asked))
            yield b"data: [DONE]\n\n"
        case "openai.responses":
            yield from (_event(one, one["type"]) for one in openai_responses.events(found, asked))
        case "anthropic.messages":
            yield from (_event(one, one["type"]) for one in anthropic.events(found))
        case _:
            yield from (_event(one) for one in gemini.chunks(found))


def _event(one: dict[str, Any], name: str = "") -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(one, ensure_ascii=False)}\n\n".encode()


def refusal(found: Answer, asked: Asked) -> dict[str, Any]:
    """An error as the request's API writes it."""
    is_limit = found.status == 429
    if asked.api.startswith("anthropic"):
        kind = "rate_limit_error" if is_limit else "api_error"
        return {"type": "error", "error": {"type": kind, "message": found.error}, "request_id": "req_golden"}
    if asked.api.startswith("gemini"):
        kind = "RESOURCE_EXHAUSTED" if is_limit else "INTERNAL"
        return {"error": {"code": found.status, "message": found.error, "status": kind}}
    kind = "rate_limit_exceeded" if is_limit else "server_error"
    return {"error": {"message": found.error, "type": kind, "param": None, "code": kind}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    stub: Stub

    def do_POST(self) -> None:
        body = self._body()
        try:
            asked = read_request(self.path.split("?")[0], json.loads(body)) if self._is_for_provider() else None
        except (KeyError, TypeError, ValueError) as error:
            self._send(400, "application/json", json.dumps({"error": f"the stub cannot read it: {error!r}"}).encode())
            raise
        if asked is None:
            self._receive(body)
            return
        case = case_of(asked.texts())
        entry = self.stub.truth.open(asked, case, _PROVIDERS[asked.api.split(".")[0]])
        try:
            ended = self._answer(entry)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
            ended = "timeout" if entry.behaviour == "timeout" else "abandoned"
        self.stub.truth.close(entry, ended)

    def do_GET(self) -> None:
        self._receive(self._body())

    do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the base class's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keep quiet."""

    def _is_for_provider(self) -> bool:
        path = self.path.split("?")[0]
        return path.endswith(("/chat/completions", "/responses", "/embeddings", "/messages")) or bool(
            _GEMINI.search(path)
        )

    def _receive(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._send(*self.stub.receiver.take(self.command, self.path, headers, body))

    def _answer(self, entry: Entry) -> str:
        """Answer as the case wants; returns how that ended."""
        asked = entry.asked
        if entry.behaviour == "timeout":
            time.sleep(TIMEOUT_S)
        found = answer(entry, self.stub.truth)
        found.usage = usage_of(found, asked) if found.tokens.input else {}
        entry.answer = found
        if found.status != 200:
            self._send(found.status, "application/json", json.dumps(refusal(found, asked)).encode())
            return "refused"
        if asked.stream:
            return self._stream(entry)
        body = json.dumps(whole(found, asked), ensure_ascii=False).encode()
        if entry.behaviour == "cut":
            self._head(200, "application/json", {"content-length": str(len(body))})
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            return "cut"
        self._send(200, "application/json", body)
        return "timeout" if entry.behaviour == "timeout" else "complete"

    def _stream(self, entry: Entry) -> str:
        if entry.behaviour == "slow":
            entry.answer.text = " ".join(f"word{number}" for number in range(SLOW_WORDS))
        self._head(200, "text/event-stream", {"transfer-encoding": "chunked"})
        for number, piece in enumerate(pieces(entry.answer, entry.asked)):
            if entry.behaviour == "cut" and number == _CUT_AFTER:
                self.close_connection = True
                return "cut"
            if entry.behaviour == "slow":
                time.sleep(SLOW_S)
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
        return "complete"

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        found = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self._head(status, kind, {"content-length": str(len(body))})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: int, kind: str, more: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"content-type": kind, **more}.items():
            self.send_header(name, value)
        self.end_headers()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is the stub's own bug and is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serve() -> Iterator[Stub]:
    """Run a stub on a free port of this machine."""

    class Handler(_Handler):
        pass

    server = _Server(("127.0.0.1", 0), Handler)
    Handler.stub = stub = Stub(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
