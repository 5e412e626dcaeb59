"""From one export request to Kafka records: each for one partition and one project, below the size limit. Pure.

Most requests hold a few traces or one. Where all spans go to one partition and nothing had to be changed, the bytes
that came are the record.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.signals import Signal
from spanwise_schemas import attributes as names
from spanwise_schemas.wire import MAX_RECORD_BYTES, partition_for

MAX_ITEMS: Final = 1_000
MAX_HEAD_BYTES: Final = 262_144
"""Resource and scope, which every record repeats."""
MAX_GROWTH: Final = 4
MIN_GROWTH_BYTES: Final = 16 << 20
"""All records together may be `MAX_GROWTH` times the request, or this if it is more: resources are repeated."""
_FRAME_BYTES: Final = 8
"""Tag and length of one field with a length, at most; a record's are below 5 bytes long."""
_NO_TRACE: Final = bytes(16)
_NO_SPAN: Final = bytes(8)


@dataclass(frozen=True, slots=True)
class Packed:
    """One record before it has its envelope.

    Attributes:
        partition: where it goes.
        project: for the record's header; empty for none.
        key: trace id of the first item.
        value: a serialised export request.
        items: spans or log records inside.
    """

    partition: int
    project: str
    key: bytes
    value: bytes
    items: int


@dataclass(frozen=True, slots=True)
class Split:
    """What a request becomes.

    Attributes:
        records: in the order to send.
        refused: how many items are in none of them, by reason, a key of `problems.REFUSALS`.
    """

    records: list[Packed]
    refused: Counter[str]

    @property
    def items(self) -> int:
        """Spans or log records in all records."""
        return sum(record.items for record in self.records)


def split(
    signal: Signal, request: Any, original: bytes | None, *, partitions: int, project_of: Callable[[Any], str]
) -> Split:
    """Sort the items of a request into records.

    Args:
        signal: which request it is.
        request: decoded.
        original: the bytes that `request` was decoded from, when they say the same; None when they do not.
        partitions: of the topic, at least 1.
        project_of: project of a resource, for the record's header; empty for none.

    Returns:
        The records. Every item is in one record or counted as refused; items of one trace keep their order.

    Raises:
        NotTakenError: repeating the resources would make far more of the request than it is; or what `project_of`
            raises.
    """
    refused: Counter[str] = Counter()
    placed = list(_placed(signal, request, partitions, project_of, refused))
    if not placed:
        return Split([], refused)
    if original is not None and not refused and len(original) <= MAX_RECORD_BYTES and len(placed) <= MAX_ITEMS:
        places = {(one.partition, one.project) for one in placed}
        if len(places) == 1:
            [(partition, project)] = places
            return Split([Packed(partition, project, placed[0].key, original, len(placed))], refused)
    size = len(original) if original is not None else request.ByteSize()
    return Split(_packed(signal, placed, max(MAX_GROWTH * size, MIN_GROWTH_BYTES), refused), refused)


@dataclass(frozen=True, slots=True)
class _Placed:
    partition: int
    project: str
    key: bytes
    item: Any
    head: "_Head"


@dataclass(frozen=True, slots=True)
class _Head:
    """What stands above an item: its resource's group and its scope's entry."""

    group: Any
    scoped: Any
    size: int


def _placed(
    signal: Signal, request: Any, partitions: int, project_of: Callable[[Any], str], refused: Counter[str]
) -> Iterable[_Placed]:
    problem_of = _problem_of_span if signal.name == "traces" else _problem_of_entry
    for group in getattr(request, signal.groups):
        scopes = getattr(group, signal.scopes)
        if not any(getattr(scoped, signal.items) for scoped in scopes):
            continue
        project = project_of(group.resource)
        group_size = group.resource.ByteSize() + len(group.schema_url.encode())
        for scoped in scopes:
            size = group_size + scoped.scope.ByteSize() + len(scoped.schema_url.encode()) + 6 * _FRAME_BYTES
            head = _Head(group, scoped, size)
            for item in getattr(scoped, signal.items):
                problem = problem_of(item)
                if problem:
                    refused[problem] += 1
                    continue
                key = item.trace_id if item.trace_id and item.trace_id != _NO_TRACE else _session_key(item)
                yield _Placed(partition_for(key, partitions), project, key, item, head)


