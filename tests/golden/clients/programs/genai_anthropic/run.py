"""The package `anthropic` under OpenTelemetry's instrumentation of it; the package writes spans of its own besides."""

import anthropic_calls
import telemetry
from opentelemetry.instrumentation.genai.anthropic import AnthropicInstrumentor

telemetry.start(logs=True)
AnthropicInstrumentor().instrument()
anthropic_calls.run_all(telemetry.case, telemetry.session)
telemetry.stop()
