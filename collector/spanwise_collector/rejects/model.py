"""What a record of the rejects topic says: why it was refused, where it lay, who sent it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from spanwise_collector.ingest.landing import REJECT_HEADER
from spanwise_collector.ingest.records import Record
from spanwise_collector.normalise.context import read_sender
from spanwise_collector.normalise.limits import MAX_RECORD_BYTES
from spanwise_schemas.wire import HEADER_PRODUCER, HEADER_REPLAYED, LOGS_TOPIC, project_from_headers

MAX_DETAIL: Final = 300
"""Characters of a detail that are kept; many refusals are held at once."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where a record lies; written TOPIC:PARTITION:OFFSET."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}"

    @classmethod
    def read(cls, text: str) -> "Position":
        """A position as it is written.

        Raises:
            ValueError: it is none.
        """
        topic, partition, offset = ["", "", "", *text.rsplit(":", 2)][-3:]
        if not (topic and _is_number(partition) and _is_number(offset)):
            raise ValueError(f"{text!r} is no position like TOPIC:PARTITION:OFFSET")
        return cls(topic, int(partition), int(offset))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a refused record lay.

    Attributes:
        at: topic, partition and offset.
        topic_id: the broker's id of the topic at that time.
        timestamp_ms: the record's timestamp there.
    """

    at: Position
    topic_id: str
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused record, without its bytes.

    Attributes:
        at: where it lies in the rejects topic.
        refused_ms: when it was written there, milliseconds since the epoch.
        origin: where it lay; None where the headers do not say.
        reason: a stable code; empty where the headers do not say.
        detail: what was found and the remedy, at most `MAX_DETAIL` characters.
        items: how many of its spans or log records were refused for this reason.
        size: bytes of the value, as they were.
        is_kept: whether the value is there; a rejects topic with a low limit does not take large ones.
        producer: id of the producing process, empty for other producers than ours.
        project: name; empty where it cannot be read.
        service: likewise.
        code_version: of the collector that refused it.
        replayed_from: an earlier position in the rejects topic, when it is the replay of that one; else empty.
    """

    at: Position
    refused_ms: int
    origin: Origin | None
    reason: str
    detail: str
    items: int
    size: int
    is_kept: bool
    producer: str
    project: str
    service: str
    code_version: str
    replayed_from: str


def read_refusal(record: Record) -> Refusal:
    """What a record of the rejects topic says. Anybody may write there: what is missing or wrong is left empty."""
    headers = {key: value or b"" for key, value in record.headers}

    def about(name: str) -> str:
        return headers.get(REJECT_HEADER + name, b"").decode(errors="replace")

    omitted = about("omitted-bytes")
    origin = _origin(about)
    project, service = _sender(record, origin)
    return Refusal(
        at=Position(record.topic, record.partition, record.offset),
        refused_ms=record.timestamp_ms,
        origin=origin,
        reason=about("reason"),
        detail=about("detail")[:MAX_DETAIL],
        items=_number(about("items")) or 0,
        size=_number(omitted) or 0 if omitted else len(record.value or b""),
        is_kept=not omitted,
        producer=headers.get(HEADER_PRODUCER, b"").decode(errors="replace"),
        project=project,
        service=service,
        code_version=about("code-version"),
        replayed_from=headers.get(HEADER_REPLAYED, b"").decode(errors="replace"),
    )


def _origin(about: Callable[[str], str]) -> Origin | None:
    partition, offset, timestamp = (_number(about(name)) for name in ("partition", "offset", "timestamp-ms"))
    if not about("topic") or partition is None or offset is None:
        return None
    return Origin(
        Position(about("topic"), partition, offset), about("topic-id"), -1 if timestamp is None else timestamp
    )


def _number(text: str) -> int | None:
    return int(text) if _is_number(text) else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 20


_REQUESTS: Final[Mapping[bool, Callable[[bytes], list[Resource]]]] = {
    True: lambda value: [one.resource for one in ExportLogsServiceRequest.FromString(value).resource_logs],
    False: lambda value: [one.resource for one in ExportTraceServiceRequest.FromString(value).resource_spans],
}


def _sender(record: Record, origin: Origin | None) -> tuple[str, str]:
    """Project and service: of the record's header, else of its first resource."""
    project = project_from_headers(record.headers)
    value = record.value or b""
    if len(value) > MAX_RECORD_BYTES:
        return project, ""
    try:
        resources = _REQUESTS[origin is not None and origin.at.topic == LOGS_TOPIC](value)
    except DecodeError:
        return project, ""
    if not resources:
        return project, ""
    sender = read_sender(resources[0], project)
    return sender.project, sender.service
