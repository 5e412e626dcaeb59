"""The `openai` client under OpenInference's instrumentor, exported by OpenTelemetry's own SDK."""

import sys

from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from tests.golden.programs import calls


def main(base_url: str) -> None:
    """Make all calls."""
    provider = TracerProvider(resource=Resource.create({"service.name": "app", "openinference.project.name": "golden"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(base_url + "/v1/traces")))
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    calls.run_all(calls.client(base_url))
    provider.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
