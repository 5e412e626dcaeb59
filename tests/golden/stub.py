"""A provider with OpenAI's API that keeps a log of its answers, and an OTLP/HTTP receiver beside it.

Every answer has token counts of its own, so that each number found later can be traced to the answer it came from.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(slots=True)
class Log:
    """What the stub answered and what it was sent.

    Attributes:
        answers: one entry per answer, in order.
        requests: (path, body) of OTLP requests, in order.
    """

    answers: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, bytes]] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    log: Log
    lock: threading.Lock

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path in ("/v1/traces", "/v1/logs"):
            with self.lock:
                self.log.requests.append((self.path, body))
            self._send(200, b"", "application/x-protobuf")
            return
        asked = json.loads(body)
        with self.lock:
            entry = _answer(asked, self.path, len(self.log.answers))
            self.log.answers.append(entry)
        if entry["status"] != 200:
            self._send(entry["status"], json.dumps({"error": {"message": "slow down", "type": "rate_limit"}}).encode())
        elif asked.get("stream"):
            self._send(200, _stream(entry), "text/event-stream")
        elif self.path.endswith("/embeddings"):
            self._send(200, json.dumps(_embedding(entry)).encode())
        else:
            self._send(200, json.dumps(_completion(entry)).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keep quiet."""

    def _send(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _answer(asked: dict[str, Any], path: str, number: int) -> dict[str, Any]:
    """The log entry of one answer; counts are unlike in every entry."""
    embedding = path.endswith("/embeddings")
    question = "" if embedding else str(asked["messages"][-1]["content"])
    failing = question.startswith("FAIL")
    tool = bool(asked.get("tools"))
    return {
        "status": 429 if failing else 200,
        "kind": "embedding" if embedding else "llm",
        "id": f"answer-{number}",
        "model_request": asked["model"],
        "model_response": asked["model"] + ("" if embedding else "-2024-08-06"),
        "input": 1_001 + 10 * number,
        "output": 0 if embedding else 203 + number,
        "cache_read": 0 if embedding else 305 + number,
        "reasoning": 0 if embedding else 7 + number,
        "finish_reason": "" if embedding else "tool_calls" if tool else "stop",
        "question": str(asked["input"]) if embedding else question,
        "text": "" if embedding or tool else f"Answer number {number}.",
        "tool": "track_order" if tool else "",
    }


def _usage(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "prompt_tokens": entry["input"],
        "completion_tokens": entry["output"],
        "total_tokens": entry["input"] + entry["output"],
        "prompt_tokens_details": {"cached_tokens": entry["cache_read"]},
        "completion_tokens_details": {"reasoning_tokens": entry["reasoning"]},
    }


def _completion(entry: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": entry["text"] or None}
    if entry["tool"]:
        call = {"name": entry["tool"], "arguments": '{"order":"12345"}'}
        message["tool_calls"] = [{"id": "call-1", "type": "function", "function": call}]
    return {
        "id": entry["id"],
        "object": "chat.completion",
        "created": 1,
        "model": entry["model_response"],
        "choices": [{"index": 0, "message": message, "finish_reason": entry["finish_reason"]}],
        "usage": _usage(entry),
    }


def _stream(entry: dict[str, Any]) -> bytes:
    """The answer in pieces, the usage in a last chunk of its own."""
    frame = {"id": entry["id"], "object": "chat.completion.chunk", "created": 1, "model": entry["model_response"]}
    words = [("" if at == 0 else " ") + word for at, word in enumerate(entry["text"].split())]
    choices = [{"index": 0, "delta": {"content": word}, "finish_reason": None} for word in words]
    choices.append({"index": 0, "delta": {}, "finish_reason": entry["finish_reason"]})
    chunks = [frame | {"choices": [choice]} for choice in choices]
    chunks.append(frame | {"choices": [], "usage": _usage(entry)})
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return "".join([*lines, "data: [DONE]\n\n"]).encode()


def _embedding(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "object": "list",
        "model": entry["model_response"],
        "data": [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}],
        "usage": {"prompt_tokens": entry["input"], "total_tokens": entry["input"]},
    }


@contextmanager
def serve() -> Iterator[tuple[str, Log]]:
    """Run the stub on a free port; yields its address and its log."""
    log = Log()
    handler = type("Handler", (_Handler,), {"log": log, "lock": threading.Lock()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", log
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
