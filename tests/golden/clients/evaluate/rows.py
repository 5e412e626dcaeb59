"""A recording put through the real transform: one row per span, with its bodies."""

import json
from dataclasses import dataclass, field
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.golden.clients.evaluate.payload import Payload, SpanKey
from tests.golden.clients.recording import Recording
from tests.support.otlp import record, rows, transform

BODIES: Final = ("input", "output", "system_instructions", "tool_defs")


@dataclass(slots=True)
class Span:
    """A stored span.

    Attributes:
        key: trace id and span id.
        row: of `spans`, columns by name.
        bodies: of `span_io`; "" where there is none.
        cases: names of the cases that it says it belongs to.
    """

    key: SpanKey
    row: dict[str, Any]
    bodies: dict[str, str]
    cases: set[str] = field(default_factory=set)


def spans_of(recording: Recording, payload: Payload) -> tuple[list[Span], list[str]]:
    """All spans of a recording, in the order in which they are stored, and reasons of what was refused."""
    requests: list[ExportTraceServiceRequest | ExportLogsServiceRequest] = [*payload.traces, *payload.logs]
    records = [
        record(one, offset=offset, timestamp_ms=recording.recorded_ms) for offset, one in enumerate(requests, start=1)
    ]
    batch = transform(*records)
    bodies = {(row["trace_id"], row["span_id"]): row for row in rows(batch, "span_io")}
    found = []
    for row in rows(batch, "spans"):
        key = (row["trace_id"], row["span_id"])
        io = bodies.get(key, {})
        found.append(Span(key, row, {name: io.get(name) or "" for name in BODIES}))
    return found, [f"{one.reason}: {one.detail} ({one.items})" for one in batch.rejections]


@dataclass(slots=True)
class Said:
    """What messages in the one form say.

    Attributes:
        role: of each message's author.
        text: of all text parts.
        thought: of all reasoning parts.
        images: number of images.
        tool_calls: name and arguments of each.
        tool_results: content of each.
    """

    role: str
    text: str = ""
    thought: str = ""
    images: int = 0
    tool_calls: list[tuple[str, Any]] = field(default_factory=list)
    tool_results: list[str] = field(default_factory=list)


def messages_of(body: str) -> list[Said]:
    """Messages of a stored body; none where it is not in the one form."""
    try:
        listed = json.loads(body)
    except ValueError:
        return []
    if not isinstance(listed, list) or not all(isinstance(one, dict) and "parts" in one for one in listed):
        return []
    return [_said(one) for one in listed]


def _said(message: dict[str, Any]) -> Said:
    said = Said(str(message.get("role")))
    texts, thoughts = [], []
    for part in message["parts"]:
        match part.get("type"):
            case "text":
                texts.append(str(part["content"]))
            case "reasoning":
                thoughts.append(str(part["content"]))
            case "tool_call":
                said.tool_calls.append((part["name"], _structured(part.get("arguments"))))
            case "tool_call_response":
                response = part.get("response")
                said.tool_results.append(response if isinstance(response, str) else json.dumps(response))
            case "blob" | "uri" | "file":
                said.images += part.get("modality") == "image"
    said.text, said.thought = "\n".join(texts), "\n".join(thoughts)
    return said


def _structured(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value[:1] == "{" else value
