"""From OTLP requests to records: one partition each, at most 1,000 items, below the size limit. Pure functions."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanwise_schemas import attributes as names
from spanwise_schemas.wire import LOGS_TOPIC, SPANS_TOPIC, partition_for

MAX_ITEMS: Final = 1_000
MAX_VALUE_BYTES: Final = 950_000
"""Leaves room below `wire.MAX_RECORD_BYTES` for resource and scope."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """The two OTLP requests have the same form under different names."""

    request: Any
    groups: str
    scopes: str
    items: str


_SHAPES: Final = {
    SPANS_TOPIC: _Shape(ExportTraceServiceRequest, "resource_spans", "scope_spans", "spans"),
    LOGS_TOPIC: _Shape(ExportLogsServiceRequest, "resource_logs", "scope_logs", "log_records"),
}


@dataclass(frozen=True, slots=True)
class Packed:
    """One record before it has its envelope."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    items: int


@dataclass(slots=True)
class _Builder:
    shape: _Shape
    request: Any
    key: bytes = b""
    items: int = 0
    size: int = 0
    scopes: dict[tuple[int, int], Any] = field(default_factory=dict)

    def add(self, item: Any, size: int, key: bytes, group: Any, scope: Any) -> None:
        place = (id(group), id(scope))
        target = self.scopes.get(place)
        if target is None:
            new_group = getattr(self.request, self.shape.groups).add(schema_url=group.schema_url)
            new_group.resource.CopyFrom(group.resource)
            target = getattr(new_group, self.shape.scopes).add(schema_url=scope.schema_url)
            target.scope.CopyFrom(scope.scope)
            self.scopes[place] = target
            self.size += group.resource.ByteSize() + scope.scope.ByteSize() + 64
        getattr(target, self.shape.items).append(item)
        self.key = self.key or key
        self.items += 1
        self.size += size + 8


def pack(topic: str, requests: Iterable[bytes], partitions: int) -> list[Packed]:
    """Sort the items of some requests into records.

    Args:
        topic: `wire.SPANS_TOPIC` or `wire.LOGS_TOPIC`.
        requests: serialised OTLP export requests of that topic.
        partitions: how many the topic has, at least 1.

    Returns:
        The records, each with items of one partition only. Spans of one trace keep their order.
    """
    shape = _SHAPES[topic]
    done: list[Packed] = []
    open_: dict[int, _Builder] = {}
    parsed = [shape.request.FromString(data) for data in requests]  # kept alive: builders tell groups apart by identity
    groups = [
        (group, [(scope, list(getattr(scope, shape.items))) for scope in getattr(group, shape.scopes)])
        for request in parsed
        for group in getattr(request, shape.groups)
    ]
    for group, scopes in groups:
        for scope, items in scopes:
            for item in items:
                key = item.trace_id or _session_key(item)
                partition = partition_for(key, partitions)
                size = item.ByteSize()
                builder = open_.get(partition)
                if builder is not None and (builder.items >= MAX_ITEMS or builder.size + size > MAX_VALUE_BYTES):
                    done.append(_finished(topic, partition, builder))
                    builder = None
                if builder is None:
                    builder = open_[partition] = _Builder(shape, shape.request())
                builder.add(item, size, key, group, scope)
    done.extend(_finished(topic, partition, builder) for partition, builder in open_.items())
    return done


def _finished(topic: str, partition: int, builder: _Builder) -> Packed:
    return Packed(topic, partition, builder.key, builder.request.SerializeToString(), builder.items)


def _session_key(item: Any) -> bytes:
    """A key for what belongs to a session and to no trace: the same session goes to the same partition."""
    session = next((pair.value.string_value for pair in item.attributes if pair.key == names.SESSION_ID), "")
    return hashlib.blake2b(session.encode(), digest_size=16).digest()
