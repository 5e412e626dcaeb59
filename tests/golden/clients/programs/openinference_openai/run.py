"""The package `openai` under OpenInference's instrumentation of it."""

import openai_calls
import openinference_calls
import telemetry
from openinference.instrumentation.openai import OpenAIInstrumentor

provider = telemetry.start()
OpenAIInstrumentor().instrument(tracer_provider=provider)
openai_calls.run_all(telemetry.case, openinference_calls.session)
telemetry.stop()
