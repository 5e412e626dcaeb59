"""See in your own tests what your code records.

    from spanwise.testing import capture

    with capture() as captured:
        answer("hello")
    assert [span["name"] for span in captured.spans] == ["answer"]

Ids and times are the same in every run, so whole spans can be compared. With pytest, the fixture `spanwise_capture`
does the same. Evaluators of `evals=[...]` run at once, so that their scores are there when the call has ended.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from spanwise._context import carried
from spanwise._eval_worker import InlineEvaluation
from spanwise._runtime import Runtime, state

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from spanwise._scores import Score

__all__ = ["START_NS", "TICK_NS", "Capture", "capture"]

START_NS: Final = 1_767_225_600_000_000_000
"""What the fixed clock shows first: 2026-01-01T00:00:00Z, in nanoseconds since the epoch."""

TICK_NS: Final = 1_000_000
"""How much later every next look at the fixed clock is: 1 ms."""


@dataclass(slots=True)
class Capture:
    """What was recorded.

    Attributes:
        spans: finished spans in the order of their ends: `name`, `trace_id`, `span_id`, `parent_id` (None for a
            root), `start_ns`, `end_ns`,
            `status` ("unset", "ok" or "error"), `status_message`, `attributes`, `events`. Lists are tuples; stack
            traces are left out.
        scores: in the order they were given: `trace_id` and `span_id` (None where they do not apply), `time_ns`,
            `attributes`.
    """

    spans: list[dict[str, Any]] = field(default_factory=list)
    scores: list[dict[str, Any]] = field(default_factory=list)

    def span(self, span: ReadableSpan) -> None:
        """Take a finished span; called by Spanwise."""
        self.spans.append(_span_dict(span))

    def score(self, score: "Score") -> None:
        """Take a score; called by Spanwise."""
        self.scores.append(
            {
                "trace_id": score.trace_id.hex() or None,
                "span_id": score.span_id.hex() or None,
                "time_ns": score.time_ns,
                "attributes": dict(score.attributes),
            }
        )


class _CountingIds(IdGenerator):
    def __init__(self) -> None:
        self._traces = itertools.count(1)
        self._spans = itertools.count(1)

    def generate_trace_id(self) -> int:
        return next(self._traces)

    def generate_span_id(self) -> int:
        return next(self._spans)


class _CaptureProcessor(SpanProcessor):
    def __init__(self, sink: Capture) -> None:
        self._sink = sink

    def on_start(self, span: SdkSpan, parent_context: "Context | None" = None) -> None:
        span.set_attributes(carried(parent_context) or {})

    def on_end(self, span: ReadableSpan) -> None:
        self._sink.span(span)


@contextmanager
def capture(*, capture_content: bool = True, max_content_bytes: int = 65_536) -> Iterator[Capture]:
    """Record into memory instead of sending, for the length of a `with` block; no `spanwise.init` is needed.

    Spans of other instrumentations are captured too, when they write to the provider that `spanwise.init` has joined
    or made; their ids and times are their own.

    Args:
        capture_content: as the setting of the same name.
        max_content_bytes: as the setting of the same name.

    Yields:
        What is recorded.
    """
    captured = Capture()
    clock = itertools.count(START_NS, TICK_NS)
    score_ids = itertools.count(1)
    provider = TracerProvider(
        sampler=ALWAYS_ON, resource=Resource.get_empty(), shutdown_on_exit=False, id_generator=_CountingIds()
    )
    provider.add_span_processor(_CaptureProcessor(captured))
    before = state.runtime
    state.runtime = Runtime(
        tracer=provider.get_tracer("spanwise"),
        sink=captured,
        capture_content=capture_content,
        max_content_bytes=max_content_bytes,
        samples_all=True,
        clock=lambda: next(clock),
        new_score_id=lambda: f"{next(score_ids):032x}",
        evaluation=InlineEvaluation("default", captured),
    )
    try:
        yield captured
    finally:
        state.runtime = before


def _span_dict(span: ReadableSpan) -> dict[str, Any]:
    context = span.get_span_context()
    assert context is not None
    return {
        "name": span.name,
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
        "parent_id": None if span.parent is None else f"{span.parent.span_id:016x}",
        "start_ns": span.start_time,
        "end_ns": span.end_time,
        "status": span.status.status_code.name.lower(),
        "status_message": span.status.description,
        "attributes": dict(span.attributes or {}),
        "events": [
            {
                "name": event.name,
                "attributes": {
                    key: value for key, value in (event.attributes or {}).items() if key != "exception.stacktrace"
                },
            }
            for event in span.events
        ],
    }
