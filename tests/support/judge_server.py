"""An endpoint like OpenAI's chat completions that judges, and misbehaves when told to. Real sockets.

It counts by itself what it would charge for, so that a budget can be checked against somebody else's books.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """What the endpoint does with one request.

    Attributes:
        content: of the message; None sends `raw`.
        raw: the body as it is.
        status: HTTP status.
        headers: more of them.
        refusal: of the message.
        finish: reason why the model ended.
        tokens: of input and output; None counts the request's bytes by four and the content's, charged in full.
        usage: whether the answer tells them.
        hang: never answer, until the server ends; what it did is charged for.
        drip: send one byte and then hang.
        cut: close the connection instead of answering.
        charges: whether the request is charged for.
    """

    content: str | None = None
    raw: bytes = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    refusal: str | None = None
    finish: str = "stop"
    tokens: tuple[int, int] | None = None
    usage: bool = True
    hang: bool = False
    drip: bool = False
    cut: bool = False
    charges: bool = True


def verdict(said: str | int = "pass", reason: str = "It answers the question.", key: str = "answer") -> Reply:
    """A well-formed verdict."""
    return Reply(json.dumps({key: {"reason": reason, "verdict": said}}))


def rate_limited(retry_after: str = "0") -> Reply:
    """429; nothing is charged."""
    return Reply(raw=b'{"error": "slow down"}', status=429, headers=(("Retry-After", retry_after),), charges=False)


def server_error(status: int = 500) -> Reply:
    """An error after the work was done, which is charged all the same."""
    return Reply(raw=b"oops", status=status)


Answer = Callable[[dict[str, Any]], Reply]


@dataclass
class JudgeServer:
    """What the endpoint saw, and how it answers.

    Attributes:
        url: base address.
        answer: what it does with a request's body.
        requests: bodies, in order.
        headers: of the requests.
        charged: tokens of input and output that it charges for, over all requests.
    """

    url: str = ""
    answer: Answer = field(default=lambda _body: verdict())
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    charged: list[tuple[int, int]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: threading.Event = field(default_factory=threading.Event)

    def plan(self, *replies: Reply) -> None:
        """Answer with these in order; the last one again and again."""
        left = list(replies)

        def answer(_body: dict[str, Any]) -> Reply:
            return left.pop(0) if len(left) > 1 else left[0]

        self.answer = answer


@contextmanager
def judge_server() -> Iterator[JudgeServer]:
    """The endpoint on a free port of loopback."""
    state = JudgeServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            _serve(self, state)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
            """Quiet."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        state.url = f"http://127.0.0.1:{server.server_port}/v1"
        try:
            yield state
        finally:
            state.ended.set()
            server.shutdown()
            thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients give up by design here."""


def _serve(handler: BaseHTTPRequestHandler, state: JudgeServer) -> None:
    raw = handler.rfile.read(int(handler.headers["Content-Length"]))
    body = json.loads(raw)
    with state.lock:
        state.requests.append(body)
        state.headers.append(dict(handler.headers))
        reply = state.answer(body)
        allowed = body.get("max_tokens", body.get("max_completion_tokens"))
        tokens = reply.tokens or (-(-len(raw) // 4), min(allowed, max(1, len(reply.content or "") // 4)))
        if reply.charges:
            state.charged.append(tokens)
    if reply.cut:
        handler.close_connection = True
        return
    if reply.hang:
        state.ended.wait(60)
        handler.close_connection = True
        return
    data = reply.raw if reply.content is None and reply.refusal is None else _completion(body["model"], reply, tokens)
    handler.send_response(reply.status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(data)))
    for name, value in reply.headers:
        handler.send_header(name, value)
    handler.end_headers()
    if reply.drip:
        handler.wfile.write(data[:1])
        handler.wfile.flush()
        state.ended.wait(60)
        handler.close_connection = True
        return
    handler.wfile.write(data)


def _completion(model: str, reply: Reply, tokens: tuple[int, int]) -> bytes:
    message = {"role": "assistant", "content": reply.content, "refusal": reply.refusal}
    found: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": f"{model}-2026",
        "choices": [{"index": 0, "message": message, "finish_reason": reply.finish}],
    }
    if reply.usage:
        found["usage"] = {
            "prompt_tokens": tokens[0],
            "completion_tokens": tokens[1],
            "total_tokens": sum(tokens),
        }
    return json.dumps(found).encode()
