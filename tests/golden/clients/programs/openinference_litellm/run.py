"""LiteLLM under OpenInference's instrumentation of it."""

import litellm_calls
import openinference_calls
import telemetry
from openinference.instrumentation.litellm import LiteLLMInstrumentor

provider = telemetry.start()
LiteLLMInstrumentor().instrument(tracer_provider=provider)
litellm_calls.run_all(telemetry.case, openinference_calls.session)
telemetry.stop()
