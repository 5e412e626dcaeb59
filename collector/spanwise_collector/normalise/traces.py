"""From a record's bytes to spans with their attributes, ready to be read one by one."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import TypeAlias

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from spanwise_collector.normalise.decode import mend
from spanwise_collector.normalise.front import Filled, Front
from spanwise_collector.normalise.lazy import LazySpan, LazyTraces
from spanwise_collector.normalise.masking import Masker
from spanwise_collector.normalise.plan import variant_of
from spanwise_collector.normalise.raw_attributes import UnreadableAttributeError

Item: TypeAlias = tuple[LazySpan, Filled, set[str]]
"""A span, its attributes, and the warnings from reading them."""


@dataclass(frozen=True, slots=True)
class Traces:
    """The spans of one record.

    Attributes:
        groups: each resource with its scopes, each of these with its spans.
        lost: how many spans could not be read and are left out.
    """

    groups: list[tuple[Resource, list[tuple[InstrumentationScope, list[Item]]]]] = field(default_factory=list)
    lost: int = 0


def read_traces(value: bytes, front: Front, masker: Masker | None = None) -> Traces:
    """The spans of an export request, all of them decoded before the first is used.

    Args:
        value: a serialised ExportTraceServiceRequest.
        front: reads attributes.
        masker: applied before; None for none.

    Raises:
        Refused: when nothing can be saved, with the reason `not_protobuf` or `truncated`.
    """
    try:
        return Traces(_groups(LazyTraces.FromString(_masked(value, masker)), front))
    except (DecodeError, UnreadableAttributeError):
        pass
    mended = mend(ExportTraceServiceRequest, value)
    traces = Traces(_groups(LazyTraces.FromString(_masked(mended.value, masker)), front), mended.lost)
    positions = count()
    for span_warnings in _warnings(traces):
        span_warnings.update(mended.request_notes, mended.notes.get(next(positions), ()))
    return traces


def _masked(value: bytes, masker: Masker | None) -> bytes:
    return value if masker is None else masker.masked(value, ExportTraceServiceRequest)


def _groups(request: LazyTraces, front: Front) -> list[tuple[Resource, list[tuple[InstrumentationScope, list[Item]]]]]:
    read = front.read
    groups = []
    for group in request.resource_spans:
        scopes = []
        for scoped in group.scope_spans:
            items: list[Item] = []
            variant = variant_of(scoped.scope.name)
            for span in scoped.spans:
                warnings: set[str] = set()
                items.append((span, read(span.attributes[:], variant, warnings), warnings))
            scopes.append((scoped.scope, items))
        groups.append((group.resource, scopes))
    return groups


def _warnings(traces: Traces) -> Iterator[set[str]]:
    for _, scopes in traces.groups:
        for _, items in scopes:
            for _, _, warnings in items:
                yield warnings
