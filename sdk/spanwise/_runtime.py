"""What an observed call needs at hand: the one place to look up whether and how to record."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Tracer

    from spanwise._evals import Evaluation
    from spanwise._scores import Score


class Sink(Protocol):
    """Where finished spans and scores go: the delivery pipeline, or a test's capture."""

    def span(self, span: "ReadableSpan") -> None:
        """Take a finished span; never raises, never blocks beyond the configured wait."""

    def score(self, score: "Score") -> None:
        """Take a score; same promise."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """One set-up of Spanwise, from `init` or from a test's capture.

    Attributes:
        tracer: makes the spans.
        sink: takes what is finished.
        capture_content: whether inputs and outputs are recorded.
        max_content_bytes: bound of one of them.
        samples_all: every trace is kept, so content may be captured before the sampler is asked.
        clock: nanoseconds since the epoch; None leaves the time to OpenTelemetry, which is faster.
        new_score_id: makes 32 hex digits.
        evaluation: takes spans that have evaluators.
    """

    tracer: "Tracer"
    sink: Sink
    capture_content: bool
    max_content_bytes: int
    samples_all: bool
    clock: Callable[[], int] | None
    new_score_id: Callable[[], str]
    evaluation: "Evaluation"

    def now_ns(self) -> int:
        """Nanoseconds since the epoch."""
        return time.time_ns() if self.clock is None else self.clock()


class _State:
    """Holds the current runtime; None before `init`, after `shutdown` and when Spanwise is disabled."""

    __slots__ = ("runtime",)

    def __init__(self) -> None:
        self.runtime: Runtime | None = None


state = _State()
