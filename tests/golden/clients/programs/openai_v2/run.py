"""The package `openai` under OpenTelemetry's older instrumentation of it."""

import openai_calls
import telemetry
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

telemetry.start(logs=True)
OpenAIInstrumentor().instrument()
openai_calls.run_all(telemetry.case, telemetry.session)
telemetry.stop()
