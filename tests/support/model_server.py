"""A small HTTP server that answers as OpenAI's and Anthropic's APIs do, for the real client packages.

It covers what the SDK's tests ask: chat completions, responses, embeddings and messages, whole and streamed, with tool
calls, cached and reasoning tokens, and unique token counts. A model named "cut" breaks its stream off.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CHAT_USAGE = {
    "prompt_tokens": 211,
    "completion_tokens": 37,
    "total_tokens": 248,
    "prompt_tokens_details": {"cached_tokens": 128, "cache_write_tokens": 31},
    "completion_tokens_details": {"reasoning_tokens": 19},
}
RESPONSE_USAGE = {
    "input_tokens": 307,
    "output_tokens": 41,
    "total_tokens": 348,
    "input_tokens_details": {"cached_tokens": 256, "cache_write_tokens": 29},
    "output_tokens_details": {"reasoning_tokens": 23},
}
MESSAGE_USAGE = {
    "input_tokens": 1119,
    "output_tokens": 53,
    "cache_read_input_tokens": 640,
    "cache_creation_input_tokens": 306,
    "cache_creation": {"ephemeral_5m_input_tokens": 206, "ephemeral_1h_input_tokens": 100},
    "output_tokens_details": {"thinking_tokens": 11},
}


def chat_completion(model: str) -> dict[str, Any]:
    """A whole chat completion with a tool call."""
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bonn"}'}}
    message = {"role": "assistant", "content": "Let me look.", "refusal": None, "tool_calls": [call]}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": f"{model}-2026",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls", "logprobs": None}],
        "usage": CHAT_USAGE,
    }


def chat_chunks(model: str) -> Iterator[dict[str, Any]]:
    """The same as a stream; the usage comes last, in a chunk without choices."""

    def chunk(
        delta: dict[str, Any] | None, reason: str | None = None, usage: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}]
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": f"{model}-2026",
            "choices": choices,
            "usage": usage,
        }

    yield chunk({"role": "assistant", "content": "Let me "})
    yield chunk({"content": "look."})
    yield chunk(
        {
            "tool_calls": [
                {"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ""}}
            ]
        }
    )
    yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"city": '}}]})
    yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": '"Bonn"}'}}]})
    yield chunk({}, "tool_calls")
    yield chunk(None, usage=CHAT_USAGE)


def response(model: str, *, status: str = "completed") -> dict[str, Any]:
    """A whole answer of the responses API."""
    text = {"type": "output_text", "text": "It is sunny.", "annotations": []}
    done = status == "completed"
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": f"{model}-2026",
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "output": [{"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [text]}]
        if done
        else [],
        "usage": RESPONSE_USAGE if done else None,
    }


def response_events(model: str) -> Iterator[dict[str, Any]]:
    """The same as a stream."""
    yield {"type": "response.created", "sequence_number": 0, "response": response(model, status="in_progress")}
    for number, text in enumerate(("It is ", "sunny."), start=1):
        yield {
            "type": "response.output_text.delta",
            "sequence_number": number,
            "item_id": "msg_1",
            "output_index": 0,
            "content_index": 0,
            "delta": text,
            "logprobs": [],
        }
    yield {"type": "response.completed", "sequence_number": 3, "response": response(model)}


def embeddings(model: str) -> dict[str, Any]:
    """Two embeddings."""
    data = [{"object": "embedding", "index": index, "embedding": [0.25, 0.5]} for index in range(2)]
    return {
        "object": "list",
        "data": data,
        "model": f"{model}-2026",
        "usage": {"prompt_tokens": 17, "total_tokens": 17},
    }


def message(model: str) -> dict[str, Any]:
    """A whole message with thinking and a tool call."""
    content = [
        {"type": "thinking", "thinking": "Hm.", "signature": "s"},
        {"type": "text", "text": "Let me look."},
        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Bonn"}},
    ]
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": f"{model}-2026",
        "content": content,
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": MESSAGE_USAGE,
    }


def message_events(model: str) -> Iterator[dict[str, Any]]:
    """The same as a stream; usage arrives in two parts, the later one with totals."""
    whole = message(model)
    start = {**whole, "content": [], "stop_reason": None, "usage": {**MESSAGE_USAGE, "output_tokens": 1}}
    yield {"type": "message_start", "message": start}
    blocks: list[tuple[dict[str, Any], list[dict[str, str]]]] = [
        ({"type": "thinking", "thinking": "", "signature": ""}, [{"type": "thinking_delta", "thinking": "Hm."}]),
        (
            {"type": "text", "text": ""},
            [{"type": "text_delta", "text": "Let me "}, {"type": "text_delta", "text": "look."}],
        ),
        (
            {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}},
            [
                {"type": "input_json_delta", "partial_json": '{"city": '},
                {"type": "input_json_delta", "partial_json": '"Bonn"}'},
            ],
        ),
    ]
    for index, (block, deltas) in enumerate(blocks):
        yield {"type": "content_block_start", "index": index, "content_block": block}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None},
        "usage": {"output_tokens": 53},
    }
    yield {"type": "message_stop"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        model, stream = body["model"], body.get("stream", False)
        if self.path.endswith("/chat/completions"):
            self._answer(stream, chat_completion(model), chat_chunks(model), named=False, cut=model == "cut")
        elif self.path.endswith("/responses"):
            self._answer(stream, response(model), response_events(model), named=True, cut=model == "cut")
        elif self.path.endswith("/embeddings"):
            self._answer(False, embeddings(model), iter(()), named=False, cut=False)
        else:
            self._answer(stream, message(model), message_events(model), named=True, cut=model == "cut")

    def _answer(
        self, stream: bool, whole: dict[str, Any], events: Iterator[dict[str, Any]], *, named: bool, cut: bool
    ) -> None:
        if not stream:
            self._send("application/json", json.dumps(whole).encode())
            return
        lines = [(f"event: {event['type']}\n" if named else "") + f"data: {json.dumps(event)}\n\n" for event in events]
        if not named:
            lines.append("data: [DONE]\n\n")
        self._send("text/event-stream", "".join(lines[:2] if cut else lines).encode(), cut=cut)

    def _send(self, kind: str, data: bytes, *, cut: bool = False) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data) + (100 if cut else 0)))
        self.end_headers()
        self.wfile.write(data)
        if cut:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True


@contextmanager
def model_server() -> Iterator[str]:
    """The server on a free port of loopback; yields its address."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(5)
