"""The packages `openai` and `anthropic` of 2025 under Traceloop's SDK of that time."""

import os
from contextlib import contextmanager

import anthropic_calls
import material
import openai_calls
import telemetry
from opentelemetry import trace
from traceloop.sdk import Traceloop

Traceloop.init(app_name="app", api_endpoint=os.environ["SPANWISE_STUB_URL"], api_key="unused", telemetry_enabled=False)


@contextmanager
def session(name):
    with telemetry.case(name):
        Traceloop.set_association_properties({"session_id": material.SESSION, "user_id": material.USER})
        yield


openai_calls.run_all(telemetry.case, session)
anthropic_calls.run_all(telemetry.case, session)
trace.get_tracer_provider().shutdown()
