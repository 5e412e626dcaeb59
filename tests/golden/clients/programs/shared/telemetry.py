"""OpenTelemetry's own SDK and OTLP exporter, as its documentation sets them up, for clients that bring none."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

_started = []


def start(*, logs: bool = False) -> TracerProvider:
    """Set the global tracer provider, with `logs` the global logger provider too; the address is in the environment."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    _started.append(provider)
    if logs:
        from opentelemetry import _logs
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

        logger_provider = LoggerProvider()
        logger_provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
        _logs.set_logger_provider(logger_provider)
        _started.append(logger_provider)
    return provider


def stop() -> None:
    """Send what is left."""
    for provider in _started:
        provider.shutdown()


@contextmanager
def case(name: str, **attributes: str) -> Iterator[None]:
    """One root span of the application, named after the case."""
    with trace.get_tracer("app").start_as_current_span(name, attributes=attributes):
        yield


def session(name: str):
    """The root span with session and user, by the attributes that OpenTelemetry names for them."""
    import material

    return case(name, **{"session.id": material.SESSION, "user.id": material.USER})
