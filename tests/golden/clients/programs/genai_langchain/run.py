"""LangChain under OpenTelemetry's instrumentation of it; the package `anthropic` writes spans of its own besides."""

import langchain_calls
import telemetry
from opentelemetry.instrumentation.genai.langchain import LangChainInstrumentor

telemetry.start(logs=True)
LangChainInstrumentor().instrument()
langchain_calls.run_all(telemetry.case, telemetry.session)
telemetry.stop()
