"""Counts what sampling leaves out."""

from collections.abc import Callable, Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind
from opentelemetry.trace.span import TraceState
from opentelemetry.util.types import Attributes


class CountingSampler(Sampler):
    """Decides as another sampler does and reports each span that it leaves out.

    Args:
        sampler: decides.
        left_out: called once per span that is not recorded.
    """

    def __init__(self, sampler: Sampler, left_out: Callable[[], None]) -> None:
        self._sampler = sampler
        self._left_out = left_out

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """As the other sampler decides."""
        result = self._sampler.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)
        if result.decision is Decision.DROP:
            self._left_out()
        return result

    def get_description(self) -> str:
        """As the other sampler describes itself."""
        return self._sampler.get_description()
