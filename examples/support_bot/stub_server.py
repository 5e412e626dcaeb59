"""An OpenAI-compatible server on loopback, so that the example runs without a key and without a bill.

It speaks what the example uses of the API: chat completions (plain and streamed, tools, JSON mode, usage with cached
tokens) and embeddings. It is slow like a real model, and now and then it fails like one.

    python -m examples.support_bot.stub_server --port 8400
"""

import argparse
import itertools
import json
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from examples.support_bot.stub_model import Completion, complete, embed, tokens

CACHE_BLOCK = 128
"""OpenAI counts cached prompt tokens in blocks of this size."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the stub behaves; every number of requests of 0 means never.

    Attributes:
        first_token_s: seconds until the first token.
        token_s: seconds per output token.
        rate_limit_every: every so many chat requests, one is answered with 429.
        hang_every: every so many, one takes `hang_s` seconds, longer than a patient client waits.
        hang_s: how long a hanging request takes.
        broken_json_every: every so many answers in JSON mode, one is cut off in the middle.
    """

    first_token_s: float = 0.12
    token_s: float = 0.004
    rate_limit_every: int = 19
    hang_every: int = 31
    hang_s: float = 4.0
    broken_json_every: int = 11

    @staticmethod
    def flawless() -> "Behaviour":
        """Answers at once and never fails."""
        return Behaviour(first_token_s=0.0, token_s=0.0, rate_limit_every=0, hang_every=0, broken_json_every=0)


class StubServer(ThreadingHTTPServer):
    """Serves in the background from `start` to `stop`."""

    daemon_threads = True

    def __init__(self, *, port: int = 0, behaviour: Behaviour | None = None) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.behaviour = behaviour or Behaviour()
        self._numbers = itertools.count(1)
        self._json_numbers = itertools.count(1)
        self._prompts: set[str] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, name="stub-server", daemon=True)

    @property
    def base_url(self) -> str:
        """For `OpenAI(base_url=...)`."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def start(self) -> "StubServer":
        """Serve in a thread of its own."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving and close the port."""
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error of the server; everything else is reported as usual."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def next_number(self, *, json_mode: bool) -> tuple[int, int]:
        """The number of this chat request, and among those in JSON mode (0 when it is not one)."""
        with self._lock:
            return next(self._numbers), next(self._json_numbers) if json_mode else 0

    def cached_tokens(self, prompt: str, count: int) -> int:
        """How much of a prompt's beginning was sent before, in whole blocks."""
        head = prompt[: 4 * CACHE_BLOCK]
        with self._lock:
            known = head in self._prompts
            self._prompts.add(head)
        return count // CACHE_BLOCK * CACHE_BLOCK if known and count >= CACHE_BLOCK else 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StubServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Quiet: the example's own output matters."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", "0"))) or b"{}")
        try:
            match self.path:
                case "/v1/embeddings":
                    self._embeddings(body)
                case "/v1/chat/completions":
                    self._chat(body)
                case _:
                    self._send(
                        404, {"error": {"message": f"No such path: {self.path}", "type": "invalid_request_error"}}
                    )
        except (BrokenPipeError, ConnectionResetError):
            # The client gave up, which is what its timeout is for.
            self.close_connection = True

    def _embeddings(self, body: dict[str, Any]) -> None:
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        count = sum(tokens(text) for text in texts)
        time.sleep(self.server.behaviour.first_token_s / 4)
        self._send(
            200,
            {
                "object": "list",
                "model": body["model"],
                "data": [{"object": "embedding", "index": i, "embedding": embed(text)} for i, text in enumerate(texts)],
                "usage": {"prompt_tokens": count, "total_tokens": count},
            },
        )

    def _chat(self, body: dict[str, Any]) -> None:
        behaviour = self.server.behaviour
        json_mode = body.get("response_format", {}).get("type") == "json_object"
        number, json_number = self.server.next_number(json_mode=json_mode)
        if _due(number, behaviour.rate_limit_every):
            message = "Rate limit reached for requests per minute. Please try again in 2s."
            self._send(429, {"error": {"message": message, "type": "requests", "code": "rate_limit_exceeded"}})
            return
        time.sleep(behaviour.hang_s if _due(number, behaviour.hang_every) else behaviour.first_token_s)
        tool_names = [tool["function"]["name"] for tool in body.get("tools", [])]
        completion = complete(body["messages"], tool_names, json_mode=json_mode)
        if _due(json_number, behaviour.broken_json_every):
            completion = Completion(completion.text[: len(completion.text) // 2])
        usage = self._usage(body, completion)
        head = {"id": f"chatcmpl-{number:06d}", "created": int(time.time()), "model": body["model"]}
        if body.get("stream"):
            with_usage = body.get("stream_options", {}).get("include_usage", False)
            self._stream(_chunks(head, completion, usage if with_usage else None))
        else:
            time.sleep(behaviour.token_s * usage["completion_tokens"])
            choice = {"index": 0, "finish_reason": completion.finish_reason, "message": _message(completion, number)}
            self._send(200, {**head, "object": "chat.completion", "choices": [choice], "usage": usage})

    def _usage(self, body: dict[str, Any], completion: Completion) -> dict[str, Any]:
        prompt = json.dumps([body["messages"], body.get("tools", [])])
        sent, said = tokens(prompt), tokens(completion.text + completion.tool_arguments)
        return {
            "prompt_tokens": sent,
            "completion_tokens": said,
            "total_tokens": sent + said,
            "prompt_tokens_details": {"cached_tokens": self.server.cached_tokens(prompt, sent)},
        }

    def _stream(self, chunks: Iterator[dict[str, Any]]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for chunk in chunks:
            self._write_chunk(f"data: {json.dumps(chunk)}\n\n".encode())
            time.sleep(self.server.behaviour.token_s)
        self._write_chunk(b"data: [DONE]\n\n")
        self._write_chunk(b"")

    def _write_chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _send(self, status: int, value: dict[str, Any]) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _due(number: int, every: int) -> bool:
    return every > 0 and number > 0 and number % every == 0


def _message(completion: Completion, number: int) -> dict[str, Any]:
    if not completion.tool_name:
        return {"role": "assistant", "content": completion.text}
    function = {"name": completion.tool_name, "arguments": completion.tool_arguments}
    call = {"id": f"call_{number:06d}", "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def _chunks(head: dict[str, Any], completion: Completion, usage: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    head = {**head, "object": "chat.completion.chunk"}

    def choice(delta: dict[str, Any], finish_reason: str | None = None) -> list[dict[str, Any]]:
        return [{"index": 0, "delta": delta, "finish_reason": finish_reason}]

    yield {**head, "choices": choice({"role": "assistant", "content": ""})}
    if completion.tool_name:
        function = {"name": completion.tool_name, "arguments": completion.tool_arguments}
        call = {"index": 0, "id": f"call_{head['id'][-6:]}", "type": "function", "function": function}
        yield {**head, "choices": choice({"tool_calls": [call]})}
    for word in completion.text.split(" "):
        yield {**head, "choices": choice({"content": word + " "})}
    yield {**head, "choices": choice({}, completion.finish_reason)}
    if usage is not None:
        yield {**head, "choices": [], "usage": usage}


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description="An OpenAI-compatible stub server on loopback.")
    parser.add_argument("--port", type=int, default=8400, help="TCP port (default: 8400)")
    parser.add_argument("--flawless", action="store_true", help="answer at once and never fail")
    options = parser.parse_args()
    server = StubServer(port=options.port, behaviour=Behaviour.flawless() if options.flawless else Behaviour())
    print(f"OPENAI_BASE_URL={server.base_url} OPENAI_API_KEY=none")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
