"""The package `anthropic` under OpenInference's instrumentation of it; the package writes spans of its own besides."""

import anthropic_calls
import openinference_calls
import telemetry
from openinference.instrumentation.anthropic import AnthropicInstrumentor

provider = telemetry.start()
AnthropicInstrumentor().instrument(tracer_provider=provider)
anthropic_calls.run_all(telemetry.case, openinference_calls.session)
telemetry.stop()
