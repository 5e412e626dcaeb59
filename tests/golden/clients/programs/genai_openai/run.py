"""The package `openai` under OpenTelemetry's instrumentation of it."""

import openai_calls
import telemetry
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

telemetry.start(logs=True)
OpenAIInstrumentor().instrument()
openai_calls.run_all(telemetry.case, telemetry.session)
telemetry.stop()
