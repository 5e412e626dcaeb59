"""OpenAI's agents SDK under OpenTelemetry's instrumentations of it and, as its page says, of the package `openai`."""

import agents_calls
import telemetry
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.instrumentation.genai.openai_agents import OpenAIAgentsInstrumentor

telemetry.start(logs=True)
OpenAIInstrumentor().instrument()
OpenAIAgentsInstrumentor().instrument(disable_openai_trace_export=True)
agents_calls.run_all(telemetry.case, telemetry.session)
telemetry.stop()
