"""The packages `openai` and `anthropic` under OpenLIT."""

import os
from contextlib import contextmanager

import anthropic_calls
import material
import openai_calls
import openlit
from opentelemetry import _logs, trace

openlit.init(
    application_name="app", environment="test", otlp_endpoint=os.environ["SPANWISE_STUB_URL"], disable_metrics=True
)


@contextmanager
def session(name):
    ids = {"session.id": material.SESSION, "user.id": material.USER}
    with openlit.using_attributes(ids), openlit.start_trace(name):
        yield


openai_calls.run_all(openlit.start_trace, session)
anthropic_calls.run_all(openlit.start_trace, session)
trace.get_tracer_provider().shutdown()
_logs.get_logger_provider().shutdown()
