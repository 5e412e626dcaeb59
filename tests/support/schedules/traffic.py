"""What producers send in a schedule, and what must become of it: each record's spans by offset."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from spanwise_schemas import wire
from tests.support import otlp

Kind = Literal["spans", "partly bad", "garbage", "again"]
"""`spans` are new; of `partly bad` the first is refused; `garbage` is no OTLP; `again` repeats the record before, as a
producer does that had no answer."""

GARBAGE = b"\xff\xfenot a request"
SPAN_S = 1.0


@dataclass(frozen=True, slots=True)
class Sent:
    """One record, as the broker has acknowledged it.

    Attributes:
        spans: ids (trace id + span id, 24 bytes) that are to be stored, once.
        refused: how many of its items are to be refused.
        repeats: whether an earlier record of the partition had the same bytes.
    """

    partition: int
    offset: int
    spans: tuple[bytes, ...]
    refused: int
    repeats: bool

    @property
    def items(self) -> int:
        """How many spans the producer meant to send."""
        return len(self.spans) + self.refused


@dataclass
class Traffic:
    """A producer of one schedule. Every span is new, has a body, and fails, so that it has a row in most tables.

    Attributes:
        topic: where it writes.
        project: of its spans; also makes ids unique.
        number: of the schedule, from 0: unique in the store.
        sent: acknowledged records in the order of sending.
    """

    topic: str
    project: str
    number: int
    producer: Any
    sent: list[Sent] = field(default_factory=list)
    _last: dict[int, tuple[Kind, bytes, Sequence[Any], Sent]] = field(default_factory=dict)
    _spans: int = 0

    @property
    def producer_id(self) -> str:
        """In the envelopes."""
        return f"{self.number + 1:032x}"

    def send(self, partition: int, kinds: Sequence[Kind], *, days_ago: int = 0) -> None:
        """Write records and wait for their acknowledgement.

        Args:
            partition: of the topic.
            kinds: one record for each.
            days_ago: by how much the producer's clock is behind.
        """
        now_ms = int(time.time() * 1000) - days_ago * 86_400_000
        waiting: list[tuple[Sent, Any]] = []
        for kind in kinds:
            if kind == "again" and partition in self._last:
                _, value, headers, was = self._last[partition]
                spans, refused, repeats = was.spans, was.refused, True
            else:
                spans, refused, value = self._record(kind, now_ms)
                number = len(self.sent) + len(waiting)
                headers = wire.Envelope(self.producer_id, number, len(spans) + refused, 0).to_headers()
                repeats = False
            made = Sent(partition, -1, spans, refused, repeats)
            self._last[partition] = (kind, value, headers, made)
            future = self.producer.send(
                self.topic, value=value, partition=partition, headers=list(headers), timestamp_ms=now_ms
            )
            waiting.append((made, future))
        self.producer.flush(timeout=30)
        for made, future in waiting:
            offset = future.get(timeout=30).offset
            self.sent.append(Sent(partition, offset, made.spans, made.refused, made.repeats))

    def _record(self, kind: Kind, now_ms: int) -> tuple[tuple[bytes, ...], int, bytes]:
        if kind == "garbage":
            return (), 1, GARBAGE
        refused = 1 if kind == "partly bad" else 0
        ids: list[bytes] = []
        spans = [self._span(bytes(8), bytes(8), now_ms)] * refused
        for _ in range(2):
            self._spans += 1
            trace = self.number.to_bytes(8, "big") + ((self._spans + 1) // 2).to_bytes(8, "big")
            ids.append(trace + self._spans.to_bytes(8, "big"))
            spans.append(self._span(trace, self._spans.to_bytes(8, "big"), now_ms))
        resource = {"service.name": "faults", "spanwise.project": self.project}
        return tuple(ids), refused, otlp.traces(*spans, resource=resource).SerializeToString()

    @staticmethod
    def _span(trace: bytes, span: bytes, now_ms: int) -> Any:
        end = now_ms * 1_000_000 - 1_000_000_000
        made = otlp.span(
            "call",
            {"input.value": f"question {span.hex()}", "output.value": "answer"},
            trace_id=trace,
            span_id=span,
            start_ns=end - int(SPAN_S * 1e9),
            end_ns=end,
        )
        made.status.code = made.status.STATUS_CODE_ERROR
        made.status.message = "the tool is away"
        return made

    @property
    def stored(self) -> Counter[bytes]:
        """Every span that is to be stored, with how often it was sent."""
        return Counter(span for record in self.sent for span in record.spans)
