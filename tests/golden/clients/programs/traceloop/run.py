"""The packages `openai` and `anthropic` under Traceloop's SDK, which is OpenLLMetry."""

import os
from contextlib import contextmanager

import anthropic_calls
import material
import openai_calls
from opentelemetry import trace
from traceloop.sdk import Traceloop
from traceloop.sdk.decorators import workflow

Traceloop.init(app_name="app", api_endpoint=os.environ["SPANWISE_STUB_URL"], api_key="unused", telemetry_enabled=False)


def case(name):
    """A workflow around each case; the decorator keeps its span open until a generator ends."""

    @workflow(name=name)
    def steps():
        yield

    return contextmanager(steps)()


@contextmanager
def session(name):
    with case(name):
        Traceloop.set_association_properties({"session_id": material.SESSION, "user_id": material.USER})
        yield


openai_calls.run_all(case, session)
anthropic_calls.run_all(case, session)
trace.get_tracer_provider().shutdown()
