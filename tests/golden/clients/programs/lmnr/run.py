"""The packages `openai` and `anthropic` under Laminar."""

import os
from urllib.parse import urlsplit

import anthropic_calls
import material
import openai_calls
from lmnr import Laminar

stub = urlsplit(os.environ["SPANWISE_STUB_URL"])
Laminar.initialize(project_api_key="unused", base_url=f"http://{stub.hostname}", http_port=stub.port, force_http=True)


def session(name):
    return Laminar.start_as_current_span(name, session_id=material.SESSION, user_id=material.USER)


openai_calls.run_all(Laminar.start_as_current_span, session)
anthropic_calls.run_all(Laminar.start_as_current_span, session)
Laminar.shutdown()
