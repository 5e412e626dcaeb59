"""LangChain under OpenInference's instrumentation of it; the package `anthropic` writes spans of its own besides."""

import langchain_calls
import openinference_calls
import telemetry
from openinference.instrumentation.langchain import LangChainInstrumentor

provider = telemetry.start()
LangChainInstrumentor().instrument(tracer_provider=provider)
langchain_calls.run_all(telemetry.case, openinference_calls.session)
telemetry.stop()
