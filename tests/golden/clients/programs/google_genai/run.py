"""The package `google-genai` under OpenTelemetry's instrumentation of it."""

import gemini_calls
import telemetry
from opentelemetry.instrumentation.google_genai import GoogleGenAiSdkInstrumentor

telemetry.start(logs=True)
GoogleGenAiSdkInstrumentor().instrument()
gemini_calls.run_all(telemetry.case, telemetry.session)
telemetry.stop()