@dataclass(slots=True)
class _Builder:
    """One record in the making."""

    signal: Signal
    request: Any
    key: bytes
    items: int = 0
    size: int = 0
    targets: dict[int, Any] = field(default_factory=dict)
    groups: dict[int, Any] = field(default_factory=dict)

    def cost(self, one: _Placed, size: int) -> int:
        """Bytes that the record grows by with an item, at most."""
        return size + _FRAME_BYTES + (0 if id(one.head) in self.targets else one.head.size)

    def add(self, one: _Placed, cost: int) -> None:
        """Put an item in."""
        target = self.targets.get(id(one.head))
        if target is None:
            target = self.targets[id(one.head)] = self._scope(one.head)
        getattr(target, self.signal.items).append(one.item)
        self.items += 1
        self.size += cost

    def _scope(self, head: _Head) -> Any:
        group = self.groups.get(id(head.group))
        if group is None:
            group = getattr(self.request, self.signal.groups).add(schema_url=head.group.schema_url)
            group.resource.CopyFrom(head.group.resource)
            self.groups[id(head.group)] = group
        scoped = getattr(group, self.signal.scopes).add(schema_url=head.scoped.schema_url)
        scoped.scope.CopyFrom(head.scoped.scope)
        return scoped


def _packed(signal: Signal, placed: Iterable[_Placed], budget: int, refused: Counter[str]) -> list[Packed]:
    done: list[Packed] = []
    building: dict[tuple[int, str], _Builder] = {}
    for one in placed:
        place = (one.partition, one.project)
        size = one.item.ByteSize()
        if one.head.size > MAX_HEAD_BYTES or one.head.size + size + _FRAME_BYTES > MAX_RECORD_BYTES:
            refused["too_large"] += 1
            continue
        builder = building.get(place)
        if builder is not None and (
            builder.items >= MAX_ITEMS or builder.size + builder.cost(one, size) > MAX_RECORD_BYTES
        ):
            done.append(_finished(place, building.pop(place)))
            builder = None
        if builder is None:
            builder = building[place] = _Builder(signal, signal.request(), one.key)
        cost = builder.cost(one, size)
        budget -= cost
        if budget < 0:
            raise NotTakenError(
                Reason.TOO_LARGE,
                "The resources of this request are large and its spans belong to many partitions: it would become more "
                f"than {MAX_GROWTH} times as large. Send smaller resources, or smaller batches.",
            )
        builder.add(one, cost)
    done.extend(_finished(place, builder) for place, builder in building.items())
    return done


def _finished(place: tuple[int, str], builder: _Builder) -> Packed:
    return Packed(*place, builder.key, builder.request.SerializeToString(), builder.items)


def _problem_of_span(span: Any) -> str:
    """Why ingest would refuse it; these can be told at once."""
    if len(span.trace_id) != len(_NO_TRACE) or span.trace_id == _NO_TRACE:
        return "bad_trace_id"
    if len(span.span_id) != len(_NO_SPAN) or span.span_id == _NO_SPAN:
        return "bad_span_id"
    if not span.start_time_unix_nano and not span.end_time_unix_nano:
        return "no_time"
    return ""


def _problem_of_entry(entry: Any) -> str:
    """A log record needs no trace and no span, but an id that is there is whole."""
    if len(entry.trace_id) not in (0, len(_NO_TRACE)):
        return "bad_trace_id"
    return "bad_span_id" if len(entry.span_id) not in (0, len(_NO_SPAN)) else ""


def _session_key(entry: Any) -> bytes:
    """A key for what belongs to a session and to no trace: the same session goes to the same partition."""
    session = next((pair.value.string_value for pair in entry.attributes if pair.key == names.SESSION_ID), "")
    return hashlib.blake2b(session.encode(), digest_size=16).digest()
