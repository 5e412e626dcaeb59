"""LlamaIndex on OpenAI and Anthropic under OpenInference's instrumentation of it."""

import llama_index_calls
import openinference_calls
import telemetry
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor

provider = telemetry.start()
LlamaIndexInstrumentor().instrument(tracer_provider=provider)
llama_index_calls.run_all(telemetry.case, openinference_calls.session)
telemetry.stop()
