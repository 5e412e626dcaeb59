"""A recording put through the receivers' decoding and the real transform: one row per span, with its bodies."""

import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from spanwise_collector.ingest.records import Record
from spanwise_collector.normalise.content_events import joined
from spanwise_collector.normalise.decode import decode
from spanwise_collector.receive.json_form import read_json
from spanwise_collector.receive.signals import SIGNALS
from spanwise_collector.receive.split import split
from tests.golden.clients.evaluate.payload import SpanKey
from tests.golden.clients.recording import Recording
from tests.support.otlp import record, rows, transformer

_transformer = cache(transformer)
BODIES: Final = ("input", "output", "system_instructions", "tool_defs")
"""Of a span; in the order of the column `side` of `span_content`."""


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


def records_of(recording: Recording) -> tuple[list[Record], list[str]]:
    """What the receivers make of a recording's requests: Kafka records of one partition, and what was refused."""
    records: list[Record] = []
    refused: list[str] = []
    for sent in recording.sent:
        signal = next((one for one in SIGNALS if sent.path.endswith(f"/v1/{one.name}")), None)
        if signal is None:
            continue
        if sent.headers.get("content-type", "").startswith("application/json"):
            request, lost = read_json(signal, sent.body)
            original = None
        else:
            decoded = decode(signal.request, sent.body)
            request, lost, original = decoded.request, decoded.lost, sent.body
        parts = split(signal, request, original, partitions=1, project_of=lambda _: "")
        refused += [f"{reason}: {count}" for reason, count in parts.refused.items()]
        refused += [f"unreadable: {lost}"] * bool(lost)
        for part in parts.records:
            offset = len(records) + 1
            records.append(record(part.value, offset=offset, topic=signal.topic, timestamp_ms=recording.recorded_ms))
    return records, refused


def contents_of(pieces: list[dict[str, Any]]) -> dict[tuple[SpanKey, str], str]:
    """Bodies that came as log records, by span and name; put together as the collector does when it reads them."""
    listed: dict[tuple[SpanKey, str], list[str]] = {}
    for row in sorted(pieces, key=lambda row: (row["time"], row["seq"])):
        key = (row["trace_id"], row["span_id"]), BODIES[row["side"] - 1]
        listed.setdefault(key, []).append(row["body"])
    return {key: joined(texts) for key, texts in listed.items()}


def spans_of(recording: Recording) -> tuple[list[Span], list[str]]:
    """All spans of a recording, in the order in which they are stored, and what was refused on the way."""
    records, refused = records_of(recording)
    batch = _transformer().transform(records, frozenset())
    bodies = {(row["trace_id"], row["span_id"]): row for row in rows(batch, "span_io")}
    contents = contents_of(rows(batch, "span_content"))
    found = []
    for row in rows(batch, "spans"):
        key = (row["trace_id"], row["span_id"])
        io = bodies.get(key, {})
        found.append(Span(key, row, {name: io.get(name) or contents.get((key, name), "") for name in BODIES}))
    return found, refused + [f"{one.reason}: {one.detail} ({one.items})" for one in batch.rejections]


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
        finish_reason: of an answer.
    """

    role: str
    text: str = ""
    thought: str = ""
    images: int = 0
    tool_calls: list[tuple[str, Any]] = field(default_factory=list)
    tool_results: list[str] = field(default_factory=list)
    finish_reason: str = ""


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
    said = Said(str(message.get("role")), finish_reason=str(message.get("finish_reason") or ""))
    texts, thoughts = [], []
    for part in message["parts"]:
        match part.get("type"):
            case "text":
                texts.append(str(part.get("content") or ""))
            case "reasoning":
                thoughts.append(str(part.get("content") or ""))
            case "tool_call":
                said.tool_calls.append((str(part.get("name")), _structured(part.get("arguments"))))
            case "tool_call_response":
                response = part.get("response")
                said.tool_results.append(response if isinstance(response, str) else json.dumps(response))
            case "blob" | "uri" | "file":
                said.images += part.get("modality") == "image"
    said.text, said.thought = "\n".join(texts), "\n".join(thoughts)
    return said


def _structured(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value[:1] == "{" else value
