"""OpenAI's agents SDK under OpenInference's instrumentation of it."""

import agents_calls
import openinference_calls
import telemetry
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

provider = telemetry.start()
OpenAIAgentsInstrumentor().instrument(tracer_provider=provider)
agents_calls.run_all(telemetry.case, openinference_calls.session)
telemetry.stop()
