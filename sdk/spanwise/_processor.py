"""The span processor: puts context onto every span that starts, and hands every span that ends to the sink."""

from typing import TYPE_CHECKING

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace import Span as SdkSpan

from spanwise._context import carried
from spanwise._guard import guard
from spanwise._runtime import state

if TYPE_CHECKING:
    from spanwise._client import Client


class SpanwiseProcessor(SpanProcessor):
    """Added once to a TracerProvider; it serves whatever runtime is current, so `init` may be called again.

    Args:
        client: whose pipeline is flushed with the provider's.
    """

    def __init__(self, client: "Client") -> None:
        self.client = client

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        """Copy session, user, tags, metadata and prompt onto the span."""
        self.client.pipeline.warm_up()
        attributes = carried(parent_context)
        if attributes and state.runtime is not None:
            try:
                span.set_attributes(attributes)
            except Exception as error:
                guard.report("put context onto a span", error)

    def on_end(self, span: ReadableSpan) -> None:
        """Hand the span on, unless sampling leaves its trace out."""
        runtime = state.runtime
        if runtime is None:
            return
        try:
            context = span.get_span_context()
            if context is None or not context.trace_flags.sampled:
                return
            if not self.client.keeps(context.trace_id):
                self.client.pipeline.sampled_out()
                return
            runtime.sink.span(span)
        except Exception as error:
            guard.report("take a finished span", error)

    def shutdown(self) -> None:
        """The provider ends: send what is pending, within the exit's bound."""
        self.client.flush(self.client.config.exit_timeout_s)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what is pending."""
        return self.client.flush(timeout_millis / 1000)
