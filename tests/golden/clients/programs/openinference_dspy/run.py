"""DSPy on OpenAI and Anthropic under OpenInference's instrumentation of it."""

import dspy_calls
import openinference_calls
import telemetry
from openinference.instrumentation.dspy import DSPyInstrumentor

provider = telemetry.start()
DSPyInstrumentor().instrument(tracer_provider=provider)
dspy_calls.run_all(telemetry.case, openinference_calls.session)
telemetry.stop()
