"""Prepared records whose ids are made anew for every use, fast enough to flood a broker from one thread."""

import random
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.ingest import records_hold
from bench.normalise import request

TEMPLATES: Final = 8
BROKEN: Final = b"\xff this is no OTLP"


class Template:
    """One serialised request, and where the ids of its spans are."""

    def __init__(self, rng: random.Random, size: int) -> None:
        self.spans = records_hold(size)
        value = request(rng, self.spans, size)
        self._value = np.frombuffer(value, dtype=np.uint8).copy()
        self._ids = _places(value)

    def fresh(self, rng: np.random.Generator) -> bytes:
        """The request with new trace and span ids."""
        self._value[self._ids] = rng.integers(1, 256, len(self._ids), dtype=np.uint8)
        return self._value.tobytes()


def _places(value: bytes) -> "npt.NDArray[np.intp]":
    """Offsets of all bytes of trace and span ids in a serialised request."""
    places: list[int] = []
    at = 0
    for group in ExportTraceServiceRequest.FromString(value).resource_spans:
        for span in group.scope_spans[0].spans:
            # The fields follow each other as they are numbered: trace id, span id.
            at = value.index(span.trace_id, at)
            places.extend(range(at, at + 16))
            at = value.index(span.span_id, at)
            places.extend(range(at, at + 8))
    return np.array(places)


def records(size: int, broken_every: int, seed: int = 1) -> Iterator[tuple[bytes, int]]:
    """Records without end, and the spans in each; every so many is none that can be read (it counts as one span)."""
    rng, ids = random.Random(seed), np.random.default_rng(seed)
    templates = [Template(rng, size) for _ in range(TEMPLATES)]
    number = 0
    while True:
        number += 1
        if number % broken_every == 0:
            yield BROKEN, 1
        else:
            template = templates[number % TEMPLATES]
            yield template.fresh(ids), template.spans
